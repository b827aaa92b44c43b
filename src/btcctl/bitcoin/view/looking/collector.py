"""Watches the cluster, and asks the nodes of the networks that pages look at.

Rules:
* All networks are watched, and nothing else, as long as nobody looks at one. Of one that somebody looks at its pods and
  its namespace's Events are watched, too, and its nodes are asked; that ends some seconds after the last page has left.
* What is known is changed by one thread, the looker; others hand it what they have seen, and read what it has told.
* Nodes are asked by a few threads, each node by one at a time, each call with a deadline: a node that hangs holds up
  nobody but itself.
* Nothing is remembered of a Secret but the credentials that the nodes are asked with.
"""

from __future__ import annotations

import itertools
import threading
from functools import partial
from typing import Final

import msgspec

from btcctl.bitcoin.credentials import CredentialsProblem, read_credentials
from btcctl.bitcoin.passes import ThreadPool
from btcctl.bitcoin.pods import ordinal_of
from btcctl.bitcoin.reach import FORWARDED_CONNECT_SECONDS, Reach
from btcctl.bitcoin.rpc import RpcClient, RpcConnections
from btcctl.bitcoin.types import BITCOIN_NETWORKS, BitcoinNetwork
from btcctl.bitcoin.view.hub import Hub
from btcctl.bitcoin.view.looking.calls import ASK_SECONDS, ask
from btcctl.bitcoin.view.looking.focus import Focus
from btcctl.bitcoin.view.looking.followed import Followed, Looking
from btcctl.bitcoin.view.looking.nodes import Answer, PodFacts, pod_facts
from btcctl.bitcoin.view.looking.rounds import Rounds
from btcctl.bitcoin.view.looking.summaries import about_of, happened, is_about, summary_of
from btcctl.bitcoin.view.model import Gone, Network, Summary
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.deadline import limited_to
from btcctl.errors import BtcctlError, DeadlineExceeded, ObjectDecodeError
from btcctl.informers.factory import SharedInformerFactory
from btcctl.informers.sharing.notifications import Deleted, HandlerFuncs
from btcctl.logging import get_logger, scrub
from btcctl.objects import Object, ObjectKey
from btcctl.resources import SECRETS
from btcctl.rest.client import ApiClient
from btcctl.threads import Runner, Stop

logger = get_logger(__name__)

#: After the last page has left: who reloads finds everything as it was.
LINGER_SECONDS: Final = 5.0
_CHECK_SECONDS = 1.0
_TREE_SECONDS = 5.0
_SECRET_SECONDS = 2.0  # between two looks at a Secret that cannot be had, or whose credentials the nodes refuse
_THREADS = 16
_STOP_SECONDS = 2.0


