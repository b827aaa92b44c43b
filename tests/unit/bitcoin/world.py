"""A cluster and its nodes without sockets, threads or caches: what a reconcile touches."""

from __future__ import annotations

from typing import Any

from btcctl.bitcoin.cluster import Cluster
from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.ensure import ChildKeeper
from btcctl.bitcoin.memory import SHOW_SECONDS, Memories
from btcctl.bitcoin.mesh import Mesh
from btcctl.bitcoin.passes import InlinePasses, Passes
from btcctl.bitcoin.pod_effects import ImageSwapper
from btcctl.bitcoin.pod_template import ChildOptions
from btcctl.bitcoin.pods import Pod
from btcctl.bitcoin.reconcile import NetworkReconciler
from btcctl.bitcoin.refusals import Right
from btcctl.bitcoin.status import Notice
from btcctl.bitcoin.types import BITCOIN_NETWORKS, NetworkStatus, decode_status
from btcctl.controller.reconciling.result import Result
from btcctl.controller.writing.contention import Contention
from btcctl.errors import NotFound
from btcctl.objects import Object, ObjectKey
from btcctl.resources import PODS, SECRETS, SERVICES, STATEFUL_SETS, ResourceType
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient
from btcctl.typed.values import decoded
from tests.unit.bitcoin.builders import NAMESPACE, network_body
from tests.unit.bitcoin.fake_mesh import FakeMesh
from tests.unit.bitcoin.pod_runner import PodRunner

KEY = ObjectKey(NAMESPACE, "net")
SERVICE, STATEFUL_SET = ObjectKey(NAMESPACE, "net-svc"), ObjectKey(NAMESPACE, "net-sts")
WRITES = {"create", "update", "patch", "delete"}


