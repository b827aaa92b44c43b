"""Informers whose server ends, forgets, refuses and changes its mind: nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from btcctl.backoff import ExponentialBackoff
from btcctl.errors import BtcctlError, Forbidden, NotFound, Unauthorized
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.shared_informer import SharedInformer
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS, CUSTOM_RESOURCE_DEFINITIONS, SERVICE_ACCOUNTS, ResourceType
from btcctl.rest.client import ApiClient
from btcctl.rest.collection.resource import Resource
from btcctl.rest.config import in_cluster
from btcctl.testing.control_plane import ControlPlane
from btcctl.threads import Runner, Stop
from tests.integration.api_servers import ALICE, RealApiServer
from tests.integration.apiserver.test_process import config_map
from tests.integration.informers.test_over_http import Mirror
from tests.integration.relay import Relay
from tests.integration.support import eventually

SOON = ReflectorOptions(backoff=ExponentialBackoff(base=0.02, cap=0.1))
RESTART_SECONDS = 60.0


@contextmanager
def informing(resource: Resource) -> Iterator[tuple[SharedInformer, Mirror]]:
    """A synced informer, and a handler that was told of everything it holds."""
    informer, mirror = SharedInformer(resource.lister_watcher(), name="mirrored", options=SOON), Mirror()
    informer.add_handler(mirror)
    with informer:
        eventually(informer.has_synced)
        yield informer, mirror


def listed(resource: Resource) -> dict[str, str]:
    return {obj.name: obj.resource_version for obj in resource.list()[0]}


def held(informer: SharedInformer) -> dict[str, str]:
    return {obj.name: obj.resource_version for obj in informer.lister.list()}


def settle(
    informer: SharedInformer, mirror: Mirror, resource: Resource, seconds: float = RESTART_SECONDS
) -> dict[str, str]:
    """Wait until the cache and the handler know what is true; return that."""
    truth = listed(resource)
    eventually(lambda: held(informer) == mirror.known == truth, seconds)
    return truth


class Writer:
    """Creates, changes and deletes, as long as it is let, whether the server is there or not."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self.acknowledged: set[str] = set()  #: created, and not to be deleted
        self._runner = Runner("writer", self._run)

    def __enter__(self) -> Writer:
        self._runner.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.stop(30.0)

    def _run(self, stop: Stop) -> None:
        number = 0
        while not stop.wait(0.005):
            number += 1
            with suppress(BtcctlError):
                created = self._resource.create(config_map(f"c{number}"))
                self._resource.patch(created.key, {"data": {"n": str(number)}})
                if number % 3:
                    self.acknowledged.add(created.name)
                else:
                    self._resource.delete(created.key)


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_a_server_that_ends_in_mid_stream_and_comes_back_loses_nothing(lasting_api_server: Any, end: str) -> None:
    maps = lasting_api_server.client().resource(CONFIG_MAPS, lasting_api_server.namespace)
    with informing(maps) as (informer, mirror):
        with Writer(maps) as writer:
            eventually(lambda: len(mirror.known) >= 20)
            getattr(lasting_api_server, end)()
            before = len(writer.acknowledged)
            lasting_api_server.restart()
            eventually(lambda: len(writer.acknowledged) >= before + 20, RESTART_SECONDS)
        assert writer.acknowledged <= settle(informer, mirror, maps).keys()


def test_a_watch_that_broke_off_goes_on_where_it_was_without_a_list(lasting_api_server: Any) -> None:
    maps = lasting_api_server.client().resource(CONFIG_MAPS, lasting_api_server.namespace)
    with Relay(lasting_api_server.port) as relay:
        far = lasting_api_server.client(port=relay.port).resource(CONFIG_MAPS, lasting_api_server.namespace)
        maps.create(config_map("a"))
        with informing(far) as (informer, mirror):
            relay.cut()
            maps.delete(maps.create(config_map("b")).key)
            maps.create(config_map("c"))
            relay.mend()
            assert settle(informer, mirror, maps).keys() == {"a", "c"}
            assert informer.statistics().reflector.relists == {}


def test_what_was_missed_and_forgotten_is_found_out_by_a_list(lasting_api_server: Any) -> None:
    maps = lasting_api_server.client().resource(CONFIG_MAPS, lasting_api_server.namespace)
    with Relay(lasting_api_server.port) as relay:
        far = lasting_api_server.client(port=relay.port).resource(CONFIG_MAPS, lasting_api_server.namespace)
        old = maps.create(config_map("a"))
        with informing(far) as (informer, mirror):
            relay.cut()
            maps.delete(old.key)
            maps.create(config_map("b"))
            lasting_api_server.compact()
            lasting_api_server.kill()
            lasting_api_server.restart()
            relay.mend()
            assert "a" not in settle(informer, mirror, maps)
            assert informer.statistics().reflector.relists == {"expired": 1}