class Collector:
    """A part of the view that starts and stops.

    Args:
        client: The cluster; stays the caller's.
        hub: Is told what is new.
        looking: How it is looked.
    """

    def __init__(
        self, client: ApiClient, hub: Hub, looking: Looking = Looking(), *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._client = client
        self._hub = hub
        self._looking = looking
        self._clock = clock
        self._factory = SharedInformerFactory(client, namespace=looking.namespaces or "", clock=clock)
        self._networks = self._factory.informer(BITCOIN_NETWORKS)
        self._networks.add_handler(
            HandlerFuncs(
                on_add=lambda obj, _: self._looker.submit(partial(self._on_network, obj)),
                on_update=lambda _, obj: self._looker.submit(partial(self._on_network, obj)),
                on_delete=lambda gone: self._looker.submit(partial(self._on_gone, gone)),
            )
        )
        self._looker = ThreadPool("view-looker", 1, clock=clock)
        self._askers = ThreadPool("view-nodes", _THREADS, clock=clock)
        self._runner = Runner("view-rounds", self.run, clock=clock)
        self._pods_at: dict[str, ObjectKey] = {}  # by address; the looker's, others read it
        dial = None if looking.forward is None else Reach(looking.via, looking.forward, self._pods_at.get).dial
        seconds = FORWARDED_CONNECT_SECONDS if dial else 1.0
        self._connections = RpcConnections(connect_seconds=seconds, read_seconds=ASK_SECONDS, clock=clock, dial=dial)
        self._summaries: dict[ObjectKey, Summary] = {}  # the looker's; others copy it
        self._followed: dict[ObjectKey, Followed] = {}  # likewise
        self._hung: dict[ObjectKey, dict[int, str]] = {}  # by ordinal, uids of pods; the looker's own
        self._looks = itertools.count(1)  # the looker's own
        self._keeps = False  # the looker's own: the rounds are about to be made up
        self._problem = ""
        self._changed = threading.Condition()  # guards the one below
        self._rounds: Rounds[tuple[ObjectKey, int]] = Rounds(looking.poll_seconds)

    def start(self) -> None:
        """Begin to watch; returns at once."""
        self._looker.start()
        self._askers.start()
        self._factory.start()
        self._runner.start()

    def stop(self, timeout: float = _STOP_SECONDS) -> None:
        """End all threads. Idempotent."""
        try:
            self._runner.stop(timeout)
        finally:
            try:
                self._factory.stop(timeout)
            finally:
                self._connections.close()
                self._askers.stop()
                self._looker.stop()

    # What others read.

    def summaries(self) -> list[Summary]:
        """All networks, by namespace and name."""
        known = dict(self._summaries)
        return [known[key] for key in sorted(known)]

    def picture(self, key: ObjectKey) -> Network | None:
        """One network in full, as far as it is known; from now on it is followed. None: there is none."""
        followed = self._followed.get(key)
        if followed is not None:
            return followed.focus.picture()
        self._looker.submit(partial(self._follow, key))
        obj, summary = self._networks.lister.get(key), self._summaries.get(key)
        return None if obj is None or summary is None else Network(key.namespace, key.name, about_of(obj, summary))

    def problem(self) -> str:
        """Why the cluster cannot be seen; "" if it can."""
        if not self._networks.has_synced():
            return str(scrub(self._networks.why_unsynced()))
        error = self._networks.last_error
        return "" if error is None else str(scrub(str(error)))

    def client_of(self, key: ObjectKey, ordinal: int) -> RpcClient | None:
        """A node's RPC; None if it cannot be called now."""
        followed = self._followed.get(key)
        pod = None if followed is None else followed.focus.pods.get(ordinal)
        if followed is None or pod is None or not pod.address or followed.credentials is None:
            return None
        known = followed.clients.get(ordinal)
        if known is None or known[0] != pod.address:
            rpc = self._connections.client(pod.address, followed.credentials, pod.rpc_port)
            known = followed.clients[ordinal] = (pod.address, rpc)
        return known[1]

    def ask_soon(self, key: ObjectKey) -> None:
        """Something was done to a network: ask its nodes now."""
        followed = self._followed.get(key)
        self._soon(key, *(followed.focus.pods.copy() if followed else ()))

    def set_hung(self, key: ObjectKey, ordinal: int, *, is_hung: bool) -> None:
        """A node was stopped by us, or goes on."""
        self._looker.submit(partial(self._on_hung, key, ordinal, is_hung))

    # The rounds' thread.

    def run(self, stop: Stop) -> None:
        """Have nodes asked when it is their time, until `stop` is set. Blocks."""
        unlink = stop.on_set(self._wake)
        checks_at = self._clock.now()
        try:
            while not stop.is_set():
                now = self._clock.now()
                if now >= checks_at:
                    checks_at = now + _CHECK_SECONDS
                    self._looker.submit(self._check)
                with self._changed:
                    for key, ordinal in self._rounds.take(now, _THREADS):
                        self._askers.submit(partial(self._ask, key, ordinal))
                    next_at = self._rounds.next_at()
                    until = checks_at if next_at is None else min(checks_at, next_at)
                    if not stop.is_set() and until > self._clock.now():
                        self._clock.wait(self._changed, until - self._clock.now())
        finally:
            unlink()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    # The askers' threads.

    def _ask(self, key: ObjectKey, ordinal: int) -> None:
        answer: Answer | None = None
        try:
            followed, rpc = self._followed.get(key), self.client_of(key, ordinal)
            pod = None if followed is None else followed.focus.pods.get(ordinal)
            if followed is not None and pod is not None and rpc is not None:
                answer = ask(rpc, pod.uid, followed.focus.version_of(ordinal), self._clock)
                self._looker.submit(partial(self._on_answer, followed, ordinal, answer))
        finally:
            with self._changed:
                self._rounds.done((key, ordinal), self._clock.now(), failed=answer is None or bool(answer.problem))
                self._changed.notify_all()

    def _draw(self, followed: Followed, tips: dict[int, tuple[int, str]]) -> None:
        try:
            with limited_to(_TREE_SECONDS, self._clock):
                tree = followed.chains.tree(tips, partial(self.client_of, followed.focus.key))
            self._looker.submit(partial(followed.focus.set_tree, tree))
        except DeadlineExceeded as error:
            logger.debug("the chains were not read in time", error=str(error))
        finally:
            self._looker.submit(partial(self._drawn, followed))

    def _read_secret(self, followed: Followed) -> None:
        obj, problem = followed.focus.object, ""
        try:
            if obj is not None:
                network = BitcoinNetwork.from_object(obj)
                followed.credentials = read_credentials(network, self._client.resource(SECRETS).get).credentials
        except (CredentialsProblem, BtcctlError) as error:
            problem = str(scrub(str(error)))
        self._looker.submit(partial(self._on_secret, followed, problem))

    # The looker's thread.

    def _on_network(self, obj: Object) -> None:
        summary = summary_of(obj)
        if self._summaries.get(obj.key) != summary:
            self._summaries[obj.key] = summary
            self._hub.publish("network", summary, place=str(obj.key))
        followed = self._followed.get(obj.key)
        if followed is None and str(obj.key) in self._hub.focus():
            self._follow(obj.key)
            self._hub.refresh([str(obj.key)])  # these pages were told that there is no such network
        elif followed is not None:
            before = followed.focus.secret
            followed.focus.set_network(obj, summary)
            if before != followed.focus.secret or followed.focus.rpc_problem:  # what was wrong may be mended
                self._want_secret(followed)

    def _on_gone(self, gone: Deleted) -> None:
        if self._summaries.pop(gone.key, None) is not None:
            self._hub.publish("network-gone", Gone(gone.key.namespace, gone.key.name), place=f"{gone.key} gone")
        self._leave(gone.key)
        self._hub.refresh([str(gone.key)])

    def _follow(self, key: ObjectKey) -> None:
        obj, summary = self._networks.lister.get(key), self._summaries.get(key)
        if obj is None or summary is None or key in self._followed:
            return
        followed = Followed(Focus(key, partial(self._tell, str(key))), f"{key} #{next(self._looks)}")
        self._followed[key] = followed
        followed.focus.set_hung(self._hung.get(key, {}))
        followed.focus.set_network(obj, summary)
        submit = self._looker.submit
        followed.watch(
            self._factory,
            HandlerFuncs(
                on_add=lambda pod, _: submit(partial(self._on_pod, followed, pod)),
                on_update=lambda _, pod: submit(partial(self._on_pod, followed, pod)),
                on_delete=lambda gone: submit(partial(self._on_pod_gone, followed, gone)),
            ),
            HandlerFuncs(
                on_add=lambda event, _: submit(partial(self._on_event, followed, event)),
                on_update=lambda _, event: submit(partial(self._on_event, followed, event)),
            ),
        )
        self._want_secret(followed)

    def _leave(self, key: ObjectKey) -> None:
        followed = self._followed.pop(key, None)
        if followed is None:
            return
        self._keep_rounds()
        for informer in followed.informers:
            self._askers.submit(partial(self._factory.forget, informer, _STOP_SECONDS))

    def _check(self) -> None:
        """Once a second: who is looked at no more, and whether the cluster is still there."""
        looked_at, now = self._hub.focus(), self._clock.now()
        for key, followed in list(self._followed.items()):
            if followed.focus.rpc_problem and now - followed.secret_at >= _SECRET_SECONDS:
                self._want_secret(followed)
            if str(key) in looked_at:
                followed.left_at = None
            elif followed.left_at is None:
                followed.left_at = now
            elif now - followed.left_at >= LINGER_SECONDS:
                self._leave(key)
        problem = self.problem()
        if problem != self._problem:
            self._problem = problem
            self._hub.refresh()

    def _on_pod(self, followed: Followed, obj: Object) -> None:
        ordinal = ordinal_of(obj.name, followed.focus.key.name)
        if ordinal is None:
            return
        try:
            facts = pod_facts(obj)
        except ObjectDecodeError as error:
            logger.debug("a pod cannot be read", pod=str(obj.key), error=str(error))
            return
        before = followed.focus.pods.get(ordinal)
        self._set_pod(followed, ordinal, facts)
        if facts.address:
            self._pods_at[facts.address] = obj.key
        if before is None or before.run != facts.run:
            self._keep_rounds()
        elif before != facts:
            self._soon(followed.focus.key, ordinal)

    def _on_pod_gone(self, followed: Followed, gone: Deleted) -> None:
        ordinal = ordinal_of(gone.key.name, followed.focus.key.name)
        known = None if ordinal is None else followed.focus.pods.get(ordinal)
        if ordinal is not None and known is not None and (gone.last is None or gone.last.uid == known.uid):
            self._set_pod(followed, ordinal, None)
            self._keep_rounds()

    def _set_pod(self, followed: Followed, ordinal: int, facts: PodFacts | None) -> None:
        before = followed.focus.pods.get(ordinal)
        if before is not None and (facts is None or facts.address != before.address):
            self._pods_at.pop(before.address, None)
            followed.clients.pop(ordinal, None)
        followed.focus.set_pod(ordinal, facts)

    def _on_event(self, followed: Followed, obj: Object) -> None:
        event = happened(obj)
        if is_about(event, followed.focus.key.name):
            followed.focus.add_events([event])

    def _on_answer(self, followed: Followed, ordinal: int, answer: Answer) -> None:
        pod = followed.focus.pods.get(ordinal)
        if pod is None or pod.uid != answer.uid:
            return
        if followed.focus.set_answer(ordinal, answer):
            self._want_tree(followed)
        if answer.is_refused and self._clock.now() - followed.secret_at >= _SECRET_SECONDS:
            self._want_secret(followed)

    def _on_secret(self, followed: Followed, problem: str) -> None:
        followed.reads_secret = False
        followed.clients.clear()
        followed.focus.set_rpc_problem(problem)
        self._keep_rounds()

    def _on_hung(self, key: ObjectKey, ordinal: int, is_hung: bool) -> None:
        followed = self._followed.get(key)
        pod = None if followed is None else followed.focus.pods.get(ordinal)
        hung = self._hung.setdefault(key, {})
        hung[ordinal] = pod.uid if pod is not None and is_hung else ""
        if followed is not None:
            followed.focus.set_hung(hung)

    def _want_secret(self, followed: Followed) -> None:
        if not self._looking.asks_nodes:
            followed.focus.set_rpc_problem("nodes are not asked here: what is shown of them comes out of the status")
        elif not followed.reads_secret:
            followed.reads_secret, followed.secret_at = True, self._clock.now()
            self._askers.submit(partial(self._read_secret, followed))

    def _want_tree(self, followed: Followed) -> None:
        tips = followed.focus.tips
        if followed.draws or not tips:  # while no node answers, what was drawn stays
            followed.draws_again = followed.draws
            return
        followed.draws = True
        self._askers.submit(partial(self._draw, followed, tips))

    def _drawn(self, followed: Followed) -> None:
        followed.draws = False
        if followed.draws_again:
            followed.draws_again = False
            self._want_tree(followed)

    def _keep_rounds(self) -> None:
        """Ask the nodes that run, of all networks that are followed: once for all that has come already."""
        if not self._keeps:
            self._keeps = True
            self._looker.submit(self._make_rounds)

    def _make_rounds(self) -> None:
        self._keeps = False
        keys = [
            (key, ordinal)
            for key, followed in self._followed.items()
            if followed.credentials is not None
            for ordinal, pod in sorted(followed.focus.pods.items())
            if pod.is_running
        ]
        with self._changed:
            self._rounds.keep(keys, self._clock.now())
            self._changed.notify_all()

    def _soon(self, key: ObjectKey, *ordinals: int) -> None:
        with self._changed:
            for ordinal in ordinals:
                self._rounds.soon((key, ordinal), self._clock.now())
            self._changed.notify_all()

    def _tell(self, network: str, event: str, data: msgspec.Struct, place: str | None) -> None:
        self._hub.publish(event, data, network=network, place=place)
