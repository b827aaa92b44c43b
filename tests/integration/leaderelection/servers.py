"""API servers that write down who asked for what, and when: the embedded one, and a real one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.requests.messages import ApiRequest, ApiResponse, Response
from btcctl.clock import SYSTEM_CLOCK
from btcctl.resources import LEASES, ROLE_BINDINGS, ROLES, SERVICE_ACCOUNTS
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.credentials import StaticCredentials
from btcctl.rest.loading import load_config
from btcctl.testing.control_plane import ControlPlane
from tests.integration.api_servers import ADMIN
from tests.integration.audit import AuditLog

USERS = ("a", "b")


@dataclass(frozen=True)
class Seen:
    """One request as the server's audit has it."""

    user: str
    verb: str  #: PUT and so on
    resource: str
    status: int
    received: float  #: seconds of the time of day
    name: str  #: its User-Agent: the number of the process, a dot, and what tells it from others

    @property
    def process(self) -> str:
        return self.name.partition(".")[0]


class Audited(Protocol):
    """A server with a namespace in which two users may write."""

    url: str

    def token(self, user: str) -> str: ...

    def client(self) -> ApiClient: ...

    def audit(self) -> list[Seen]:
        """Of the two users, in the order of arrival."""


class _AuditedApi(Api):
    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()  # guards the list
        self.seen: list[Seen] = []

    def handle(self, request: ApiRequest) -> Response:
        received = SYSTEM_CLOCK.wall_time().timestamp()
        response = super().handle(request)
        status = response.status if isinstance(response, ApiResponse) else 200
        resource = next((each for each in ("leases", "configmaps") if f"/{each}" in request.path), "")
        name = request.headers.get("user-agent", "")
        with self._lock:
            self.seen.append(Seen(request.user, request.method, resource, status, received, name))
        return response


class EmbeddedAudited:
    """In this process."""

    def __init__(self) -> None:
        self._api = _AuditedApi()
        self._server = EmbeddedServer(self._api, token=ADMIN, users={user: user for user in USERS})

    @property
    def url(self) -> str:
        return self._server.url

    def token(self, user: str) -> str:
        return user

    def client(self) -> ApiClient:
        return ApiClient.from_config(ClientConfig(self.url, credentials=StaticCredentials.bearer(ADMIN)))

    def audit(self) -> list[Seen]:
        return sorted((each for each in list(self._api.seen) if each.user in USERS), key=lambda each: each.received)

    @contextmanager
    def serving(self) -> Iterator[EmbeddedAudited]:
        with self._server:
            yield self


class RealAudited:
    """kube-apiserver; the two users are ServiceAccounts under RBAC."""

    def __init__(self, plane: ControlPlane, log: AuditLog, namespace: str) -> None:
        self._plane = plane
        self._log = log
        self._namespace = namespace
        self.url = plane.url

    def token(self, user: str) -> str:
        config = load_config(self._plane.service_account_kubeconfig(self._namespace, user))
        return config.credentials.authorization().removeprefix("Bearer ")

    def client(self) -> ApiClient:
        return self._plane.client()

    def allow(self) -> None:
        """What `manifests/rbac.yaml` grants of leases, and the work."""
        rules = [
            {"apiGroups": [LEASES.group], "resources": ["leases"], "verbs": ["get", "create", "update"]},
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]},
        ]
        admin = self.client()
        for user in USERS:
            account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": user}}
            admin.resource(SERVICE_ACCOUNTS, self._namespace).create(account)
        metadata = {"name": "writers"}
        role = {"apiVersion": ROLES.api_version, "kind": "Role", "metadata": metadata, "rules": rules}
        admin.resource(ROLES, self._namespace).create(role)
        binding = {
            "apiVersion": ROLES.api_version,
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": ROLES.group, "kind": "Role", "name": "writers"},
            "subjects": [{"kind": "ServiceAccount", "name": user, "namespace": self._namespace} for user in USERS],
        }
        admin.resource(ROLE_BINDINGS, self._namespace).create(binding)

    def audit(self) -> list[Seen]:
        found = [_seen(user, each) for user in USERS for each in self._log.records(self._account(user))]
        return sorted(found, key=lambda each: each.received)

    def _account(self, user: str) -> str:
        return f"system:serviceaccount:{self._namespace}:{user}"


def _seen(user: str, record: dict[str, Any]) -> Seen:
    received = datetime.fromisoformat(record["requestReceivedTimestamp"]).timestamp()
    resource = (record.get("objectRef") or {}).get("resource", "")
    method = {"update": "PUT", "create": "POST", "patch": "PATCH"}.get(record["verb"], "GET")
    return Seen(user, method, resource, record["responseStatus"]["code"], received, record.get("userAgent", ""))