def test_a_permission_that_is_taken_and_given_back_costs_time_and_no_change(api_server: Any) -> None:
    maps = api_server.client().resource(CONFIG_MAPS, api_server.namespace)
    with Relay(api_server.port) as relay:
        hers = api_server.client(ALICE, port=relay.port).resource(CONFIG_MAPS, api_server.namespace)
        informer, mirror = SharedInformer(hers.lister_watcher(), name="hers", options=SOON), Mirror()
        informer.add_handler(mirror)
        with informer:
            eventually(lambda: isinstance(informer.last_error, Forbidden))
            api_server.allow(CONFIG_MAPS)
            eventually(informer.has_synced)
            api_server.forbid()
            eventually(lambda: is_refused(informer, relay, Forbidden))
            maps.create(config_map("meanwhile"))
            assert "meanwhile" not in held(informer)
            api_server.allow(CONFIG_MAPS)
            assert "meanwhile" in settle(informer, mirror, maps)
            # It may have begun to poll; nothing else makes a list necessary.
            assert informer.statistics().reflector.relists.keys() <= {"polled"}


def test_a_definition_that_is_deleted_and_made_again_empties_the_cache_and_fills_it(api_server: Any) -> None:
    client = api_server.client()
    type_ = ResourceType(f"{api_server.namespace}.example.org", "v1", "nets", "Net")
    nets = client.resource(type_, api_server.namespace)
    define(client, type_)
    eventually(lambda: is_served(nets))
    old = create_once_served(nets, "old")
    with informing(nets) as (informer, mirror):
        eventually(lambda: mirror.known == {"old": old})
        client.resource(CUSTOM_RESOURCE_DEFINITIONS).delete(ObjectKey("", type_.group_resource))
        eventually(lambda: isinstance(informer.last_error, NotFound))
        eventually(lambda: define(client, type_))
        new = create_once_served(nets, "new")
        eventually(lambda: mirror.known == held(informer) == {"new": new}, RESTART_SECONDS)


def define(client: ApiClient, type_: ResourceType) -> bool:
    """Make it; False if one of that name is still on its way out."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = {"plural": type_.plural, "singular": "net", "kind": type_.kind, "listKind": "NetList"}
    version = {"name": type_.version, "served": True, "storage": True, "schema": schema}
    body = {
        "apiVersion": CUSTOM_RESOURCE_DEFINITIONS.api_version,
        "kind": CUSTOM_RESOURCE_DEFINITIONS.kind,
        "metadata": {"name": type_.group_resource},
        "spec": {"group": type_.group, "scope": "Namespaced", "names": names, "versions": [version]},
    }
    return succeeds(lambda: client.resource(CUSTOM_RESOURCE_DEFINITIONS).create(body))


def create_once_served(nets: Resource, name: str) -> str:
    """Return its version."""
    body = {"apiVersion": nets.type.api_version, "kind": nets.type.kind, "metadata": {"name": name}}
    eventually(lambda: succeeds(lambda: nets.create(body)))
    return nets.get(ObjectKey(nets.namespace, name)).resource_version


def is_served(nets: Resource) -> bool:
    return succeeds(nets.list)


def succeeds(call: Callable[[], object]) -> bool:
    try:
        call()
    except BtcctlError:
        return False
    return True


@pytest.mark.real_server
def test_a_service_account_that_is_made_again_is_believed_once_its_new_token_is_there(
    lone_control_plane: ControlPlane, tmp_path: Path
) -> None:
    with RealApiServer(lone_control_plane) as server, Relay(server.port) as relay:
        accounts = server.client().resource(SERVICE_ACCOUNTS, server.namespace)
        server.allow(CONFIG_MAPS, "reader")
        (tmp_path / "ca.crt").write_bytes(lone_control_plane.authority)
        make_token(server, tmp_path)
        environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(relay.port)}
        with (
            ApiClient.from_config(in_cluster.load(environ, tmp_path)) as client,
            informing(client.resource(CONFIG_MAPS, server.namespace)) as (informer, mirror),
        ):
            accounts.delete(ObjectKey(server.namespace, "reader"))
            eventually(lambda: is_refused(informer, relay, Unauthorized), RESTART_SECONDS)
            make_token(server, tmp_path)
            maps = server.client().resource(CONFIG_MAPS, server.namespace)
            maps.create(config_map("afterwards"))
            assert "afterwards" in settle(informer, mirror, maps, RESTART_SECONDS)
            eventually(lambda: informer.why_silent() == "", RESTART_SECONDS)  # it watches again


def is_refused(informer: SharedInformer, relay: Relay, error: type[BtcctlError]) -> bool:
    """A watch that is open stays so, and one may still be had: of a right that is gone the server hears a moment later,
    and what it has said of a token it remembers for 10 s."""
    if informer.statistics().reflector.watch_opened_at is not None:
        relay.cut()
        relay.mend()
    return isinstance(informer.last_error, error)


def make_token(server: RealApiServer, directory: Path) -> None:
    """Make the account `reader`, and put a token of it where a pod has its own."""
    body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader"}}
    server.client().resource(SERVICE_ACCOUNTS, server.namespace).create(body)
    config = yaml.safe_load(server.plane.service_account_kubeconfig(server.namespace, "reader").read_text())
    (directory / "token").write_text(config["users"][0]["user"]["token"])
