"""The operator over real HTTP, under a role; the nodes are a fake mesh, the pods run by the test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import yaml

from btcctl.apiserver.api import Api
from btcctl.apiserver.endpoints.reviews import FOR_ALL
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.requests.messages import RequestAttributes
from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.operator import OperatorOptions, build_operator
from btcctl.bitcoin.rpc import Credentials
from btcctl.bitcoin.types import BITCOIN_NETWORKS, NetworkStatus, decode_status
from btcctl.controller.manager import Manager
from btcctl.errors import AlreadyExists, ApiError
from btcctl.objects import ObjectKey
from btcctl.resources import (
    CUSTOM_RESOURCE_DEFINITIONS,
    EVENTS,
    PODS,
    SECRETS,
    SERVICES,
    STATEFUL_SETS,
    ResourceType,
)
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.credentials import StaticCredentials
from tests.integration.support import eventually
from tests.unit.bitcoin.fake_mesh import FakeMesh
from tests.unit.bitcoin.pod_runner import PodRunner

SEEDS = Path(__file__).parents[1] / "data/seeds"
MANIFESTS = Path(__file__).parents[3] / "manifests"
KEY = ObjectKey("default", "my-network")
CONTROLLER = "system:serviceaccount:bitcoin-controller:bitcoin-controller-sva"
OPTIONS = OperatorOptions(poll_min_seconds=0.05, poll_max_seconds=0.2, resync_seconds=0.0)
FORBIDDEN = 403
WRITES = {"create", "update", "patch", "delete", "deletecollection"}


def objects(path: Path) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]


class Role:
    """Allows what the rules of a ClusterRole allow, and in their namespaces those of Roles, as RBAC does."""

    def __init__(self, path: Path) -> None:
        roles = [each for each in objects(path) if each["kind"] in {"ClusterRole", "Role"}]
        self._rules = [(each["metadata"].get("namespace"), rule) for each in roles for rule in each["rules"]]
        self._rules += [(None, dict(rule)) for rule in FOR_ALL.resources]

    def __call__(self, asked: RequestAttributes) -> str | None:
        rules = (rule for namespace, rule in self._rules if namespace in {None, asked.namespace})
        if asked.user != CONTROLLER or asked.path or any(self._allows(rule, asked) for rule in rules):
            return None
        return "no rule"

    @staticmethod
    def _allows(rule: dict[str, Any], asked: RequestAttributes) -> bool:
        resource = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
        named = "resourceNames" not in rule or asked.name in rule["resourceNames"]
        return (
            asked.group in rule["apiGroups"] and resource in rule["resources"] and asked.verb in rule["verbs"] and named
        )


class Asked(NamedTuple):
    """What the controller asked the server for, and the answer's status, as the server tells it."""

    verb: str
    resource: str
    subresource: str
    status: int


class Overheard(Protocol):
    """Everything the controller has asked for."""

    def asked(self) -> list[Asked]: ...


class Operated:
    """One cluster, a person with all rights, the operator with its role's."""

    def __init__(self, admin: ApiClient, controller: ApiClient, overheard: Overheard) -> None:
        self._overheard = overheard
        self._forgotten = 0
        self.admin = admin
        self.controller = controller
        self.mesh = FakeMesh(Credentials("bc-user", "bc-password"))
        self.pods = PodRunner(self.admin, self.mesh, KEY)
        self.networks = self.admin.resource(BITCOIN_NETWORKS, KEY.namespace)

    def install(self, *files: Path) -> None:
        for body in (load_crd(), *(each for file in files for each in objects(file))):
            type_ = {"CustomResourceDefinition": CUSTOM_RESOURCE_DEFINITIONS, "Secret": SECRETS}.get(
                body["kind"], BITCOIN_NETWORKS
            )
            with suppress(AlreadyExists):  # the definition stays from test to test on the real server
                self.admin.resource(type_, KEY.namespace if type_.namespaced else "").create(body)
            if type_ == CUSTOM_RESOURCE_DEFINITIONS:
                eventually(lambda: is_served(self.admin))

    @contextmanager
    def operator(self, options: OperatorOptions = OPTIONS) -> Iterator[Manager]:
        manager = build_operator(self.controller, options, rpc_for=self.mesh.rpc_for)
        manager.start()
        try:
            yield manager
        finally:
            manager.stop()

    def bring_up(self) -> None:
        """Run the pods once they are asked for, and wait until the network says that it is ready."""
        eventually(self.pods.is_asked_for)
        self.pods.run_all()
        eventually(self.is_ready)

    def is_ready(self) -> bool:
        condition = self.status.condition("Ready")
        return condition is not None and condition.is_true and self.status.ready_nodes == self.nodes

    @property
    def nodes(self) -> int:
        return int(self.networks.get(KEY).body()["spec"]["nodes"])

    @property
    def status(self) -> NetworkStatus:
        self.pods.heed_gates()
        return decode_status(self.networks.get(KEY))

    def reason(self, type_: str) -> str:
        condition = self.status.condition(type_)
        return condition.reason if condition else ""

    def event_reasons(self) -> set[str]:
        events, _ = self.admin.resource(EVENTS, KEY.namespace).list()
        return {event.body()["reason"] for event in events}

    def patch(self, type_: ResourceType, key: ObjectKey, patch: dict[str, Any]) -> None:
        self.admin.resource(type_).patch(key, patch)

    def forget_requests(self) -> None:
        self._forgotten = len(self._overheard.asked())

    def asked(self) -> list[Asked]:
        """By the controller, since the beginning or `forget_requests`."""
        return self._overheard.asked()[self._forgotten :]

    def refused(self) -> set[tuple[str, str]]:
        return {(each.verb, each.resource) for each in self.asked() if each.status == FORBIDDEN}

    def writes(self) -> list[Asked]:
        return [each for each in self.asked() if each.verb in WRITES and not each.resource.endswith("reviews")]

    def versions(self) -> dict[str, str]:
        """Of everything that a network consists of."""
        types = (BITCOIN_NETWORKS, SERVICES, STATEFUL_SETS, PODS, EVENTS, SECRETS)
        found = [each for type_ in types for each in self.admin.resource(type_, KEY.namespace).list()[0]]
        return {each.uid: each.resource_version for each in found}


def is_served(client: ApiClient) -> bool:
    try:
        client.resource(BITCOIN_NETWORKS).list()
    except ApiError:
        return False
    return True


class _Observer:
    """Notes what the embedded server says of the controller's requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: list[Asked] = []

    def __call__(self, asked: RequestAttributes, status: int) -> None:
        if asked.user == CONTROLLER:
            with self._lock:
                self._asked.append(Asked(asked.verb, asked.resource, asked.subresource, status))

    def asked(self) -> list[Asked]:
        with self._lock:
            return list(self._asked)


@contextmanager
def operated(folder: Path) -> Iterator[Operated]:
    """An embedded server where the controller may do what the rbac.yaml in a folder says."""
    observer = _Observer()
    api = Api(authorizer=Role(folder / "rbac.yaml"), observer=observer)
    server = EmbeddedServer(api, token="admin", users={"controller": CONTROLLER})
    with server, _client(server, "admin") as admin, _client(server, "controller") as controller:
        yield Operated(admin, controller, observer)


def _client(server: EmbeddedServer, token: str) -> ApiClient:
    return ApiClient.from_config(ClientConfig(server.url, credentials=StaticCredentials(f"Bearer {token}")))
