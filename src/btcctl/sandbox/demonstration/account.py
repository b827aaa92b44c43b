"""The sandbox's operator as its own ServiceAccount: it may do what the shipped roles say, as on a cluster."""

from __future__ import annotations

from btcctl.bitcoin.account import ACCOUNT, load_account
from btcctl.resources import SERVICE_ACCOUNTS
from btcctl.rest.client import ApiClient
from btcctl.rest.credentials import StaticCredentials
from btcctl.sandbox.demonstration.manifests import Applier

_TOKEN_SECONDS = 10 * 365 * 24 * 3600  # as long as the certificate: the sandbox may stay up


def install_account(client: ApiClient, applier: Applier) -> StaticCredentials:
    """Make the account and its roles; returns how to act as it.

    Raises:
        ApiError: The server refuses.
    """
    for manifest in load_account():
        applier.apply(manifest)
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": _TOKEN_SECONDS},
    }
    answer = client.resource(SERVICE_ACCOUNTS).subresource_post(ACCOUNT, "token", body)
    return StaticCredentials.bearer(answer["status"]["token"])
