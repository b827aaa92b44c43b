"""Brings one network closer to what is asked for: looks, compares, acts, reports.

Level-based: nothing here depends on what happened. A settled network is looked at as well,
because a node that restarts at its address tells nobody and has forgotten its peers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from structlog.contextvars import bind_contextvars

from btcctl.bitcoin.children import (
    SECRET_VERSION_ANNOTATION,
    ChildOptions,
    build_service,
    build_stateful_set,
    service_name,
    stateful_set_name,
)
from btcctl.bitcoin.credentials import CredentialsProblem, GetSecret, KnownCredentials, read_credentials
from btcctl.bitcoin.ensure import Child, ChildKeeper
from btcctl.bitcoin.findings import conflict_finding, credentials_finding, mesh_finding, name_finding
from btcctl.bitcoin.memory import Memories, NetworkMemory
from btcctl.bitcoin.mesh import Mesh, MeshGoal, MeshReport
from btcctl.bitcoin.pods import NodePod, members, node_statuses, read_pods
from btcctl.bitcoin.status import (
    NORMAL,
    WARNING,
    Finding,
    Notice,
    build_status,
    conditions_of,
    failure_notices,
    node_notices,
    ready_finding,
    status_body,
)
from btcctl.bitcoin.types import READY, BitcoinNetwork, NetworkStatus, decode_status
from btcctl.clock import SYSTEM_CLOCK, Clock, rfc3339
from btcctl.controller.result import Result
from btcctl.errors import Conflict, Invalid, NotFound, ObjectDecodeError, TerminalError
from btcctl.objects import Object, ObjectKey

logger = structlog.get_logger(__name__)

# After a write that lost a race; the event of the winner's write usually comes first.
CONFLICT_SECONDS = 0.5

Credentials = KnownCredentials | CredentialsProblem


@dataclass(frozen=True, slots=True)
class Cluster:
    """Everything of the cluster that a reconcile touches."""

    network: Callable[[ObjectKey], Object | None]  #: from the cache
    pods: Callable[[ObjectKey], Sequence[Object]]  #: from the cache, those labelled with the network's name
    services: ChildKeeper
    stateful_sets: ChildKeeper
    get_secret: GetSecret
    update_status: Callable[[Mapping[str, Any]], Object]
    tell: Callable[[Object, Notice], None]  #: records an Event about the network


class NetworkReconciler:
    """Call it with the key of a network.

    Args:
        cluster: The Kubernetes side.
        mesh: The nodes' side.
        options: What pods look like.
        memories: What to remember between two calls.
    """

    def __init__(
        self, cluster: Cluster, mesh: Mesh, options: ChildOptions, memories: Memories, *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._cluster = cluster
        self._mesh = mesh
        self._options = options
        self._memories = memories
        self._clock = clock

    def __call__(self, key: ObjectKey) -> Result:
        """Reconcile once.

        Raises:
            TerminalError: The network cannot be built as it is asked for; its status says why.
            ApiError: The API server refuses something.
        """
        obj = self._cluster.network(key)
        if obj is None or obj.deletion_timestamp is not None:
            self._memories.forget(key)
            return Result()  # garbage collection takes the children
        bind_contextvars(uid=obj.uid, generation=obj.generation, resource_version=obj.resource_version)
        network = self._decode(obj)
        try:
            return self._reconcile(obj, network)
        except Conflict as error:
            logger.debug("somebody else was faster", error=str(error))
            return Result(requeue_after=CONFLICT_SECONDS)

    def _decode(self, obj: Object) -> BitcoinNetwork:
        finding = name_finding(obj.name)
        if finding is not None:
            raise self._refuse(obj, finding)
        try:
            return BitcoinNetwork.from_object(obj)
        except ObjectDecodeError as error:
            raise self._refuse(obj, Finding(READY, False, "InvalidSpec", str(error), is_failure=True)) from error

    def _reconcile(self, obj: Object, network: BitcoinNetwork) -> Result:
        memory = self._memories.of(obj.key, obj.uid)
        credentials = self._credentials(network)
        service, stateful_set = self._ensure_children(obj, network, credentials)
        pods = [] if stateful_set.object is None else self._pods(network, stateful_set.object)
        suspects = memory.suspects
        report = self._connect(network, pods, credentials, memory)

        nodes = node_statuses(network, pods)
        findings = [
            conflict_finding([service.problem, stateful_set.problem]),
            credentials_finding(credentials),
            mesh_finding(report, members(pods), suspects),
        ]
        findings.insert(0, ready_finding(nodes, network.spec.nodes, findings))
        status = build_status(network, nodes, findings, rfc3339(self._clock.wall_time()))
        notices = node_notices(network.status.nodes, nodes) + failure_notices(network.status.conditions, findings)
        self._write_status(obj, network.status, status, notices)
        return Result(requeue_after=memory.poll.next_delay((status, report and report.moves)))

    def _credentials(self, network: BitcoinNetwork) -> Credentials:
        try:
            return read_credentials(network, self._cluster.get_secret)
        except CredentialsProblem as problem:
            return problem

    def _ensure_children(self, obj: Object, network: BitcoinNetwork, credentials: Credentials) -> tuple[Child, Child]:
        service = self._ensure_service(obj, network)
        stateful_set = self._ensure_stateful_set(obj, network, credentials)
        if service.created and stateful_set.created:
            self._cluster.tell(
                obj, Notice(NORMAL, "NetworkCreated", f"created a network of {network.spec.nodes} nodes")
            )
        return service, stateful_set

    def _ensure_service(self, obj: Object, network: BitcoinNetwork) -> Child:
        services = self._cluster.services
        found = services.find(ObjectKey(network.namespace, service_name(network.name)))
        return services.ensure(network, build_service(network, self._options), found, self._teller(obj))

    def _ensure_stateful_set(self, obj: Object, network: BitcoinNetwork, credentials: Credentials) -> Child:
        sets = self._cluster.stateful_sets
        found = sets.find(ObjectKey(network.namespace, stateful_set_name(network.name)))
        if isinstance(credentials, KnownCredentials):
            version = credentials.version
        elif found is None and credentials.blocks_pods:
            return Child(pending=True)
        else:
            version = _secret_version(found)
        desired = build_stateful_set(network, self._options, version)
        return sets.ensure(network, desired, found, self._teller(obj))

    def _pods(self, network: BitcoinNetwork, stateful_set: Object) -> list[NodePod]:
        key = ObjectKey(network.namespace, network.name)
        return read_pods(network, self._cluster.pods(key), stateful_set.uid)

    def _connect(
        self, network: BitcoinNetwork, pods: Sequence[NodePod], credentials: Credentials, memory: NetworkMemory
    ) -> MeshReport | None:
        there = members(pods)
        gone = memory.see([each.address for each in there], [node.ip for node in network.status.nodes])
        if isinstance(credentials, CredentialsProblem):
            return None
        goal = MeshGoal(there, network.spec.nodes, credentials.credentials, gone, memory.suspects)
        report = self._mesh.sync(goal)
        memory.suspects = frozenset(report.suspects)
        if report.forgotten:
            memory.gone = frozenset()
        return report

    def _refuse(self, obj: Object, finding: Finding) -> TerminalError:
        """Say in the status and in an Event why nothing is done."""
        old = decode_status(obj)
        now = rfc3339(self._clock.wall_time())
        conditions = conditions_of(old.conditions, [finding], obj.generation, now)
        new = msgspec.structs.replace(old, observed_generation=obj.generation, conditions=conditions)
        try:
            self._write_status(obj, old, new, [Notice(WARNING, finding.reason, finding.message)])
        except Invalid:
            # What stands in the spec keeps the API server from accepting any status.
            self._cluster.tell(obj, Notice(WARNING, finding.reason, finding.message))
        return TerminalError(f"{finding.reason}: {finding.message}")

    def _write_status(self, obj: Object, old: NetworkStatus, new: NetworkStatus, notices: Sequence[Notice]) -> None:
        """Only if it changed; the notices belong to the change, so that each is told once."""
        if new == old:
            return
        try:
            self._cluster.update_status({**obj.body(), "status": status_body(new)})
        except NotFound:
            return  # deleted meanwhile
        logger.info("status written", ready_nodes=new.ready_nodes)
        for notice in notices:
            self._cluster.tell(obj, notice)

    def _teller(self, obj: Object) -> Callable[[Notice], None]:
        return lambda notice: self._cluster.tell(obj, notice)


def _secret_version(stateful_set: Object | None) -> str:
    if stateful_set is None:
        return ""
    metadata = stateful_set.body()["spec"]["template"].get("metadata") or {}
    version: str = (metadata.get("annotations") or {}).get(SECRET_VERSION_ANNOTATION, "")
    return version
