"""The configuration of a pod: its service account's token and CA, re-read as they rotate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from btcctl.errors import ConfigError
from btcctl.named_files import check_file, read_file, shown_name
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.config.tls import Tls
from btcctl.rest.credentials import TokenFile

# https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
#: Says where they are instead, for a pod that is a mere process and has nothing mounted: `btcctl sandbox` sets it.
DIRECTORY_VARIABLE = "BTCCTL_SERVICE_ACCOUNT"
_HINT = "is automountServiceAccountToken off? Give --kubeconfig FILE to use another configuration"


def is_in_cluster(environ: Mapping[str, str]) -> bool:
    """True if the kubelet's variables say that this process runs in a pod."""
    return bool(environ.get("KUBERNETES_SERVICE_HOST")) and bool(environ.get("KUBERNETES_SERVICE_PORT"))


def directory_of(environ: Mapping[str, str]) -> Path:
    """Where token, CA and namespace are."""
    return Path(environ.get(DIRECTORY_VARIABLE) or SERVICE_ACCOUNT)


def load(environ: Mapping[str, str], directory: Path = SERVICE_ACCOUNT) -> ClientConfig:
    """Build the configuration of this pod.

    Args:
        environ: Has KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT.
        directory: Where `token`, `ca.crt` and `namespace` are mounted.

    Raises:
        ConfigError: A variable, the token or the CA is missing.
    """
    if not is_in_cluster(environ):
        raise ConfigError("not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set")
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ["KUBERNETES_SERVICE_PORT"]
    if not port.isdecimal():
        raise ConfigError(f"KUBERNETES_SERVICE_PORT is {port!r}, not a number: who has set it?")
    credentials = TokenFile(directory / "token", hint=_HINT)
    credentials.authorization()
    ca_file = directory / "ca.crt"
    try:
        check_file(ca_file)
    except OSError as error:
        raise ConfigError(f"CA certificate {shown_name(ca_file)}: {error.strerror}; {_HINT}") from None
    return ClientConfig(
        host=f"https://{_bracketed(host)}:{port}",
        source="in-cluster",
        namespace=_namespace(directory),
        credentials=credentials,
        tls=Tls(ca_file=ca_file, ca_source=f"the service account's {ca_file}"),
    )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _namespace(directory: Path) -> str:
    try:
        return read_file(directory / "namespace").decode().strip() or "default"
    except (OSError, UnicodeDecodeError):
        return "default"
