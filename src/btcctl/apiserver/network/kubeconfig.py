"""Writes the kubeconfig that leads clients to an embedded server."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import yaml

_NAME = "btcctl"
_OURS_ONLY = 0o600  # the token is in it


def kubeconfig(url: str, *, token: str = "", authority: bytes = b"", namespace: str = "default") -> dict[str, Any]:
    """A kubeconfig of one cluster, one user and one context.

    Args:
        url: The server.
        token: "" if it asks for none.
        authority: The PEM certificates to trust, for an https URL.
        namespace: What kubectl uses when given none.
    """
    cluster: dict[str, Any] = {"server": url}
    if authority:
        cluster["certificate-authority-data"] = base64.b64encode(authority).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _NAME, "cluster": cluster}],
        "users": [{"name": _NAME, "user": {"token": token} if token else {}}],
        "contexts": [{"name": _NAME, "context": {"cluster": _NAME, "user": _NAME, "namespace": namespace}}],
        "current-context": _NAME,
    }


def write_kubeconfig(path: Path, config: dict[str, Any]) -> None:
    """Write it for the owner's eyes only, in one step: a reader never sees half of it.

    Raises:
        OSError: It cannot be written.
    """
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OURS_ONLY), "w") as file:
        yaml.safe_dump(config, file, sort_keys=False)
    fresh.replace(path)
