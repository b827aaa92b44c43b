"""A look at a network that is as it was begins with its nodes, and goes through the rest once they have answered."""

from __future__ import annotations

import pytest

from btcctl.bitcoin.children import NETWORK_LABEL
from btcctl.bitcoin.mesh import Mesh, MeshGoal
from btcctl.bitcoin.operator import BY_NETWORK, network_keys, versions_in
from btcctl.bitcoin.passes import InlinePasses, Seen
from btcctl.controller.reconciling.result import Result
from btcctl.errors import TransportError
from btcctl.informers.cache.indexer import Indexer
from btcctl.informers.cache.lister import Lister
from btcctl.objects import Object, ObjectKey
from btcctl.resources import SECRETS
from btcctl.testing.fake_client import Action
from tests.unit.bitcoin.builders import network_body, secret_body
from tests.unit.bitcoin.world import World

KEY = ObjectKey("default", "net")
LATER = Result(requeue_after=30, background=True)


class Repeated:
    """Passes of which the next one is begun when it is asked for, and over when it is looked for."""

    def __init__(self, world: World) -> None:
        self.may_begin = True  # there is nothing to tell first
        self.begun: list[tuple[frozenset[str], frozenset[str]]] = []
        self._inner = InlinePasses(Mesh(world.mesh.rpc_for, clock=world.clock))

    def look(self, key: ObjectKey, goal: MeshGoal) -> Seen:
        return self._inner.look(key, goal)

    def again(self, _key: ObjectKey, gone: frozenset[str], suspects: frozenset[str]) -> bool:
        if self.may_begin:
            self.begun.append((gone, suspects))
        return self.may_begin

    def forget(self, key: ObjectKey) -> None:
        self._inner.forget(key)


def with_secret() -> World:
    """A settled network that names a Secret."""
    world = World(network_body(nodes=2, secret="rpc"), secret_body("rpc", BC_RPC_USER="u", BC_RPC_PASSWORD="p"))
    world.reconcile()
    world.run_pods()
    world.settle()
    return world


def broken(action: Action) -> None:
    if action.type == SECRETS:
        raise TransportError("the server is gone")


def looked_at(world: World) -> Repeated:
    """The network, reconciled once by a controller that has just begun."""
    passes = Repeated(world)
    world.restart_controller(passes)
    world.reconcile()
    world.client.clear_actions()
    return passes


def secret_reads(world: World) -> list[Action]:
    return [each for each in world.client.actions if each.type == SECRETS]


def test_as_long_as_nothing_has_changed_only_the_nodes_are_asked() -> None:
    world = with_secret()
    passes = looked_at(world)
    assert (world.reconcile(), len(passes.begun)) == (LATER, 1)
    assert secret_reads(world) == []


def test_what_has_changed_is_acted_upon_before_the_nodes_are_asked() -> None:
    world = with_secret()
    passes = looked_at(world)
    world.version += 1
    world.reconcile()
    assert (len(secret_reads(world)), passes.begun) == (1, [])


def test_after_a_failure_all_is_gone_through_again() -> None:
    world = with_secret()
    passes = looked_at(world)
    passes.may_begin = False
    world.client.reactors.append(broken)
    with pytest.raises(TransportError):
        world.reconcile()
    world.client.reactors.clear()
    passes.may_begin = True
    world.reconcile()
    assert passes.begun == []


def child(type_name: str, version: str, network: str = "net") -> Object:
    labels = {NETWORK_LABEL: network}
    metadata = {"name": f"{type_name}-{network}", "namespace": "default", "uid": type_name, "labels": labels}
    return Object.from_body({"metadata": {**metadata, "resourceVersion": version}})


def test_what_there_is_of_a_network_differs_as_soon_as_anything_of_it_does() -> None:
    networks, pods, services = (Indexer(name) for name in ("networks", "pods", "services"))
    for each in (pods, services):
        each.add_index(BY_NETWORK, lambda obj: [str(key) for key in network_keys(obj)])
    versions = versions_in(Lister(networks), [Lister(pods), Lister(services)])
    seen = [versions(KEY)]
    for indexer, obj in [
        (networks, Object.from_body({"metadata": {"name": "net", "namespace": "default", "resourceVersion": "1"}})),
        (pods, child("pod", "2")),
        (services, child("service", "3")),
        (pods, child("pod", "4")),
    ]:
        indexer.put(obj)
        seen.append(versions(KEY))
    assert len(set(seen)) == len(seen)
    pods.put(child("pod", "5", "another"))
    assert versions(KEY) == seen[-1]
