"""The operator dies at every step, and another one goes on from there.

A step is anything that changes something: a write to the API server, or a call that changes a node. To die after one
is to die before the next. Reads leave nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import pytest

from btcctl.bitcoin.children import SECRET_VERSION_ANNOTATION
from btcctl.bitcoin.rpc import Credentials
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.errors import BtcctlError
from btcctl.objects import ObjectKey
from btcctl.resources import SECRETS, SERVICES, STATEFUL_SETS
from tests.unit.bitcoin.builders import NAMESPACE, network_body, secret_body
from tests.unit.bitcoin.fake_mesh import FakeRpc
from tests.unit.bitcoin.world import KEY, WRITES, World

ROUNDS = 30
QUIET_ROUNDS = 3  # after so many in which nothing was done nothing will be
SECRET = ObjectKey(NAMESPACE, "mine")
OLD, NEW = Credentials("user", "old"), Credentials("user", "new")
HEIGHT = 101
_TIMES = {"lastTransitionTime", "resourceVersion", "uid", "creationTimestamp", "managedFields", "generation"}


class Died(BtcctlError):
    """The process is gone: nothing that it still tries happens."""


class Life:
    """Of one operator in one world, until it dies before its n-th step, which may never come."""

    def __init__(self, world: World, step: int) -> None:
        self._world = world
        self._left = step
        self._is_acting = False
        self.made: list[str] = []  #: the kinds of all that was created
        world.client.reactors.append(self._react)
        world.mesh.rpc_for = lambda address, credentials, port=None: _Rpc(world.mesh, address, credentials, self)  # type: ignore[method-assign]
        world.restart_controller()

    @property
    def has_died(self) -> bool:
        return self._left < 0

    def reconcile(self) -> None:
        """Once; if it dies of it, another one is there."""
        before, self._is_acting = self.has_died, True
        try:
            self._world.reconcile()
        except Died:
            assert not before
            self._world.restart_controller()
        finally:
            self._is_acting = False

    def step(self) -> None:
        if self._is_acting:
            was_alive, self._left = self._left >= 0, self._left - 1
            if was_alive and self._left < 0:
                raise Died("killed")

    def _react(self, action: Any) -> None:
        if action.verb in WRITES:
            self.step()
            if self._is_acting and action.verb == "create":
                self.made.append(action.type.kind)


class _Rpc(FakeRpc):
    def __init__(self, mesh: Any, address: str, credentials: Credentials, life: Life) -> None:
        super().__init__(mesh, address, credentials)
        self._life = life

    def call(self, method: str, *params: Any) -> Any:
        self._life.step()
        return super().call(method, *params)


class Machinery:
    """What Kubernetes and the nodes do meanwhile: replace outdated pods one by one, start pods, fetch blocks."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.shortest = HEIGHT  #: the fewest blocks that all nodes together ever had, once they had any

    def turn(self) -> None:
        world = self._world
        if world.pods.is_asked_for():
            self._replace_one()
            self._start()
        elif world.get(BITCOIN_NETWORKS, KEY) is None:
            for pod in world.pods.list():
                world.pods.delete(int(pod.name.rpartition("-")[2]))
        world.pods.heed_gates()
        self._relay()
        world.clock.advance(5)

    def _replace_one(self) -> None:
        """As a StatefulSet does it: from the last to the first, the next only when all others are ready."""
        wanted = self._world.template_annotations().get(SECRET_VERSION_ANNOTATION)
        pods = {int(pod.name.rpartition("-")[2]): pod for pod in self._world.pods.list()}
        if all(self._world.pods.is_ready(each) for each in pods):
            old = [each for each, pod in pods.items() if pod.annotations.get(SECRET_VERSION_ANNOTATION) != wanted]
            if old:
                self._world.pods.delete(max(old))

    def _start(self) -> None:
        """New nodes are started with what the Secret says at that time."""
        world, known = self._world, set(self._world.mesh.listed)
        world.run_pods()
        found = world.get(SECRETS, SECRET)
        for address in set(world.mesh.listed) - known:
            world.mesh.own[address] = OLD if found is None or found.annotations.get("is") != "new" else NEW

    def _relay(self) -> None:
        mesh = self._world.mesh
        mesh.blocks = {address: height for address, height in mesh.blocks.items() if address in mesh.listed}
        if mesh.listed and mesh.blocks:
            self.shortest = min(self.shortest, max(mesh.blocks.values()))
        elif mesh.listed:
            self.shortest = 0
        for link in mesh.links:
            both = [mesh.blocks.get(link.source, 0), mesh.blocks.get(link.target, 0)]
            mesh.blocks |= {link.source: max(both), link.target: max(both)}


def settled(nodes: int) -> tuple[World, Machinery]:
    """A network that is as it should be, with a chain."""
    world, machinery = fresh(nodes)
    for _ in range(6):
        world.reconcile()
        machinery.turn()
    world.mesh.blocks = dict.fromkeys(world.mesh.listed, HEIGHT)
    machinery.shortest = HEIGHT
    for _ in range(4):
        world.reconcile()
        machinery.turn()
    return world, machinery


