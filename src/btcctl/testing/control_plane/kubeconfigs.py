"""Kubeconfigs for the users of a control plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from btcctl.apiserver.network.kubeconfig import certificate_kubeconfig, kubeconfig
from btcctl.testing.control_plane.pki import KeyPair


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an API server is, and whom to trust there."""

    url: str
    authority: bytes = b""  #: PEM; empty for the system's


def with_certificate(endpoint: Endpoint, user: str, pair: KeyPair) -> dict[str, Any]:
    """A kubeconfig whose user shows a client certificate."""
    return certificate_kubeconfig(
        endpoint.url, certificate=pair.certificate, key=pair.key, authority=endpoint.authority, user=user
    )


def with_token(endpoint: Endpoint, user: str, token: str, namespace: str) -> dict[str, Any]:
    """A kubeconfig whose user sends a bearer token."""
    return kubeconfig(endpoint.url, token=token, authority=endpoint.authority, namespace=namespace, user=user)
