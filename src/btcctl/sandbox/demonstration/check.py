"""The story every change must still tell: a network comes up, is broken in many ways, and heals.

Each line prints the value that was observed, never the one that was hoped for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from btcctl.bitcoin.spec.shape import neighbours
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.clock import SYSTEM_CLOCK, Clock, sleep
from btcctl.errors import BtcctlError, NotFound
from btcctl.objects import ObjectKey
from btcctl.resources import CONTROLLER_REVISIONS, PODS, SERVICES, STATEFUL_SETS
from btcctl.rest.client import ApiClient
from btcctl.sandbox.demonstration.observe import NodeView, Observer

BLOCKS = 101  #: as in the seeds: the first coinbase can be spent
MINING_ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"  #: valid on regtest; nobody's (BIP 173's example key)
PATIENCE_SECONDS = 30.0  #: for each step
HANDSHAKE_SECONDS = 3.0  #: the handshakes have their own limit
UPTIME_ERROR_SECONDS = 1.0  # `uptime` counts whole seconds
_POLL_SECONDS = 0.05


class CheckFailed(BtcctlError):
    """A step did not come true in time; the message names it and what was seen instead."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a probe saw: whether that is enough, and lines with the values."""

    good: bool
    lines: Sequence[str]


Probe = Callable[[], Sight]


