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
    InternalError,
    Invalid,
    Metrics,
    Object,
    ObjectKey,
    ServiceUnavailable,
    WebhookOptions,
    crd_for,
)
from btcctl.app.app import built
from btcctl.controller.manager import Manager
from btcctl.errors import NotFound
from btcctl.testing.control_plane.ports import free_ports
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
    key = definitions.create(crd_for(Volume, OldVolume)).key
    try:
        definitions.wait_until(key, is_served, timeout=PATIENCE)
        yield
    finally:
        definitions.delete(key)
        definitions.wait_until(key, lambda crd: crd is None, timeout=2 * PATIENCE)


def is_served(crd: Object | None) -> bool:
    conditions = [] if crd is None else (crd.body().get("status") or {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


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
    volumes = client.resource(Volume)

    def is_refused() -> bool:
        try:
            made = volumes.create(volume("probe", "1Mi", namespace))
        except Invalid:
            return True
        except ServiceUnavailable:  # a real server says so while it takes note of a definition's conversion
            return False
        except InternalError as error:  # and this until it has heard of a new certificate authority
            if "failed calling webhook" not in str(error):
                raise
            return False
        volumes.delete(made)
        return False

    eventually(is_refused, PATIENCE)
