"""An operator with hooks, running beside an API server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from btcctl import (
    CUSTOM_RESOURCE_DEFINITIONS,
    MUTATING_WEBHOOK_CONFIGURATIONS,
    VALIDATING_WEBHOOK_CONFIGURATIONS,
    ApiClient,
    App,
    AppOptions,
    Invalid,
    Metrics,
    ObjectKey,
    WebhookOptions,
    codecs,
    crd_for,
)
from btcctl.app.app import built
from btcctl.controller.manager import Manager
from btcctl.errors import NotFound
from btcctl.rest.served import wait_until_served
from btcctl.rest.transport.transport import Request
from btcctl.testing.control_plane.ports import free_ports
from btcctl.typed.kinds import type_of
from btcctl.typed.values import body_of
from btcctl.webhooks.webhooks import Webhooks
from tests.integration.api_servers import ApiServer
from tests.integration.support import eventually
from tests.unit.webhooks.volumes import OldVolume, Volume, VolumeSpec, build

PATIENCE = 60.0


@dataclass
class Hooked:
    """One copy of the operator."""

    app: App
    manager: Manager
    metrics: Metrics

    @property
    def webhooks(self) -> Webhooks:
        assert self.app.served_webhooks
        return self.app.served_webhooks


def volume(name: str, size: str, namespace: str, **labels: str) -> Volume:
    return Volume.named(name, VolumeSpec(size), namespace=namespace, labels=labels)


@contextmanager
def definition_served(client: ApiClient) -> Iterator[None]:
    definitions = client.resource(CUSTOM_RESOURCE_DEFINITIONS)
    crd = crd_for(Volume, OldVolume)
    key = definitions.create(crd).key
    try:
        wait_until_served(client, crd["spec"])
        yield
    finally:
        definitions.delete(key)
        definitions.wait_until(key, lambda crd: crd is None, timeout=2 * PATIENCE)


@contextmanager
def operator(
    server: ApiServer, build: Callable[[App], Any] = build, *, name: str = "vol", port: int = 0, **options: Any
) -> Iterator[Hooked]:
    """Until it ends; what it has registered stays, as of a real one."""
    port = port or free_ports(1)[0]
    metrics = Metrics()
    client = ApiClient.from_config(server.config(), field_manager=name)
    webhooks = WebhookOptions(
        f"127.0.0.1:{port}", server.namespace, url=f"https://127.0.0.1:{port}", secret="hooks", **options
    )
    with client:
        app = App(client, name, options=AppOptions(webhooks=webhooks), metrics=metrics)
        manager = built(build, app)
        manager.start()
        try:
            yield Hooked(app, manager, metrics)
        finally:
            manager.stop()


def take_back(client: ApiClient, name: str = "vol") -> None:
    for type_ in (MUTATING_WEBHOOK_CONFIGURATIONS, VALIDATING_WEBHOOK_CONFIGURATIONS):
        try:
            client.resource(type_).delete(ObjectKey("", name))
        except NotFound:
            continue


def wait_until_asked(client: ApiClient, namespace: str) -> None:
    """Until the API server asks before it stores."""
    eventually(lambda: is_asked(client, namespace), PATIENCE)


def is_asked(client: ApiClient, namespace: str) -> bool:
    """Whether it asks both sorts of hooks: of each configuration it hears by itself, as of its authority.

    Raises:
        InternalError: It asks, but does not know the new authority yet.
        ServiceUnavailable: It is taking note of a definition's conversion.
    """
    if would_be(client, volume("probe", "1Gi", namespace)).get("storageClass") != "fast":
        return False
    try:
        would_be(client, volume("probe", "1Mi", namespace))
    except Invalid:
        return True
    return False


def would_be(client: ApiClient, asked: Volume) -> dict[str, Any]:
    """The spec that a volume would be stored with."""
    type_ = type_of(Volume)
    body = codecs.encode({"apiVersion": type_.api_version, "kind": type_.kind, **body_of(asked)})
    path = type_.path(asked.metadata.namespace)
    answer = client.call(Request("POST", path, {"dryRun": "All"}, {"Content-Type": "application/json"}, body))
    spec: dict[str, Any] = codecs.decode(answer.body)["spec"]
    return spec
