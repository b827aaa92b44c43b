"""Joins the parts of the operator: informers, queue, reconciler, events, RPC connections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from btcctl.bitcoin.children import NETWORK_LABEL
from btcctl.bitcoin.cluster import Cluster, Versions
from btcctl.bitcoin.ensure import ChildKeeper
from btcctl.bitcoin.memory import Memories
from btcctl.bitcoin.mesh import Mesh, RpcFor, one_after_the_other
from btcctl.bitcoin.metrics import NetworkCounter, NetworkMetrics, register_metrics
from btcctl.bitcoin.mining import Miner
from btcctl.bitcoin.passes import BackgroundPasses, InlinePasses, ThreadPool
from btcctl.bitcoin.pod_effects import Complaints, Gatekeeper, ImageSwapper
from btcctl.bitcoin.pod_template import ChildOptions
from btcctl.bitcoin.pods import Pod
from btcctl.bitcoin.reach import DIRECT, FORWARDED_CONNECT_SECONDS, Forward, PodOf, Reach, Via, addresses_of
from btcctl.bitcoin.reconcile import NetworkReconciler
from btcctl.bitcoin.refusals import Refusals
from btcctl.bitcoin.rights import Rights
from btcctl.bitcoin.rpc import RpcConnections
from btcctl.bitcoin.rpc_metrics import RpcMetrics
from btcctl.bitcoin.status import Notice
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.builder import ControllerBuilder
from btcctl.controller.controller import Controller
from btcctl.controller.keys.handlers import KeysOf
from btcctl.controller.leading import Service
from btcctl.controller.manager import Manager
from btcctl.controller.options import ControllerOptions
from btcctl.controller.writing.contention import Contention
from btcctl.errors import BtcctlError, NotFound
from btcctl.events.metrics import EventMetrics
from btcctl.events.recorder import EventRecorder
from btcctl.events.reference import ObjectReference
from btcctl.informers.cache.lister import Lister
from btcctl.informers.factory import SharedInformerFactory
from btcctl.informers.metrics import InformerMetrics
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.typed import TypedInformer
from btcctl.leaderelection.elector import Elector
from btcctl.metrics import Metrics
from btcctl.objects import Object, ObjectKey
from btcctl.resources import POD_DISRUPTION_BUDGETS, PODS, SECRETS, SERVICES, STATEFUL_SETS, ResourceType
from btcctl.rest.client import ApiClient
from btcctl.rest.transport.transport import Fence

COMPONENT = "bitcoin-controller"
# Unqualified, so that no registry can serve it: it has to be built, or another one named.
NODE_IMAGE = "btcctl-bitcoind:0.1.0"
# All nodes are asked for 15 s at most; the rest is for a few calls to the API server.
RECONCILE_SECONDS = 60.0
BY_NETWORK, _BY_ADDRESS = "network", "address"


class NotInstalled(BtcctlError):
    """The cluster does not know the kind BitcoinNetwork."""


FIELD_MANAGER = "btcctl"  #: owns what the operator writes, whatever the program is called


@dataclass(frozen=True, slots=True)
class OperatorOptions:
    """What the operator's user may choose.

    Attributes:
        namespaces: Those to look after, () for all.
        workers: How many networks are reconciled at once.
        resync_seconds: How often every network is looked at whatever happens; 0 is never.
        node_image: The nodes' container image; see `images/bitcoind`.
        rpc_port: Where the nodes take RPC.
        p2p_port: Where the nodes take each other's connections.
        poll_min_seconds: How soon the nodes are asked again after something moved.
        poll_max_seconds: How often they are asked when nothing moves.
        in_background: Ask the nodes in threads of their own, so that no network waits for the nodes of another.
        rpc_via: How the nodes are reached; other than directly only with `NodeAccess.forward`.
    """

    namespaces: tuple[str, ...] = ()
    workers: int = 2
    resync_seconds: float = 600.0
    node_image: str = NODE_IMAGE
    rpc_port: int = 18443
    p2p_port: int = 18444
    poll_min_seconds: float = 2.0
    poll_max_seconds: float = 30.0
    in_background: bool = True
    rpc_via: Via = DIRECT

    def __post_init__(self) -> None:
        if not 0 < self.poll_min_seconds <= self.poll_max_seconds:
            raise ValueError(f"poll_min_seconds {self.poll_min_seconds} and poll_max_seconds {self.poll_max_seconds}")


@dataclass(frozen=True, slots=True)
class NodeAccess:
    """What stands between the operator and the nodes.

    Attributes:
        fence: Asked before anything is sent to a node; the client has its own.
        forward: Connects to pods through the API server, see `PortForwarder.connect`; None where pods have addresses.
        around: Put around what makes the clients of nodes.
    """

    fence: Fence | None = None
    forward: Forward | None = None
    around: Callable[[RpcFor], RpcFor] = lambda rpc_for: rpc_for


def build_operator(
    client: ApiClient,
    options: OperatorOptions = OperatorOptions(),
    *,
    clock: Clock = SYSTEM_CLOCK,
    rpc_for: RpcFor | None = None,
    metrics: Metrics | None = None,
    elector: Elector | None = None,
    refusals: Refusals | None = None,
    access: NodeAccess = NodeAccess(),
) -> Manager:
    """Build an operator; start it, or run it until a signal.

    Asks the API server once, whether the CustomResourceDefinition is installed, and what we may do.

    Args:
        rpc_for: Makes RPC clients; by default over sockets.
        metrics: Where to count; None counts nothing.
        elector: Work only while it leads.
        refusals: What the client's transport is refused.
        access: What stands between us and the nodes.

    Raises:
        NotInstalled: It is not.
        ApiError: We may not list networks.
        TransportError: The API server cannot be reached.
    """
    for namespace in options.namespaces or ("",):
        require_definition(client, namespace)
    rights = Rights.of(client, options.namespaces)
    recorder = EventRecorder(client, COMPONENT, clock)
    factory = SharedInformerFactory(
        client, namespace=options.namespaces or "", resync_seconds=options.resync_seconds, clock=clock
    )
    if metrics is not None:
        metrics.registry.register(InformerMetrics(lambda: factory.informers, clock=clock))
        metrics.registry.register(EventMetrics(recorder))
    informers = _Informers.of(factory, rights)
    if metrics is not None:
        is_leading = elector.leading.is_set if elector is not None else lambda: True
        register_metrics(metrics.registry, NetworkMetrics(informers.networks.lister.list, is_leading))
    connections = _connections(options, informers, access, clock)
    pool = ThreadPool("nodes", clock=clock)
    run_all = pool.run_all if options.in_background else one_after_the_other
    rpc_for = access.around(rpc_for or connections.client)
    if metrics is not None:
        rpc_for = RpcMetrics(metrics.registry, clock=clock).counted(rpc_for)
    mesh = Mesh(rpc_for, clock=clock, run_all=run_all)

    def look_again(key: ObjectKey) -> None:
        controller.queue.add_background(key)  # it is made below

    miner = Miner(rpc_for, pool.submit, look_again, clock=clock)
    background = BackgroundPasses(mesh, pool, look_again)
    reconciler = NetworkReconciler(
        _cluster(client, informers, recorder, metrics, clock, refusals or Refusals()),
        background if options.in_background else InlinePasses(mesh),
        ChildOptions(options.node_image, options.rpc_port, options.p2p_port, gated=rights.gates),
        Memories(
            options.poll_min_seconds,
            options.poll_max_seconds,
            lambda: Contention(client.field_manager, clock=clock),
            installation="" if elector is None else str(elector.lease),
        ),
        mine=miner.want,
        clock=clock,
    )
    how = ControllerOptions(workers=options.workers, reconcile_timeout=RECONCILE_SECONDS)
    controller = informers.builder().build(
        "bitcoin-networks", reconciler, factory, options=how, metrics=metrics, clock=clock
    )
    services: list[Service] = [_Closing(connections)]
    if options.in_background:
        services += [background, miner]
    return Manager(factory, [controller], recorder=recorder, services=services, elector=elector, clock=clock)


def _connections(options: OperatorOptions, informers: _Informers, access: NodeAccess, clock: Clock) -> RpcConnections:
    if access.forward is None or options.rpc_via == DIRECT:
        return RpcConnections(options.rpc_port, clock=clock, fence=access.fence)
    dial = Reach(options.rpc_via, access.forward, informers.pods_by_address()).dial
    seconds = FORWARDED_CONNECT_SECONDS
    return RpcConnections(options.rpc_port, connect_seconds=seconds, clock=clock, fence=access.fence, dial=dial)


def require_definition(client: ApiClient, namespace: str = "") -> None:
    """Check that the API server serves BitcoinNetworks.

    Raises:
        NotInstalled: It does not; the message says what to do.
    """
    try:
        client.resource(BITCOIN_NETWORKS, namespace).list_page(resource_version="0", limit=1)
    except NotFound as error:
        raise NotInstalled(
            f"the cluster has no {BITCOIN_NETWORKS}: install it with `btcctl crd | kubectl apply -f -`"
        ) from error


def network_keys(child: Object) -> list[ObjectKey]:
    """The network that a child says it belongs to, by its label."""
    name = child.labels.get(NETWORK_LABEL)
    return [ObjectKey(child.namespace, name)] if name else []


def pod_keys(stateful_sets: Lister, networks: Lister) -> KeysOf:
    """The network that a pod belongs to: by label, and by the UIDs from owner to owner.

    A pod whose StatefulSet or network is not in the cache (yet) belongs to nobody: when that
    arrives, the network is reconciled anyway.
    """

    def keys_of(pod: Object) -> list[ObjectKey]:
        return [key for key in network_keys(pod) if _owns(networks.get(key), pod)]

    def _owns(network: Object | None, pod: Object) -> bool:
        owner = pod.controller
        stateful_set = None if owner is None else stateful_sets.get(ObjectKey(pod.namespace, owner.name))
        if network is None or owner is None or stateful_set is None:
            return False
        top = stateful_set.controller
        return owner.uid == stateful_set.uid and top is not None and top.uid == network.uid

    return keys_of


def versions_in(networks: Lister, children: Sequence[Lister]) -> Callable[[ObjectKey], Versions]:
    """Which version there is of a network, and of all that carries its label.

    Args:
        children: With the index `BY_NETWORK`.
    """

    def versions(key: ObjectKey) -> Versions:
        network = networks.get(key)
        here = [] if network is None else [network]
        for each in children:
            here += each.by_index(BY_NETWORK, str(key))
        return tuple((each.uid, each.resource_version) for each in here)

    return versions


@dataclass(frozen=True, slots=True)
class _Informers:
    networks: SharedInformer
    pods: TypedInformer[Pod]
    services: SharedInformer
    stateful_sets: SharedInformer
    budgets: SharedInformer | None

    @classmethod
    def of(cls, factory: SharedInformerFactory, rights: Rights) -> Self:
        """Of built-in kinds only what carries our label is held in memory."""
        pods = factory.informer(Pod, label_selector=NETWORK_LABEL)
        services, stateful_sets = (
            factory.informer(type_, label_selector=NETWORK_LABEL) for type_ in (SERVICES, STATEFUL_SETS)
        )
        budgets = factory.informer(POD_DISRUPTION_BUDGETS, label_selector=NETWORK_LABEL) if rights.budgets else None
        found = cls(factory.informer(BITCOIN_NETWORKS), pods, services, stateful_sets, budgets)
        for each in found.of_children():
            each.add_index(BY_NETWORK, lambda child: [str(key) for key in network_keys(child)])
        return found

    def of_children(self) -> list[SharedInformer]:
        budgets = [] if self.budgets is None else [self.budgets]
        return [self.pods.informer, self.services, self.stateful_sets, *budgets]

    def pods_by_address(self) -> PodOf:
        """What knows the pod that has an address: the one that is not on its way out, if several seem to."""
        self.pods.informer.add_index(_BY_ADDRESS, addresses_of)

        def pod_of(address: str) -> ObjectKey | None:
            pods = self.pods.informer.lister.by_index(_BY_ADDRESS, address)
            return min(pods, key=lambda pod: pod.deletion_timestamp is not None).key if pods else None

        return pod_of

    def builder(self) -> ControllerBuilder[Controller]:
        """What carries our label and is no network's own stands in the way of the one that the label names."""
        builder = (
            Controller.for_(BITCOIN_NETWORKS, informer=self.networks)
            .owns(SERVICES, informer=self.services, in_the_way_of=network_keys)
            .owns(STATEFUL_SETS, informer=self.stateful_sets, in_the_way_of=network_keys)
            .watches(Pod, pod_keys(self.stateful_sets.lister, self.networks.lister), informer=self.pods)
        )
        if self.budgets is not None:
            builder.owns(POD_DISRUPTION_BUDGETS, informer=self.budgets, in_the_way_of=network_keys)
        return builder


