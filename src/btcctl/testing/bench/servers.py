"""The API servers that a test may run on: FakeClient's, the embedded one over HTTP, a real one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from typing import Any, Protocol

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.webhooks.calling import Local
from btcctl.errors import AlreadyExists, NotFound
from btcctl.objects import Object, ObjectKey
from btcctl.resources import CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES, ResourceType
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.http import HttpTransport
from btcctl.rest.loading import load_config
from btcctl.rest.served import wait_until_served
from btcctl.rest.transport.transport import Transport
from btcctl.testing.bench.clock import JumpingClock
from btcctl.testing.control_plane import ControlPlane
from btcctl.testing.definitions import definitions_for
from btcctl.testing.fake_client import FakeClient
from btcctl.typed.kinds import AnyKind

_GONE_SECONDS = 30.0


class BenchServer(Protocol):
    """One of them.

    Attributes:
        transport: For the operator's client.
        admin: For the test, and for what stands in for the rest of a cluster.
        is_immediate: What is written is at once in every watch.
        local_hooks: Who answers for webhooks in this process, by their address; None: they are asked over HTTPS.
    """

    transport: Transport
    admin: ApiClient
    is_immediate: bool
    local_hooks: dict[str, Local] | None

    def prepare(self, kinds: Iterable[AnyKind | Mapping[str, Any]], objects: Iterable[Mapping[str, Any]]) -> None:
        """Have it serve these kinds, and hold these objects."""

    def close(self) -> None:
        """End it, or leave it as it was."""


class FakeServer:
    """In the test's thread."""

    is_immediate = True

    def __init__(self, clock: JumpingClock) -> None:
        self._fake = FakeClient(clock=clock, field_manager="test")
        self.admin: ApiClient = self._fake
        self.transport = self._fake.transport
        self.local_hooks: dict[str, Local] | None = self._fake.api.admission.local_hooks

    def prepare(self, kinds: Iterable[AnyKind | Mapping[str, Any]], objects: Iterable[Mapping[str, Any]]) -> None:
        for each in definitions_for(kinds):
            self._fake.add(each)
        for each in objects:
            self._fake.add(each)

    def close(self) -> None:
        """It goes with the test."""


class HttpServer:
    """Over HTTP. What `prepare` has made is taken away again."""

    is_immediate = False
    local_hooks: dict[str, Local] | None = None

    def __init__(self, config: ClientConfig) -> None:
        self._ending = ExitStack()
        self.transport: Transport = HttpTransport(config)
        self._ending.callback(self.transport.close)
        self.admin = self._ending.enter_context(ApiClient.from_config(config, field_manager="test"))

    def prepare(self, kinds: Iterable[AnyKind | Mapping[str, Any]], objects: Iterable[Mapping[str, Any]]) -> None:
        definitions = self.admin.resource(CUSTOM_RESOURCE_DEFINITIONS)
        for definition in definitions_for(kinds):
            made = definitions.create(definition)
            self._ending.callback(_delete_definition, self.admin, made)
            wait_until_served(self.admin, made.body()["spec"])
        for each in objects:
            self._put(each)

    def close(self) -> None:
        self._ending.close()

    def _put(self, body: Mapping[str, Any]) -> None:
        metadata = body.get("metadata") or {}
        type_ = self.admin.type_of(str(body.get("apiVersion")), str(body.get("kind")))
        if type_.namespaced:
            self._have_namespace(metadata.get("namespace") or "")
        made = self.admin.resource(type_).create(body)
        if "status" in body:
            self.admin.resource(type_).update_status({**made.body(), "status": body["status"]})
        self._ending.callback(_delete, self.admin, type_, made.key)

    def _have_namespace(self, name: str) -> None:
        try:
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self.admin.resource(NAMESPACES).create(body)
        except AlreadyExists:
            return


class EmbeddedHttpServer(HttpServer):
    """The embedded server, with sockets and threads."""

    def __init__(self) -> None:
        server = EmbeddedServer(Api())
        server.start()
        with ExitStack() as failing:
            failing.callback(server.stop)
            super().__init__(ClientConfig(server.url))
            failing.push(self._ending)  # ends before the server does
            self._ending = failing.pop_all()


class RealServer(HttpServer):
    """A real kube-apiserver, which tests share."""

    def __init__(self, plane: ControlPlane) -> None:
        super().__init__(load_config(plane.kubeconfig()))


def _delete_definition(admin: ApiClient, crd: Object) -> None:
    definitions = admin.resource(CUSTOM_RESOURCE_DEFINITIONS)
    if len(crd.body()["spec"]["versions"]) > 1:  # who converts has ended, too, and what cannot be read cannot go
        definitions.patch(crd.key, {"spec": {"conversion": {"strategy": "None", "webhook": None}}})
    definitions.delete(crd.key)
    # Its objects go with it, but for finalizers, and the operator that would take them away has ended.
    objects = admin.resource(_stored_type(crd))
    with suppress(NotFound):  # the kind may be gone by now
        for each in objects.list()[0]:
            if each.finalizers:
                objects.patch(each.key, {"metadata": {"finalizers": None}})
    definitions.wait_until(crd.key, lambda there: there is None, timeout=_GONE_SECONDS)


def _stored_type(crd: Object) -> ResourceType:
    spec = crd.body()["spec"]
    [version] = [each["name"] for each in spec["versions"] if each["storage"]]
    return ResourceType.defined_by(spec, version)


def _delete(admin: ApiClient, type_: ResourceType, key: ObjectKey) -> None:
    try:
        admin.resource(type_).delete(key)
    except NotFound:
        return
