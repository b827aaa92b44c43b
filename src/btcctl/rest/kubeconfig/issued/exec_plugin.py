"""Credentials from a program that the kubeconfig names: what it is given, and what its answer must be.

Source: https://kubernetes.io/docs/reference/config-api/client-authentication.v1/
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from btcctl import codecs
from btcctl.errors import BtcctlError, ConfigError
from btcctl.logging import scrub
from btcctl.rest.config.tls import Tls
from btcctl.rest.credentials import checked_header
from btcctl.rest.kubeconfig.fields import Cluster, Entry, Exec, User
from btcctl.rest.kubeconfig.issued.plugin_process import Output, PluginFailed, PluginMissing, run
from btcctl.rest.kubeconfig.merging import Found
from btcctl.rest.kubeconfig.static import contents
from btcctl.secret import SHOWN, Secret, SecretBytes, SecretMapping, hiding_frames
from btcctl.threads import Stop

GROUP = "client.authentication.k8s.io"
VERSIONS = frozenset({f"{GROUP}/v1", f"{GROUP}/v1beta1"})
MODES = frozenset({"Never", "IfAvailable", "Always"})
EXTENSION = f"{GROUP}/exec"  # of a cluster: handed to the plugin as it is
_MAX_WORDS = 500
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[-+]\d\d:\d\d)")
# In what a plugin says: `password: x`, `token=x`, and words of the alphabets that tokens are written in.
_NAMED_SECRET = re.compile(r"(?i)((?:passw\w*|secret\w*|\w*token\w*|\w*key\w*|credential\w*)[\"']?\s*[=:]\s*)\S+")
_LONG_WORD = re.compile(r"[A-Za-z0-9_\-+/=.]{32,}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Issued:
    """What a login came to."""

    header: str = field(repr=False)  #: for Authorization; "" for none
    client_data: bytes | None = field(default=None, repr=False)  #: PEM: certificate chain, then key
    expires: datetime | None = None  #: aware, in UTC


class _Status(Entry, frozen=True, rename="camel"):
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None
    expiration_timestamp: str | None = None


class _Answer(Entry, frozen=True, rename="camel"):
    api_version: str = ""
    kind: str = ""
    status: _Status | None = None


_ANSWERS = codecs.decoder_of(_Answer)


class ExecPlugin:
    """One user's plugin.

    Args:
        user: Has an `exec` entry.
        cluster: Told to the plugin if its entry asks for that.
        tls: The cluster's.

    Raises:
        ConfigError: The entry is not usable.
    """

    def __init__(self, user: Found[User], cluster: Found[Cluster], tls: Tls) -> None:
        self._exec = _checked(user)
        self.place = user.at("exec")
        self._cluster = _cluster_info(cluster, tls) if self._exec.provide_cluster_info else None

    @property
    def is_interactive(self) -> bool:
        """Whether it may ask a person.

        Raises:
            ConfigError: It has to ask a person, and there is no terminal.
        """
        has_terminal = sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()
        mode = self._exec.interactive_mode
        if mode == "Always" and not has_terminal:
            raise ConfigError(f"{self.place}: interactiveMode is Always, and standard input is no terminal")
        return has_terminal and mode != "Never"

    @hiding_frames
    def issue(self, seconds: float, stop: Stop) -> Issued:
        """Run it. Blocks.

        Args:
            seconds: How long it may take.
            stop: Has it killed.

        Raises:
            ConfigError: It failed, or its answer is unusable; with its own words, without secrets.
            Interrupted: `stop` was set.
        """
        is_interactive = self.is_interactive
        argv = [self._exec.command, *(each or "" for each in self._exec.args)]
        environ = SecretMapping(self._environ(is_interactive))
        try:
            output = run(argv, environ, seconds=seconds, stop=stop, is_interactive=is_interactive)
        except PluginMissing as error:
            raise self._failure(f"{error}{self._hint()}") from error
        except PluginFailed as error:
            raise self._failure(str(error)) from error
        if output.code != 0:
            raise self._failure(f"{self._ending(output.code)}{self._words(output)}{self._hint()}")
        return self._issued(output)

    def _environ(self, is_interactive: bool) -> dict[str, str]:
        """Ours, the entry's, and what the plugin is to know of the cluster."""
        spec: dict[str, Any] = {"interactive": is_interactive}
        if self._cluster is not None:
            spec["cluster"] = self._cluster
        info = {"kind": "ExecCredential", "apiVersion": self._exec.api_version, "spec": spec}
        own = {each.name: each.value for each in self._exec.env if each is not None}
        return {**os.environ, **own, "KUBERNETES_EXEC_INFO": json.dumps(info)}

    def _issued(self, output: Output) -> Issued:
        try:
            answer = _ANSWERS.decode(output.answer)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            is_typed = isinstance(error, msgspec.ValidationError)
            raise self._failure(f"its answer is no ExecCredential: {error if is_typed else 'not JSON'}") from None
        if answer.kind != "ExecCredential" or answer.api_version != self._exec.api_version:
            raise self._failure(
                f"it answered with {answer.kind or 'no kind'!r} of {answer.api_version or 'no apiVersion'!r}, "
                f"and exec.apiVersion says {self._exec.api_version}"
            )
        status = answer.status or _Status()
        certificate, key = status.client_certificate_data or "", status.client_key_data or ""
        if bool(certificate) != bool(key):
            raise self._failure("it answered with a certificate without its key, or the reverse")
        if not status.token and not certificate:
            raise self._failure("it answered with neither a token nor a certificate")
        token = (status.token or "").strip()
        return Issued(
            checked_header(Secret(f"Bearer {token}" if token else ""), f"{self.place}: the plugin's token"),
            SecretBytes(f"{certificate}\n{key}".encode()) if certificate else None,
            self._expiry(status.expiration_timestamp),
        )

    def _expiry(self, text: str | None) -> datetime | None:
        if text is None:
            return None
        try:
            if _RFC3339.fullmatch(text):
                return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise self._failure(f"its expirationTimestamp {text[:40]!r} is no time like 2030-01-31T12:00:00Z")

    def _failure(self, reason: str) -> BtcctlError:
        return ConfigError(f"{self.place}: login failed: {self._exec.command}: {reason}")

    def _hint(self) -> str:
        hint = _CONTROL.sub("", self._exec.install_hint).strip()
        return f"; {hint}" if hint else ""

    @staticmethod
    def _ending(code: int) -> str:
        return f"exit status {code}" if code > 0 else f"ended by signal {-code}"

    def _words(self, output: Output) -> str:
        secrets = [each.value for each in self._exec.env if each is not None and len(each.value) > 3]
        words = without_secrets(output.words.decode(errors="replace"), secrets)
        return f": {words}" if words else ""


