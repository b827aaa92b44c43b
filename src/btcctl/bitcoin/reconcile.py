"""Brings one network closer to what is asked for: looks, compares, acts, reports.

Level-based: nothing here depends on what happened. A settled network is looked at as well,
because a node that restarts at its address tells nobody and has forgotten its peers. Such a look begins with the nodes
at once, if all that the caches have of the network is as it was when the last reconcile began: the rest is gone through
when the nodes have answered, so once for each look. What is not in the caches (the Secret, rights) may wait for that.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, replace
from functools import partial

import msgspec

from btcctl.bitcoin.children import stateful_set_name
from btcctl.bitcoin.claims import Verdict, is_served
from btcctl.bitcoin.cluster import Cluster
from btcctl.bitcoin.credentials import CredentialsProblem, KnownCredentials, read_credentials
from btcctl.bitcoin.departures import Departures
from btcctl.bitcoin.ensure import Children
from btcctl.bitcoin.findings import (
    chain_finding,
    conflict_finding,
    contest_finding,
    credentials_finding,
    forbidden_finding,
    invalid_spec_finding,
    mesh_finding,
    mining_findings,
    name_finding,
    no_credentials_finding,
    pending_mesh_finding,
    progressing_finding,
    refused_finding,
    snapshot_findings,
    synced_finding,
    unknown_synced_finding,
)
from btcctl.bitcoin.memory import Memories, NetworkMemory
from btcctl.bitcoin.mesh import MeshGoal, MeshReport
from btcctl.bitcoin.mining import Mine, order_for
from btcctl.bitcoin.passes import Passes, Seen
from btcctl.bitcoin.pod_problems import TOLD_IN_EVENTS
from btcctl.bitcoin.pod_template import ChildOptions
from btcctl.bitcoin.pods import NodePod, members, node_statuses, read_pods
from btcctl.bitcoin.progress import (
    accepted_loss,
    chain_view,
    heights_after,
    progress_of,
    silent_holders,
    with_progress,
    with_words,
)
from btcctl.bitcoin.quotes import gist
from btcctl.bitcoin.refusals import Attempts, is_refusal
from btcctl.bitcoin.reporting import Reporter
from btcctl.bitcoin.rollouts import rollout_of
from btcctl.bitcoin.rotation import outdated, replicas_asked_for, secret_version
from btcctl.bitcoin.scaling import has_to_keep, replicas_for_now
from btcctl.bitcoin.sights import Overview, as_before, sights_of, with_sights, without_sights
from btcctl.bitcoin.spec.chains import DEFAULT_PORTS
from btcctl.bitcoin.spec.checks import spec_problem
from btcctl.bitcoin.status import (
    NAMED,
    NORMAL,
    WARNING,
    Finding,
    Heights,
    Notice,
    build_status,
    failure_notices,
    node_notices,
    ready_finding,
)
from btcctl.bitcoin.topology import Spelling
from btcctl.bitcoin.types import BITCOIN_NETWORKS, FORBIDDEN, MESH_READY, BitcoinNetwork
from btcctl.bitcoin.upkeep import Upkeep
from btcctl.clock import SYSTEM_CLOCK, Clock, rfc3339
from btcctl.controller.reconciling.result import Result
from btcctl.errors import ApiError, Conflict, ObjectDecodeError
from btcctl.logging import bind, get_logger
from btcctl.objects import Object, ObjectKey
from btcctl.resources import PODS

logger = get_logger(__name__)

# After a write that lost a race; the event of the winner's write usually comes first.
CONFLICT_SECONDS = 0.5
# Until it is checked again whether another installation does its work.
RIVAL_POLL_SECONDS = 15.0

Credentials = KnownCredentials | CredentialsProblem


class NetworkReconciler:
    """Call it with the key of a network.

    Args:
        cluster: The Kubernetes side.
        passes: The nodes' side.
        options: What pods look like.
        memories: What to remember between two calls.
        mine: Takes what is to be mined; returns why it is refused.
    """

    def __init__(
        self,
        cluster: Cluster,
        passes: Passes,
        options: ChildOptions,
        memories: Memories,
        *,
        mine: Mine = lambda key, order: "",
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._cluster = cluster
        self._mine = mine
        self._passes = passes
        self._options = options
        self._memories = memories
        self._clock = clock
        self._departures = Departures()
        self._reporter = Reporter(cluster, memories, clock)

    def __call__(self, key: ObjectKey) -> Result:
        """Reconcile once.

        Raises:
            TerminalError: The network cannot be built as it is asked for; its status says why.
            ApiError: The API server refuses something.
        """
        obj = self._cluster.network(key)
        if obj is None or obj.deletion_timestamp is not None:
            self._memories.forget(key)
            self._passes.forget(key)
            self._mine(key, None)
            self._cluster.forget_counts(key)
            self._departures.gone(key)
            return Result()  # garbage collection takes the children
        self._departures.arrived(key)
        if self._departures.is_leaving(key, obj.uid):
            return Result()
        bind(uid=obj.uid, generation=obj.generation, resource_version=obj.resource_version)
        memory = self._memories.of(key, obj.uid)
        before, memory.seen = memory.seen, None
        here = self._cluster.versions(key)
        if here == before and self._passes.again(key, memory.gone, memory.suspects):
            return Result(requeue_after=self._memories.high, background=True)
        network = self._decode(obj)
        if not self._claim(obj, network):
            self._mine(key, None)
            memory.said = None  # it is the other's word now
            return Result(requeue_after=RIVAL_POLL_SECONDS, background=True)
        attempts = Attempts()
        try:
            result = self._reconcile(obj, network, attempts)
        except Conflict as error:
            logger.debug("somebody else was faster", error=str(error))
            return Result(requeue_after=CONFLICT_SECONDS)
        except ApiError as error:
            if error.is_namespace_terminating:
                self._departures.leave(key, obj.uid)
                return Result()
            if is_refusal(error):
                self._reporter.say_refused(obj, network, error)
            raise
        attempts.raise_first()
        memory.seen = here
        return result

    def _decode(self, obj: Object) -> BitcoinNetwork:
        finding = name_finding(obj.name)
        if finding is not None:
            raise self._reporter.refuse(obj, finding)
        try:
            network = BitcoinNetwork.from_object(obj)
        except ObjectDecodeError as error:
            raise self._reporter.refuse(obj, invalid_spec_finding(str(error))) from error
        problem = spec_problem(network.spec)
        if problem is not None:
            raise self._reporter.refuse(obj, invalid_spec_finding(problem))
        return network

    def _claim(self, obj: Object, network: BitcoinNetwork) -> bool:
        """Settle whose the network is, and say so if that has changed; return whether it is ours."""
        claim, holder = self._memories.of(obj.key, obj.uid).claim, network.status.controller
        if not claim.name or holder in {"", claim.name}:
            pods: list[NodePod] = []  # nobody asks for them
        else:
            found = self._cluster.stateful_sets.find(ObjectKey(network.namespace, stateful_set_name(network.name)))
            pods = [] if found is None else self._pods(network, found)
        verdict = claim.judge(holder, self._clock.now(), is_served=is_served(network, pods))
        if verdict is Verdict.LOST:
            logger.error("another installation looks after this network, too", other=holder, we=claim.name)
            self._cluster.count_rivalry(obj.key)
            message = f"{holder} has taken this network over from {claim.name}: let one of the two look after it"
            self._cluster.tell(obj, Notice(WARNING, "AnotherController", message))
        if verdict is Verdict.TAKEN_OVER:
            logger.warning("taken over from another installation", other=holder, we=claim.name)
            message = f"{claim.name} looks after this network now, and no longer {holder}"
            self._cluster.tell(obj, Notice(NORMAL, "TakenOver", message))
        return verdict in {Verdict.OURS, Verdict.TAKEN_OVER}

    def _reconcile(self, obj: Object, network: BitcoinNetwork, attempts: Attempts) -> Result:
        memory = self._memories.of(obj.key, obj.uid)
        heights = memory.begin(Heights.said_by(network.status))
        credentials = self._credentials(network)
        replicas = partial(self._replicas, network, memory, heights)
        upkeep = Upkeep(self._cluster, self._options, obj, network, memory.contention, attempts, replicas, memory.told)
        children = upkeep.ensure(credentials)
        stateful_set = children.stateful_set.object
        pods = [] if stateful_set is None else self._pods(network, stateful_set)
        ports = self._options.ports(network.spec)
        known = credentials.credentials if isinstance(credentials, KnownCredentials) else None
        order = order_for(network.spec.mining, members(pods), known, ports.rpc)
        refusal = self._mine(obj.key, order)
        suspects = memory.suspects
        seen = self._look(network, pods, credentials, memory)
        report = None if seen is None else seen.report
        if report is not None and isinstance(credentials, KnownCredentials):
            children = upkeep.rotate(children, pods, report, credentials)
        if seen is not None and report is not None and seen.is_new:
            heights = memory.heights = self._judge_chain(obj, network, pods, report, heights, attempts)
        if report is not None:
            self._renew_shown(network, pods, report, memory, heights)
        self._listen(network, pods, stateful_set, memory)
        disputes = [*(child.dispute for child in children.all), *upkeep.swap_images(pods)]
        disputes.append(memory.contention.dispute_of(BITCOIN_NETWORKS, obj.key))
        gated = (ObjectKey(obj.namespace, pod.name) for pod in pods if pod.awaits_sync)
        disputes += [memory.contention.dispute_of(PODS, key) for key in gated]

        shown = memory.shown
        told = with_words(with_progress(pods, shown.progress), shown.words)
        nodes = node_statuses(network, told, children.stateful_set.waits or shown.why_missing)
        nodes = with_sights(nodes, shown.sights) if shown.is_known else as_before(nodes, network.status.nodes)
        overview = Overview.of(nodes, shown.forks) if shown.is_known else Overview.before(network.status)
        findings = [
            conflict_finding([child.problem for child in children.all]),
            credentials_finding(credentials),
            self._mesh_finding(network, seen, pods, suspects, children),
            chain_finding(heights),
            contest_finding(disputes),
        ]
        findings += self._rights_findings(network, attempts, memory) + snapshot_findings(network, report)
        findings += mining_findings(network, order, refusal)
        ready = ready_finding(nodes, network.spec, findings, rollout_of(children.stateful_set.object, pods))
        synced = synced_finding(nodes, overview) if shown.is_known else unknown_synced_finding(network.status)
        findings = [ready, progressing_finding(ready, findings), synced, *findings]
        status = build_status(network, nodes, shown.heights, findings, rfc3339(self._clock.wall_time()))
        status = msgspec.structs.replace(status, **asdict(overview), image=self._options.image(network.spec))
        said = memory.said or network.status
        notices = node_notices(said.nodes, nodes) + failure_notices(said.conditions, findings)
        self._reporter.write(obj, network.status, status, notices)
        if seen is not None and not seen.is_new:
            return Result(requeue_after=self._memories.high, background=True)  # the pass under way calls us again
        moved = (without_sights(status), report and report.moves)
        return Result(requeue_after=memory.poll.next_delay(moved), background=True)

    def _credentials(self, network: BitcoinNetwork) -> Credentials:
        try:
            return read_credentials(network, self._cluster.get_secret)
        except CredentialsProblem as problem:
            return problem

    def _pods(self, network: BitcoinNetwork, stateful_set: Object) -> list[NodePod]:
        key = ObjectKey(network.namespace, network.name)
        return read_pods(network, self._cluster.pods(key), stateful_set.uid)

    def _replicas(self, network: BitcoinNetwork, memory: NetworkMemory, heights: Heights, stateful_set: Object) -> int:
        """How many pods there are to be for now; see `btcctl.bitcoin.scaling`."""
        wanted = replicas = network.spec.running_nodes
        is_smaller = wanted < replicas_asked_for(stateful_set)
        if is_smaller and has_to_keep(network, heights, gated=self._options.gated):
            replicas = replicas_for_now(wanted, self._pods(network, stateful_set))
        if not memory.keeps(replicas > wanted, self._clock.now()):
            replicas = wanted
        memory.replicas = replicas
        return replicas

    def _look(
        self, network: BitcoinNetwork, pods: Sequence[NodePod], credentials: Credentials, memory: NetworkMemory
    ) -> Seen | None:
        """What is known of the nodes; None if they cannot be asked for want of credentials."""
        there = members(pods)
        gone = memory.see([each.address for each in there], [node.ip for node in network.status.nodes])
        if isinstance(credentials, CredentialsProblem):
            return None
        ports = self._options.ports(network.spec)
        spelling = Spelling(ports.p2p, DEFAULT_PORTS[network.spec.network].p2p)
        spec = network.spec
        goal = MeshGoal(
            there,
            replace(spec.shape, nodes=max(spec.running_nodes, memory.replicas)),
            credentials.credentials,
            gone,
            memory.suspects,
            ports.rpc,
            spelling,
            spec.network,
            spec.has_utxo_snapshot,
        )
        seen = self._passes.look(ObjectKey(network.namespace, network.name), goal)
        if seen.is_new and seen.report is not None:
            memory.suspects = frozenset(seen.report.suspects)
            if seen.report.forgotten:
                memory.gone = frozenset()
        return seen

    def _mesh_finding(
        self,
        network: BitcoinNetwork,
        seen: Seen | None,
        pods: Sequence[NodePod],
        suspects: frozenset[str],
        children: Children,
    ) -> Finding:
        if seen is None:
            return no_credentials_finding()
        if seen.report is None:
            return pending_mesh_finding(network.status.condition(MESH_READY))
        failures = seen.report.failures
        old = outdated(pods, failures, secret_version(children.stateful_set.object))
        return mesh_finding(seen.report, members(pods), suspects, old)

    def _judge_chain(
        self,
        obj: Object,
        network: BitcoinNetwork,
        pods: Sequence[NodePod],
        report: MeshReport,
        before: Heights,
        attempts: Attempts,
    ) -> Heights:
        """Let in the nodes that have the network's chain; say if some of it was lost."""
        silent = silent_holders(network, pods, report)
        memory = self._memories.of(obj.key, obj.uid)
        is_waited_for = memory.waits_for(silent, self._clock.now())
        view = chain_view(network, pods, report, before.highest, is_waited_for=is_waited_for)
        for pod in pods:
            if pod.awaits_sync and pod.answers and pod.ordinal in view.synced:
                height, fights = view.target_of(pod.ordinal), memory.contention
                attempts(partial(self._cluster.let_in, obj.namespace, pod, height, fights), None)
        lost = view.lost_from
        if lost is not None:
            logger.error("blocks were lost", height=view.height, formerly=lost)
            self._cluster.count_lost(obj.key)
        return heights_after(view, before.lost, accepted_loss(obj.annotations))

    def _renew_shown(
        self,
        network: BitcoinNetwork,
        pods: Sequence[NodePod],
        report: MeshReport,
        memory: NetworkMemory,
        heights: Heights,
    ) -> None:
        """Bring up to date what changes all the time, once in a while."""
        now = self._clock.now()
        if not memory.shown.is_due(now) and heights.lost == memory.shown.heights.lost:
            return
        progress = progress_of(pods, chain_view(network, pods, report, heights.highest))
        memory.shown.renew(heights, progress, sights_of(report, pods), report.forks, now)

    def _listen(
        self, network: BitcoinNetwork, pods: Sequence[NodePod], stateful_set: Object | None, memory: NetworkMemory
    ) -> None:
        """Ask for what others say in Events alone, once in a while: whether the nodes can be asked or not."""
        is_missing = stateful_set is not None and len(pods) < network.spec.running_nodes
        # Those that are named, and no more: it is a call for each.
        named = [pod for pod in pods if pod.reason in TOLD_IN_EVENTS][:NAMED]
        about, now = (is_missing, [(pod.uid, pod.reason) for pod in named]), self._clock.now()
        if not memory.shown.is_to_listen(about, now):
            return

        def in_standing_words(about: Hashable, words: str) -> str:
            return str(memory.quotes.of((about, gist(words)), words))

        why = self._cluster.why_missing(stateful_set) if stateful_set is not None and is_missing else ""
        words = {(pod.ordinal, pod.reason): self._cluster.why_stuck(network.namespace, pod) for pod in named}
        words = {about: in_standing_words(about, said) for about, said in words.items()}
        memory.shown.hear(about, in_standing_words("", why), words, now)

    def _rights_findings(self, network: BitcoinNetwork, attempts: Attempts, memory: NetworkMemory) -> list[Finding]:
        """Nothing as long as nothing was ever refused."""
        missing = self._cluster.refused(network.namespace)
        if attempts.refusals and not missing:
            return [refused_finding(attempts.refusals[0], memory.quotes)]
        was_said = network.status.condition(FORBIDDEN) is not None
        return [forbidden_finding(map(str, missing))] if missing or was_said else []