class World:
    """One cluster with one network, `net`, and the nodes of its pods.

    Args:
        network: The body to create, or None for none.
        others: What else stands in the cluster.
        lenient: The definition is an old one, without a schema.
        definition: Another one than ours.
        gated: Pods are held back until they have the chain.
    """

    def __init__(
        self,
        network: dict[str, Any] | None = None,
        *others: dict[str, Any],
        lenient: bool = False,
        gated: bool = False,
        definition: dict[str, Any] | None = None,
    ) -> None:
        self.gated = gated
        self.version = 0  # of all that there is of the network
        self.why_missing = ""
        self.probes: dict[int, str] = {}  # by ordinal, or what else others say of a pod
        self.refuses_to_mine = ""  # the words of the node that is to
        self.lost: list[ObjectKey] = []
        self.rivalries: list[ObjectKey] = []
        self.uncounted: list[ObjectKey] = []
        self.refused: list[Right] = []
        self.clock = FakeClock()
        known = BITCOIN_NETWORKS if lenient else definition or load_crd()
        self.client = FakeClient(*others, types=[known], clock=self.clock)
        self.mesh = FakeMesh()
        self.notices: list[Notice] = []
        self.pods = PodRunner(self.client, self.mesh, KEY)
        self.reconciler = self._reconciler()
        self.networks = self.client.resource(BITCOIN_NETWORKS, NAMESPACE)
        if network is not None:
            self.mesh.chain = network["spec"].get("network", self.mesh.chain)
            self.networks.create(network)
        self.client.clear_actions()

    def installed_as(self, name: str, image: str = "image") -> NetworkReconciler:
        """Another installation of the controller, which works on the same cluster."""
        return self._reconciler(name, image)

    def _reconciler(
        self, installation: str = "", image: str = "image", passes: Passes | None = None
    ) -> NetworkReconciler:
        cluster = Cluster(
            network=lambda key: self.get(BITCOIN_NETWORKS, key),
            pods=lambda key: [decoded(pod, Pod) for pod in self.pods.list()],
            versions=lambda key: (("", str(self.version)),),
            services=self._keeper(SERVICES),
            stateful_sets=self._keeper(STATEFUL_SETS),
            disruption_budgets=None,
            get_secret=self.client.resource(SECRETS).get,
            networks=self.client.resource(BITCOIN_NETWORKS),
            tell=lambda network, notice: self.notices.append(notice),
            let_in=lambda namespace, pod, height, contention: self.pods.let_in(pod.ordinal),
            swap_image=ImageSwapper(lambda key: self.get(PODS, key), self.client.resource(PODS)).swap,
            why_missing=lambda stateful_set: self.why_missing,
            why_stuck=lambda namespace, pod: self.probes.get(pod.ordinal, ""),
            count_lost=self.lost.append,
            count_rivalry=self.rivalries.append,
            forget_counts=self.uncounted.append,
            refused=lambda namespace: self.refused,
        )
        passes = passes or InlinePasses(Mesh(self.mesh.rpc_for, clock=self.clock))
        options = ChildOptions(image, gated=self.gated)
        contention = Contention(self.client.field_manager, clock=self.clock)
        memories = Memories(2, 30, lambda: contention, installation=installation)
        return NetworkReconciler(
            cluster, passes, options, memories, mine=lambda key, order: self.refuses_to_mine, clock=self.clock
        )

    def _keeper(self, type_: ResourceType) -> ChildKeeper:
        return ChildKeeper(lambda key: self.get(type_, key), self.client.resource(type_))

    def restart_controller(self, passes: Passes | None = None) -> None:
        """Forget everything that is kept in memory."""
        self.reconciler = self._reconciler(passes=passes)

    def reconcile(self) -> Result:
        return self.reconciler(KEY)

    def settle(self, passes: int = 5) -> None:
        """Reconcile as often as a network in motion needs, and forget what was done meanwhile."""
        for _ in range(passes):
            self.reconcile()
        self.clock.advance(SHOW_SECONDS)
        self.reconcile()
        self.forget()

    def forget(self) -> None:
        self.client.clear_actions()
        self.mesh.changes.clear()
        self.notices.clear()

    def get(self, type_: ResourceType, key: ObjectKey) -> Object | None:
        try:
            return self.client.resource(type_).get(key)
        except NotFound:
            return None

    def body(self, type_: ResourceType, key: ObjectKey) -> dict[str, Any]:
        return self.client.resource(type_).get(key).body()

    def edit(self, type_: ResourceType, key: ObjectKey, patch: dict[str, Any]) -> None:
        self.client.resource(type_).patch(key, patch)
        self.client.clear_actions()

    def writes(self) -> list[tuple[str, str]]:
        return [(each.verb, str(each.type)) for each in self.client.actions if each.verb in WRITES]

    @property
    def status(self) -> NetworkStatus:
        return decode_status(self.networks.get(KEY))

    def condition(self, type_: str) -> tuple[str, str]:
        found = self.status.condition(type_)
        return (found.status, found.reason) if found else ("", "")

    def message(self, type_: str) -> str:
        found = self.status.condition(type_)
        return found.message if found else ""

    def template_annotations(self) -> dict[str, str]:
        found = self.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["template"]["metadata"].get("annotations")
        return dict(found or {})

    def reasons(self) -> list[str]:
        return [notice.reason for notice in self.notices]

    def run_pods(self, replicas: int | None = None) -> None:
        self.pods.run_all(replicas)
        self.client.clear_actions()

    def delete_pod(self, ordinal: int, *, quietly: bool = False) -> str:
        address = self.pods.delete(ordinal, quietly=quietly)
        self.client.clear_actions()
        return address

    def address(self, ordinal: int) -> str:
        return self.pods.address(ordinal)


def living(nodes: int = 3, *, gated: bool = False, **options: Any) -> World:
    """A network that is settled."""
    world = World(network_body(nodes=nodes, **options), gated=gated)
    world.reconcile()
    world.run_pods()
    world.settle()
    return world