def without_secrets(words: str, secrets: list[str]) -> str:
    """What a program has said, on one line, shortened, without what looks like a credential."""
    for each in secrets:
        words = words.replace(each, SHOWN)
    words = " ".join(_CONTROL.sub("", words).split())
    words = _LONG_WORD.sub(SHOWN, _NAMED_SECRET.sub(rf"\1{SHOWN}", str(scrub(words))))
    return words if len(words) <= _MAX_WORDS else f"… {words[-_MAX_WORDS:]}"


def _checked(user: Found[User]) -> Exec:
    entry, place = user.entry.exec or Exec(), user.at("exec")
    if not entry.command:
        raise ConfigError(f"{place}.command is missing: which program gives the credentials?")
    if entry.api_version not in VERSIONS:
        raise ConfigError(
            f"{place}.apiVersion {entry.api_version!r} is not supported; use one of {', '.join(sorted(VERSIONS))}"
        )
    if any(each is None or not each.name for each in entry.env):
        raise ConfigError(f"{place}.env has an entry without a name")
    # kubectl demands it of v1; without it plugins get what they got under v1beta1.
    mode = entry.interactive_mode or "IfAvailable"
    if mode not in MODES:
        raise ConfigError(f"{place}.interactiveMode {mode!r} is none of {', '.join(sorted(MODES))}")
    return msgspec.structs.replace(entry, interactive_mode=mode)


def _cluster_info(found: Found[Cluster], tls: Tls) -> dict[str, Any]:
    """As client-go/rest/exec.go has it: a CA file is read, empty fields are left out."""
    cluster = found.entry
    authority = tls.ca_data or contents(tls.ca_file, found.at("certificate-authority"))
    extensions = {each.name: each.extension for each in cluster.extensions if each is not None}
    info = {
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": base64.b64encode(authority).decode() if authority else "",
        "proxy-url": cluster.proxy_url,
        "disable-compression": cluster.disable_compression,
        "config": extensions.get(EXTENSION),
    }
    return {"server": cluster.server, **{name: value for name, value in info.items() if value}}
