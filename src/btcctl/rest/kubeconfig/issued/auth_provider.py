"""OIDC: the one adapter over `kubernetes.config`, for kubeconfigs with an `auth-provider`.

Importing it takes a third of a second of CPU, so that happens when such a login is made, and never otherwise. What
it writes to temporary files is removed at once; what it writes to the root logger becomes our error.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import ssl
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from urllib3.exceptions import HTTPError

from btcctl.errors import ConfigError, Interrupted
from btcctl.named_files import check_file, shown_name
from btcctl.rest.credentials import checked_header
from btcctl.rest.kubeconfig.fields import Cluster, User
from btcctl.rest.kubeconfig.issued.exec_plugin import Issued
from btcctl.rest.kubeconfig.merging import Found
from btcctl.secret import Secret, hiding_frames
from btcctl.threads import Stop

_NAME = "chosen"


class AuthProvider:
    """One user's `auth-provider`.

    Args:
        user: Has such an entry.
        cluster: The cluster's.
    """

    is_interactive = False

    def __init__(self, user: Found[User], cluster: Found[Cluster]) -> None:
        self.place = user.at("auth-provider")
        self._document = _document(cluster.entry, user.entry)

    @hiding_frames
    def issue(self, seconds: float, stop: Stop) -> Issued:
        """Log in: refresh the token if it has ended.

        Args:
            seconds: Not heeded by the library: the caller that waits has a limit of its own.
            stop: Heeded before and after.

        Raises:
            ConfigError: The provider is not known, or refuses.
        """
        if stop.is_set():
            raise Interrupted("stopped")
        self._check_authority()
        directory = Path(tempfile.mkdtemp(prefix="btcctl-login-"))
        try:
            return self._log_in(directory)
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def _log_in(self, directory: Path) -> Issued:
        kube_config = self._imported("kubernetes.config.kube_config")
        oauth2 = self._imported("oauthlib.oauth2")
        found = SimpleNamespace(api_key={}, ssl_ca_cert=None, cert_file=None, key_file=None)
        complaints: list[str] = []
        try:
            with _overheard(complaints):
                loader = kube_config.KubeConfigLoader(
                    self._document, active_context=_NAME, temp_file_path=str(directory)
                )
                loader.load_and_set(found)
        except kube_config.ConfigException as error:
            raise ConfigError(f"{self.place}: {error}") from error
        except (HTTPError, oauth2.OAuth2Error, OSError, LookupError, ValueError, TypeError, AttributeError) as error:
            raise ConfigError(f"{self.place}: login failed: {type(error).__name__}: {error}") from error
        if not found.api_key:
            raise ConfigError(f"{self.place}: login failed: {'; '.join(complaints) or 'no credentials came of it'}")
        header = Secret(found.api_key.get("BearerToken", "").strip())
        return Issued(checked_header(header, f"{self.place}: the token"), expires=getattr(loader, "expiry", None))

    def _check_authority(self) -> None:
        """The library has OpenSSL open it, which would wait for a pipe."""
        name = self._document["users"][0]["user"]["auth-provider"]["config"].get("idp-certificate-authority")
        try:
            if name:
                check_file(str(name))
        except OSError as error:
            raise ConfigError(
                f"{self.place}.idp-certificate-authority: {shown_name(str(name))}: {error.strerror}"
            ) from None

    def _imported(self, name: str) -> Any:
        try:
            return import_module(name)
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"{self.place}: logging in by OIDC takes the package kubernetes: pip install 'btcctl[oidc]', or use a "
                "kubeconfig with a token, a certificate or an exec plugin"
            ) from error


def _document(cluster: Cluster, user: User) -> dict[str, Any]:
    """A kubeconfig of one context, which the login may write new tokens into.

    Without a CA of its own an identity provider would be asked unverified; the system's CAs are what other clients
    use then.
    """
    provider = user.auth_provider
    config = {} if provider is None else dict(provider.config)
    if "idp-certificate-authority-data" not in config and (authorities := _system_authorities()):
        config.setdefault("idp-certificate-authority", authorities)
    entry = {"name": "" if provider is None else provider.name, "config": config}
    return {
        "current-context": _NAME,
        "contexts": [{"name": _NAME, "context": {"cluster": _NAME, "user": _NAME}}],
        "clusters": [{"name": _NAME, "cluster": {"server": cluster.server}}],
        "users": [{"name": _NAME, "user": {"auth-provider": entry}}],
    }


def _system_authorities() -> str:
    """The file of the system's CAs, or the one that comes with the kubernetes package; "" without either."""
    try:
        return ssl.get_default_verify_paths().cafile or str(import_module("certifi").where())
    except ModuleNotFoundError:
        return ""


@contextlib.contextmanager
def _overheard(complaints: list[str]) -> Iterator[None]:
    """Keep what the login says to the root logger, instead of letting it be printed."""

    def listen(record: logging.LogRecord) -> bool:
        if record.module != "kube_config":
            return True
        complaints.append(record.getMessage())
        return False

    root = logging.getLogger()
    silent = logging.NullHandler()  # without a handler, logging.error() would install one for good
    root.addHandler(silent)
    root.addFilter(listen)
    try:
        yield
    finally:
        root.removeFilter(listen)
        root.removeHandler(silent)
