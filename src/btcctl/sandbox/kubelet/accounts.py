"""What a pod gets of its ServiceAccount: a token, whom to trust, and where the API server is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from btcctl.errors import ApiError, NotFound
from btcctl.objects import ObjectKey
from btcctl.resources import PODS, SERVICE_ACCOUNTS
from btcctl.rest.client import ApiClient
from btcctl.sandbox.kubelet.pods.env import MissingReferenceError

TOKEN_SECONDS = 30 * 24 * 3600  # files are written when a container starts, and not anew while it runs
MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


@dataclass(frozen=True, slots=True)
class ApiPlace:
    """Where pods find the API server."""

    url: str
    authority: bytes = b""  #: PEM

    @property
    def env(self) -> dict[str, str]:
        """As every pod has it."""
        parts = urlsplit(self.url)
        port = str(parts.port or (443 if parts.scheme == "https" else 80))
        host = parts.hostname or ""
        return {
            "KUBERNETES_SERVICE_HOST": host,
            "KUBERNETES_SERVICE_PORT": port,
            "KUBERNETES_SERVICE_PORT_HTTPS": port,
        }


class Accounts:
    """Asks the API server for tokens, as a kubelet does."""

    def __init__(self, client: ApiClient) -> None:
        self._accounts = client.resource(SERVICE_ACCOUNTS)

    def is_wanted(self, pod: Mapping[str, Any]) -> bool:
        """Whether the pod gets its token although no volume of its own has it; its own word wins."""
        own = pod["spec"].get("automountServiceAccountToken")
        if own is not None:
            return bool(own)
        try:
            account = self._accounts.get(self._key(pod)).body()
        except NotFound:
            return False
        return account.get("automountServiceAccountToken") is not False

    def token(self, pod: Mapping[str, Any], audience: str = "") -> str:
        """A token that holds while the pod is there.

        Raises:
            MissingReferenceError: The API server gives none.
        """
        metadata = pod["metadata"]
        bound = {"apiVersion": PODS.api_version, "kind": PODS.kind, "name": metadata["name"], "uid": metadata["uid"]}
        spec = {
            "expirationSeconds": TOKEN_SECONDS,
            "boundObjectRef": bound,
            "audiences": [audience] if audience else [],
        }
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        try:
            answer = self._accounts.subresource_post(self._key(pod), "token", body)
        except ApiError as error:
            raise MissingReferenceError(f"no token for ServiceAccount {self._key(pod).name}: {error}") from error
        return str(answer["status"]["token"])

    @staticmethod
    def _key(pod: Mapping[str, Any]) -> ObjectKey:
        return ObjectKey(pod["metadata"]["namespace"], pod["spec"].get("serviceAccountName") or "default")