def fresh(nodes: int) -> tuple[World, Machinery]:
    secret = secret_body("mine", BC_RPC_USER=OLD.user, BC_RPC_PASSWORD=OLD.password)
    world = World(network_body(nodes=nodes, secret="mine"), secret, gated=True)
    machinery = Machinery(world)
    machinery.shortest = 0
    return world, machinery


def create() -> tuple[World, Machinery]:
    return fresh(3)


def scale(nodes: int, to: int) -> tuple[World, Machinery]:
    world, machinery = settled(nodes)
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": to}})
    return world, machinery


def rotate() -> tuple[World, Machinery]:
    world, machinery = settled(2)
    patch = {"stringData": {"BC_RPC_PASSWORD": NEW.password}, "metadata": {"annotations": {"is": "new"}}}
    world.edit(SECRETS, SECRET, patch)
    return world, machinery


def lose_a_node() -> tuple[World, Machinery]:
    world, machinery = settled(3)
    world.delete_pod(1, quietly=True)
    return world, machinery


def lose_children() -> tuple[World, Machinery]:
    world, machinery = settled(3)
    world.client.resource(SERVICES).delete(ObjectKey(NAMESPACE, "net-svc"))
    world.edit(STATEFUL_SETS, ObjectKey(NAMESPACE, "net-sts"), {"spec": {"replicas": 7}})
    return world, machinery


def delete() -> tuple[World, Machinery]:
    world, machinery = settled(2)
    world.networks.delete(KEY)
    return world, machinery


def delete_and_create() -> tuple[World, Machinery]:
    world, machinery = delete()
    machinery.turn()
    world.networks.create(network_body(nodes=3, secret="mine"))
    machinery.shortest = 0
    return world, machinery


Scene = Callable[[], tuple[World, Machinery]]
SCENES: dict[str, tuple[Scene, int]] = {
    "creation": (create, 20),
    "scaling up": (lambda: scale(2, 3), 10),
    "scaling down": (lambda: scale(3, 2), 6),
    "new credentials": (rotate, 10),
    "a lost node": (lose_a_node, 5),
    "lost and changed children": (lose_children, 2),
    "deletion": (delete, 0),
    "a new network of the name of an old one": (delete_and_create, 20),
}


def play(scene: Scene, step: int) -> tuple[World, Machinery, Life]:
    world, machinery = scene()
    life = Life(world, step)
    quiet = 0
    for _ in range(ROUNDS):
        world.forget()
        life.reconcile()
        did = [*world.writes(), *world.mesh.changes]
        before = {each.uid for each in world.pods.list()}
        machinery.turn()
        is_quiet = not did and before == {each.uid for each in world.pods.list()}
        quiet = quiet + 1 if is_quiet else 0
        if quiet == QUIET_ROUNDS:
            return world, machinery, life
    raise AssertionError(f"killed at step {step}, it does not come to rest: {did}")


def state(world: World) -> dict[str, Any]:
    """All that a user sees, but for times, versions and which address a pod has got."""
    names = {pod.body()["status"].get("podIP", ""): pod.name for pod in world.pods.list()}
    kinds = (BITCOIN_NETWORKS, SERVICES, STATEFUL_SETS)
    objects = [each.body() for kind in kinds for each in world.client.resource(kind, NAMESPACE).list()[0]]
    return {
        "objects": _timeless(objects, names),
        "pods": sorted(names.values()),
        "lists": {
            names[node]: sorted(names.get(each, each) for each in its) for node, its in world.mesh.listed.items()
        },
        "links": sorted(
            (names.get(a, a), names.get(b, b)) for a, b in {(each.source, each.target) for each in world.mesh.links}
        ),
        "blocks": {names[node]: world.mesh.blocks.get(node, 0) for node in world.mesh.listed},
    }


def _timeless(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(each, names) for key, each in value.items() if key not in _TIMES}
    if isinstance(value, list):
        return [_timeless(each, names) for each in value]
    return names.get(value, value) if isinstance(value, str) else value


def writes_when_settled(world: World, life: Life) -> Sequence[object]:
    world.forget()
    for _ in range(3):
        life.reconcile()
    return [*world.writes(), *world.mesh.changes]


@pytest.mark.parametrize("name", SCENES)
def test_an_operator_that_is_killed_at_any_step_is_followed_by_one_that_ends_where_it_would_have(name: str) -> None:
    scene, least = SCENES[name]
    world, machinery, life = play(scene, 10_000)
    wanted, made = state(world), sorted(life.made)
    shortest = machinery.shortest
    for step in count():
        world, machinery, life = play(scene, step)
        assert (step, state(world)) == (step, wanted)
        assert (step, sorted(life.made)) == (step, made)
        assert (step, writes_when_settled(world, life)) == (step, [])
        assert (step, machinery.shortest, world.lost) == (step, shortest, [])
        if not life.has_died:
            assert step >= least
            return