class Check:
    """Runs the story against one network.

    Args:
        client: The cluster.
        observer: Looks at the network.
        key: The network.
        nodes: `spec.nodes` at the start, at least 2.
        restart_quietly: Restarts a pod's process at its address, telling Kubernetes nothing.
        raise_failures: Raises if a part that all of this stands on has died.
        say: Takes each line of the report.
    """

    def __init__(
        self,
        client: ApiClient,
        observer: Observer,
        key: ObjectKey,
        nodes: int,
        *,
        restart_quietly: Callable[[ObjectKey], None],
        raise_failures: Callable[[], None],
        say: Callable[[str], None],
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._client = client
        self._observer = observer
        self._key = key
        self._nodes = nodes
        self._restart_quietly = restart_quietly
        self._say = say
        self._raise_failures = raise_failures
        self._clock = clock

    def run(self) -> None:
        """Tell the whole story.

        Raises:
            CheckFailed: At the first step that did not come true.
        """
        steps: list[tuple[str, Callable[[], None]]] = [
            ("all nodes are ready", self._all_ready),
            (f"every node lists its peers, handshakes within {HANDSHAKE_SECONDS:g} s of readiness", self._meshed),
            (f"{BLOCKS} blocks mined on node-0 reach every node", self._mined),
            ("a deleted pod comes back and rejoins", self._deleted_pod_returns),
            ("a node restarted at the same address is made whole, although no event tells", self._quiet_restart),
            (f"spec.nodes: {self._nodes + 1} brings one more node", self._scaled_up),
            ("a StatefulSet scaled by hand is set back", self._hand_scaling_undone),
            ("a node that goes is removed and disconnected everywhere", self._scaled_down),
            ("a deleted Service returns", self._service_returns),
            ("deleting the network leaves nothing", self._deleted),
        ]
        for number, (title, step) in enumerate(steps, start=1):
            self._say(f"[{number:2}/{len(steps)}] {title}")
            self._step(title, step)

    def _step(self, title: str, step: Callable[[], None]) -> None:
        began = self._clock.now()
        try:
            step()
        except CheckFailed as error:
            raise CheckFailed(f"{title}: {error}") from error
        self._say(f"        ok after {self._clock.now() - began:.1f} s")

    def _until(self, probe: Probe, within: float | None = None) -> None:
        """Look until it is good, then print what was seen."""
        patience = PATIENCE_SECONDS if within is None else within
        deadline = self._clock.now() + patience
        while not (sight := probe()).good:
            self._raise_failures()
            if self._clock.now() >= deadline:
                raise CheckFailed(f"not within {patience:g} s; seen last: {'; '.join(sight.lines) or 'nothing'}")
            sleep(_POLL_SECONDS, self._clock)
        for line in sight.lines:
            self._say(f"        {line}")

    # The steps, in order.

    def _all_ready(self) -> None:
        def probe() -> Sight:
            nodes = self._observer.nodes()
            good = len(nodes) == self._nodes and all(node.answers for node in nodes)
            return Sight(good, [f"{n.name} {'ready' if n.ready else 'waiting'} at {n.address}" for n in nodes])

        self._until(probe)

    def _meshed(self) -> None:
        self._until(self._mesh, HANDSHAKE_SECONDS)

    def _mined(self) -> None:
        first = self._node(0)
        mined = self._observer.rpc_for(first.address).call("generatetoaddress", BLOCKS, MINING_ADDRESS)
        self._say(f"        node-0 mined {len(mined)} blocks")
        self._until(self._synced)

    def _deleted_pod_returns(self) -> None:
        before = self._node(self._nodes - 1)
        self._client.resource(PODS, self._key.namespace).delete(self._observer.pod_key(before.ordinal))
        self._say(f"        {before.name} deleted at {before.address}")

        def probe() -> Sight:
            after = self._observer.node(before.ordinal)
            if after is None:
                return Sight(False, [f"{before.name} is gone"])
            return Sight(after.uid != before.uid and after.answers, [f"{after.name} is back at {after.address}"])

        self._until(probe)
        self._until(self._whole)

    def _quiet_restart(self) -> None:
        before = self._node(1)
        versions = self._pod_versions()
        started_at = self._started_at(before)
        self._restart_quietly(self._observer.pod_key(1))

        def probe() -> Sight:
            node = self._node(1)
            later = self._started_at(node) - started_at if node.answers else 0.0
            return Sight(later > UPTIME_ERROR_SECONDS, [f"node-1 at {node.address} started {later:.0f} s later"])

        self._until(probe)
        self._until(self._whole)
        if self._pod_versions() != versions:
            raise CheckFailed("a pod changed in Kubernetes meanwhile, so an event may have told")

    def _scaled_up(self) -> None:
        self._client.resource(BITCOIN_NETWORKS).patch(self._key, {"spec": {"nodes": self._nodes + 1}})
        self._nodes += 1
        self._until(self._whole)

    def _hand_scaling_undone(self) -> None:
        sets = self._client.resource(STATEFUL_SETS)
        key = ObjectKey(self._key.namespace, f"{self._key.name}-sts")
        sets.patch(key, {"spec": {"replicas": self._nodes + 1}})
        self._say(f"        {key.name} scaled to {self._nodes + 1} by hand")

        def probe() -> Sight:
            replicas, pods = sets.get(key).body()["spec"]["replicas"], len(self._observer.nodes())
            return Sight(replicas == self._nodes == pods, [f"{key.name} replicas {replicas}, {pods} nodes"])

        self._until(probe)
        self._until(self._whole)

    def _scaled_down(self) -> None:
        leaving = self._node(self._nodes - 1)
        self._client.resource(BITCOIN_NETWORKS).patch(self._key, {"spec": {"nodes": self._nodes - 1}})
        self._nodes -= 1

        def probe() -> Sight:
            nodes = self._observer.nodes()
            holding = [n.name for n in nodes if leaving.address in n.listed | set(n.outbound or {})]
            good = len(nodes) == self._nodes and all(node.answers for node in nodes) and not holding
            return Sight(good, [f"{leaving.name} at {leaving.address} is held by {', '.join(holding) or 'nobody'}"])

        self._until(probe)
        self._until(self._whole)

    def _service_returns(self) -> None:
        services = self._client.resource(SERVICES)
        key = ObjectKey(self._key.namespace, f"{self._key.name}-svc")
        old = services.get(key).uid
        services.delete(key)
        self._say(f"        {key.name} deleted, uid {old[:8]}")

        def probe() -> Sight:
            try:
                new = services.get(key).uid
            except NotFound:
                return Sight(False, [f"{key.name} is missing"])
            return Sight(new != old, [f"{key.name} is back, uid {new[:8]}"])

        self._until(probe)

    def _deleted(self) -> None:
        self._client.resource(BITCOIN_NETWORKS).delete(self._key)

        def probe() -> Sight:
            left = self._left_over()
            return Sight(not left, [f"left: {', '.join(left) or 'nothing'}"])

        self._until(probe)

    # What probes share.

    def _node(self, ordinal: int) -> NodeView:
        node = self._observer.node(ordinal)
        if node is None:
            raise CheckFailed(f"node-{ordinal} is not there")
        return node

    def _started_at(self, node: NodeView) -> float:
        """When a node's process started, by its own account, within UPTIME_ERROR_SECONDS."""
        return self._clock.now() - float(self._observer.rpc_for(node.address).call("uptime"))

    def _mesh(self) -> Sight:
        """Everybody lists exactly the peers it should have, and has greeted all of them."""
        nodes = self._observer.nodes()
        lines, good = [], len(nodes) == self._nodes
        for node in nodes:
            ordinals = neighbours(node.ordinal, self._nodes)
            wanted = {other.address: other.name for other in nodes if other.ordinal in ordinals}
            listed = [wanted.get(address, address) for address in sorted(node.listed, key=ip_address)]
            shaken = len(node.shaken() & wanted.keys())
            good &= node.listed == wanted.keys() and shaken == len(wanted)
            lines.append(f"{node.name} lists {' '.join(listed) or 'nobody'}, handshakes {shaken}/{len(wanted)}")
        return Sight(good, lines)

    def _synced(self) -> Sight:
        nodes = self._observer.nodes()
        good = len(nodes) == self._nodes and {(n.height, n.best) for n in nodes} == {(BLOCKS, nodes[0].best)}
        return Sight(good, [node.summary() for node in nodes])

    def _whole(self) -> Sight:
        """Meshed and at the same block."""
        mesh = self._mesh()
        synced = self._synced()
        return Sight(mesh.good and synced.good, synced.lines if mesh.good else mesh.lines)

    def _pod_versions(self) -> dict[str, str]:
        pods, _ = self._client.resource(PODS, self._key.namespace).list()
        return {pod.name: pod.resource_version for pod in pods}

    def _left_over(self) -> list[str]:
        left = []
        for type_ in (BITCOIN_NETWORKS, STATEFUL_SETS, SERVICES, PODS, CONTROLLER_REVISIONS):
            objects, _ = self._client.resource(type_, self._key.namespace).list()
            left += [f"{type_.kind} {each.name}" for each in objects if each.name.startswith(self._key.name)]
        return left
