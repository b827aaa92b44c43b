"""Users of a cluster that is not ours: its own signer makes their certificates."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Sequence

from btcctl.clock import SYSTEM_CLOCK, Clock, sleep
from btcctl.objects import ObjectKey
from btcctl.resources import ResourceType
from btcctl.rest.client import ApiClient
from btcctl.testing.control_plane.errors import ControlPlaneError
from btcctl.testing.control_plane.pki import KeyPair, make_request

REQUESTS = ResourceType(
    "certificates.k8s.io", "v1", "certificatesigningrequests", "CertificateSigningRequest", namespaced=False
)
SIGNER = "kubernetes.io/kube-apiserver-client"
_VALID_SECONDS = 24 * 3600
_SIGN_SECONDS = 60.0
_POLL_SECONDS = 0.1


def sign_client(client: ApiClient, user: str, groups: Sequence[str], clock: Clock = SYSTEM_CLOCK) -> KeyPair:
    """Request a certificate, approve the request, and wait for the signer.

    Args:
        client: May do all that; a cluster-admin may.

    Raises:
        ControlPlaneError: No signer answers.
        Forbidden: It may not; or the groups include system:masters, which no signer gives away.
    """
    request = make_request(user, groups)
    collection = client.resource(REQUESTS)
    key = ObjectKey("", f"btcctl-{uuid.uuid4().hex[:12]}")
    spec = {
        "request": base64.b64encode(request.certificate).decode(),
        "signerName": SIGNER,
        "usages": ["digital signature", "client auth"],
        "expirationSeconds": _VALID_SECONDS,
    }
    version = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest"}
    collection.create({**version, "metadata": {"name": key.name}, "spec": spec})
    try:
        approved = {"type": "Approved", "status": "True", "reason": "Test", "message": "asked for by a test"}
        collection.patch(key, {"status": {"conditions": [approved]}}, subresource="approval")
        return KeyPair(_wait_for_certificate(client, key, clock), request.key)
    finally:
        collection.delete(key)


def _wait_for_certificate(client: ApiClient, key: ObjectKey, clock: Clock) -> bytes:
    deadline = clock.now() + _SIGN_SECONDS
    while True:
        certificate = client.resource(REQUESTS).get(key).body().get("status", {}).get("certificate")
        if certificate:
            return base64.b64decode(certificate)
        if clock.now() > deadline:
            raise ControlPlaneError(f"no controller of this cluster signs for {SIGNER} within {_SIGN_SECONDS} s")
        sleep(_POLL_SECONDS, clock)
