"""Kubeconfigs for the users of a control plane."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from btcctl.testing.control_plane.pki import KeyPair

_OURS_ONLY = 0o600
_NAME = "control-plane"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an API server is, and whom to trust there."""

    url: str
    authority: bytes = b""  #: PEM; empty for the system's

    def as_cluster(self) -> dict[str, Any]:
        """The kubeconfig's `cluster`."""
        cluster: dict[str, Any] = {"server": self.url}
        if self.authority:
            cluster["certificate-authority-data"] = _base64(self.authority)
        return cluster


def with_certificate(endpoint: Endpoint, user: str, pair: KeyPair) -> dict[str, Any]:
    """A kubeconfig whose user shows a client certificate."""
    shown = {"client-certificate-data": _base64(pair.certificate), "client-key-data": _base64(pair.key)}
    return _config(endpoint, user, shown, "default")


def with_token(endpoint: Endpoint, user: str, token: str, namespace: str) -> dict[str, Any]:
    """A kubeconfig whose user sends a bearer token."""
    return _config(endpoint, user, {"token": token}, namespace)


def write(path: Path, config: dict[str, Any]) -> None:
    """For the owner's eyes only."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OURS_ONLY), "w") as file:
        yaml.safe_dump(config, file, sort_keys=False)


def _config(endpoint: Endpoint, user: str, credentials: dict[str, str], namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _NAME, "cluster": endpoint.as_cluster()}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": _NAME, "context": {"cluster": _NAME, "user": user, "namespace": namespace}}],
        "current-context": _NAME,
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
