"""Writes the kubeconfigs that lead clients to a server of ours, embedded or real."""

from __future__ import annotations

import base64
import contextlib
import os
from pathlib import Path
from typing import Any

import yaml

_NAME = "btcctl"
_OURS_ONLY = 0o600  # the token is in it


def kubeconfig(
    url: str, *, token: str = "", authority: bytes = b"", namespace: str = "default", user: str = _NAME
) -> dict[str, Any]:
    """A kubeconfig whose user sends a bearer token.

    Args:
        url: The server.
        token: "" if it asks for none.
        authority: The PEM certificates to trust, for an https URL.
        namespace: What kubectl uses when given none.
        user: What the file calls it.
    """
    return _config(url, authority, namespace, user, {"token": token} if token else {})


def certificate_kubeconfig(url: str, *, certificate: bytes, key: bytes, authority: bytes, user: str) -> dict[str, Any]:
    """A kubeconfig whose user shows a client certificate; all PEM."""
    shown = {"client-certificate-data": _base64(certificate), "client-key-data": _base64(key)}
    return _config(url, authority, "default", user, shown)


def _config(url: str, authority: bytes, namespace: str, user: str, credentials: dict[str, str]) -> dict[str, Any]:
    """One cluster, one user and one context."""
    cluster: dict[str, Any] = {"server": url}
    if authority:
        cluster["certificate-authority-data"] = _base64(authority)
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _NAME, "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": _NAME, "context": {"cluster": _NAME, "user": user, "namespace": namespace}}],
        "current-context": _NAME,
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def write_kubeconfig(path: Path, config: dict[str, Any]) -> None:
    """Write it for the owner's eyes only, in one step: a reader never sees half of it.

    Raises:
        OSError: It cannot be written.
    """
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(fresh.unlink, missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OURS_ONLY), "w") as file:
            yaml.safe_dump(config, file, sort_keys=False)
        fresh.replace(path)