def _cluster(
    client: ApiClient,
    informers: _Informers,
    recorder: EventRecorder,
    metrics: Metrics | None,
    clock: Clock,
    refusals: Refusals,
) -> Cluster:
    pods = informers.pods.lister
    registry, complaints = None if metrics is None else metrics.registry, Complaints(client)
    lost = NetworkCounter(
        registry, "chain_shrunk", "How often blocks of a network were lost with the nodes that held them."
    )
    rivalries = NetworkCounter(registry, "taken_over", "How often another installation took a network over from us.")

    def keeper(type_: ResourceType, informer: SharedInformer) -> ChildKeeper:
        return ChildKeeper(informer.lister.get, client.resource(type_))

    def forget_counts(key: ObjectKey) -> None:
        lost.forget(key)
        rivalries.forget(key)

    return Cluster(
        network=informers.networks.lister.get,
        pods=lambda key: pods.by_index(BY_NETWORK, str(key)),
        versions=versions_in(informers.networks.lister, [each.lister for each in informers.of_children()]),
        services=keeper(SERVICES, informers.services),
        stateful_sets=keeper(STATEFUL_SETS, informers.stateful_sets),
        disruption_budgets=None if informers.budgets is None else keeper(POD_DISRUPTION_BUDGETS, informers.budgets),
        get_secret=client.resource(SECRETS).get,
        networks=client.resource(BITCOIN_NETWORKS),
        tell=_teller(recorder),
        let_in=Gatekeeper(informers.pods.informer.lister.get, client.resource(PODS), clock).let_in,
        swap_image=ImageSwapper(informers.pods.informer.lister.get, client.resource(PODS)).swap,
        why_missing=complaints.why_missing,
        why_stuck=complaints.why_stuck,
        count_lost=lost.count,
        count_rivalry=rivalries.count,
        forget_counts=forget_counts,
        refused=refusals.concerning,
    )


def _teller(recorder: EventRecorder) -> Callable[[Object, Notice], None]:
    def tell(network: Object, notice: Notice) -> None:
        reference = ObjectReference.of(BITCOIN_NETWORKS, network)
        recorder.event(reference, notice.type, notice.reason, notice.message)

    return tell


class _Closing:
    """Closes the RPC connections once the controllers have ended."""

    def __init__(self, connections: RpcConnections) -> None:
        self._connections = connections

    def start(self) -> None:
        """Connections are made when they are needed."""

    def stop(self, timeout: float = 0.0) -> None:
        self._connections.close()
