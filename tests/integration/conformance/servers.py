"""The two servers that are compared: how to reach each, as whom."""

from __future__ import annotations

import os
import ssl
import subprocess
import tempfile
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
import yaml

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.network.kubeconfig import kubeconfig
from btcctl.apiserver.requests.messages import ADMIN, User
from btcctl.testing.control_plane import ControlPlane

#: A kubeconfig of a real server, for a run without one of our own.
REAL_KUBECONFIG = "BTCCTL_TEST_REAL_KUBECONFIG"
_SECONDS = 30.0


@dataclass(frozen=True)
class Server:
    """One of the two.

    Attributes:
        name: `real` or `embedded`.
        kubeconfigs: By user: `admin`, who may do everything, and `alice`, who may do what anybody
            may. Each has a token or a client certificate.
    """

    name: str
    kubeconfigs: Mapping[str, Mapping[str, Any]]

    def headers(self, user: str) -> dict[str, str]:
        """What shows who one is; for a user that is not known, a token of that name."""
        token = _user(self.kubeconfigs[user]).get("token", "") if user in self.kubeconfigs else user
        return {"Authorization": f"Bearer {token}"} if token else {}

    def pool(self, user: str) -> urllib3.HTTPSConnectionPool:
        """A new pool of a user's connections, to be closed."""
        cluster = next(iter(self.kubeconfigs.values()))["clusters"][0]["cluster"]
        parts = urlsplit(cluster["server"])
        assert parts.hostname
        context = ssl.create_default_context(cadata=b64decode(cluster["certificate-authority-data"]).decode())
        if "client-key-data" in (shown := _user(self.kubeconfigs.get(user, {}))):
            _load(context, shown)
        return urllib3.HTTPSConnectionPool(
            parts.hostname, parts.port, ssl_context=context, timeout=_SECONDS, retries=False, maxsize=4
        )


def _user(kubeconfig: Mapping[str, Any]) -> Mapping[str, str]:
    found: Mapping[str, str] = kubeconfig["users"][0]["user"] if kubeconfig else {}
    return found


def _load(context: ssl.SSLContext, shown: Mapping[str, str]) -> None:
    """Certificates are loaded from files only."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(b64decode(shown["client-certificate-data"]) + b64decode(shown["client-key-data"]))
        file.flush()
        context.load_cert_chain(file.name)


@contextmanager
def embedded(folder: Path) -> Iterator[Server]:
    """An embedded server over HTTPS, new and empty."""
    certificate, key = _certificate(folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    api = Api(authorizer="rbac")
    tokens = {"admin": "admintoken", "alice": "alicetoken"}
    users = {"admintoken": User("admin", ADMIN.groups), "alicetoken": User("alice")}
    with EmbeddedServer(api, tls=tls, token="admintoken", users=users) as server:
        authority = certificate.read_bytes()
        yield Server(
            "embedded",
            {user: kubeconfig(server.url, token=token, authority=authority) for user, token in tokens.items()},
        )


def of(control_plane: ControlPlane) -> Server:
    """The real one."""
    users = ("admin", "alice")
    return Server("real", {user: yaml.safe_load(control_plane.kubeconfig(user).read_text()) for user in users})


@contextmanager
def real() -> Iterator[Server]:
    """A real server: one of our own, or one that runs already."""
    given = os.environ.get(REAL_KUBECONFIG)
    if given:
        yield running(Path(given))
    else:
        with ControlPlane() as control_plane:
            yield of(control_plane)


def running(path: Path) -> Server:
    """The server of a kubeconfig, which knows alice by her token."""
    admin = yaml.safe_load(path.read_text())
    return Server("real", {"admin": admin, "alice": {**admin, "users": [{"user": {"token": "alicetoken"}}]}})


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", str(key), "-out", str(certificate),
        ],
        check=True,
        capture_output=True,
        timeout=30,
    )  # fmt: skip
    return certificate, key
