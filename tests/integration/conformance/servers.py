"""The two servers that are compared: how to reach each, as whom."""

from __future__ import annotations

import os
import ssl
import subprocess
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
import yaml

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.messages import RequestAttributes

#: A kubeconfig of a real server, for a run without one of our own.
REAL_KUBECONFIG = "BTCCTL_TEST_REAL_KUBECONFIG"
_SECONDS = 30.0
_OPEN = ("/api", "/apis", "/version", "/openapi", "/healthz", "/livez", "/readyz")


@dataclass(frozen=True)
class Server:
    """One of the two.

    Attributes:
        name: `real` or `embedded`.
        tokens: By user: `admin`, who may do everything, and `alice`, who may do what anybody may.
        authority: PEM.
    """

    name: str
    url: str
    tokens: Mapping[str, str]
    authority: str

    def pool(self) -> urllib3.HTTPSConnectionPool:
        """A new pool of connections, to be closed."""
        parts = urlsplit(self.url)
        assert parts.hostname
        return urllib3.HTTPSConnectionPool(
            parts.hostname,
            parts.port,
            ssl_context=ssl.create_default_context(cadata=self.authority),
            timeout=_SECONDS,
            retries=False,
            maxsize=4,
        )


def server_of(kubeconfig: Mapping[str, object] | str, name: str = "real", alice: str = "alicetoken") -> Server:
    """The server that a kubeconfig with a token leads to."""
    read = yaml.safe_load(kubeconfig) if isinstance(kubeconfig, str) else kubeconfig
    cluster, user = read["clusters"][0]["cluster"], read["users"][0]["user"]
    authority = b64decode(cluster["certificate-authority-data"]).decode()
    return Server(name, cluster["server"], {"admin": user["token"], "alice": alice}, authority)


def only_admin(attributes: RequestAttributes) -> str | None:
    """As RBAC without any binding: the admin may do everything, others what everybody may."""
    if attributes.user == "admin":
        return None
    if attributes.path.startswith(_OPEN) or attributes.resource.startswith("selfsubject"):
        return None
    return ""


@contextmanager
def embedded(folder: Path) -> Iterator[Server]:
    """An embedded server over HTTPS, new and empty."""
    certificate, key = _certificate(folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    api = Api(authorizer=only_admin)
    tokens = {"admin": "admintoken", "alice": "alicetoken"}
    users = {token: user for user, token in tokens.items()}
    with EmbeddedServer(api, tls=tls, token="admintoken", users=users) as server:
        yield Server("embedded", server.url, tokens, certificate.read_text())


@contextmanager
def real() -> Iterator[Server]:
    """The real server."""
    given = os.environ.get(REAL_KUBECONFIG)
    assert given, f"no {REAL_KUBECONFIG}"
    yield server_of(Path(given).read_text())


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
