"""Mines blocks on a schedule, as `spec.mining` asks for.

Rules of `Miner`:
* a block is due one interval after the node's newest one, whoever mined that: so the schedule is the same for a
  controller that has just started, and a block mined by hand moves it;
* where that block's time is ahead of our clock, because many were mined at once, or because a clock was set, it counts
  from when it was first seen, by a clock that nobody sets;
* one call for a network is under way at most, by what is wanted when its turn comes;
* one that fails is tried again after the interval, after 5 s at least and a minute at most;
* a block that may have been mined, because the answer was lost, is not asked for again before it is due;
* why a node refuses to mine, an address for one that there is not, is known until it mines, or is asked otherwise;
* a node that says that it is on another chain than regtest mines nothing: a miner's work would be no game there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import msgspec

from btcctl import codecs
from btcctl.bitcoin.mesh import ASK_SECONDS, RpcFor, WrongChain
from btcctl.bitcoin.pod_problems import stable
from btcctl.bitcoin.rpc import Credentials, RpcError, RpcFailure, WarmingUp
from btcctl.bitcoin.spec.chains import REGTEST
from btcctl.bitcoin.spec.model import Mining
from btcctl.bitcoin.topology import Member
from btcctl.bitcoin.wording import bounded, in_log
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.deadline import limited_to
from btcctl.errors import DeadlineExceeded
from btcctl.logging import get_logger
from btcctl.objects import ObjectKey
from btcctl.threads import Runner, Stop

logger = get_logger(__name__)

_LEAST_RETRY_SECONDS: Final = 5.0
_MOST_RETRY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 0.5
_MOST_WORDS: Final = 200


@dataclass(frozen=True, slots=True)
class MiningOrder:
    """Which node of a network is to mine, how often, and for whom."""

    node: Member
    credentials: Credentials
    rpc_port: int
    interval_seconds: float
    payout: str


#: Takes an order; returns why the node refuses to mine by it, "" if it does not, as far as is known.
Mine = Callable[[ObjectKey, MiningOrder | None], str]


@dataclass(slots=True)
class _Job:
    """Of one network; guarded by the lock of `Miner`, but for what only the call under way touches."""

    order: MiningOrder | None  #: None: nothing any more, once the call under way has ended
    due_at: float
    is_running: bool = False
    refusal: str = ""  #: the node's words, to this order
    seen: dict[str, float] = field(default_factory=dict)  #: the newest block, and `now` when it was first seen


class _Tip(msgspec.Struct, gc=False):
    bestblockhash: str = ""
    time: int = 0
    chain: str = ""


class Miner:
    """A Service of the Manager.

    Args:
        rpc_for: Makes RPC clients.
        submit: Runs a call in another thread, some time.
        tell: Called with a network's key when its node begins or ceases to refuse.
    """

    def __init__(
        self,
        rpc_for: RpcFor,
        submit: Callable[[Callable[[], None]], None],
        tell: Callable[[ObjectKey], None],
        *,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._rpc_for = rpc_for
        self._submit = submit
        self._tell = tell
        self._clock = clock
        self._lock = threading.Lock()  # guards the one below
        self._jobs: dict[ObjectKey, _Job] = {}
        self._runner = Runner("miner", self.run, clock=clock)

    def start(self) -> None:
        """See `Service.start`."""
        self._runner.start()

    def stop(self, timeout: float = _STOP_SECONDS) -> None:
        """See `Service.stop`."""
        self._runner.stop(timeout)

    def want(self, key: ObjectKey, order: MiningOrder | None) -> str:
        """Have a network mine by this order from now on; None: not at all. Saying the same again changes nothing.

        Returns:
            Why the node refuses to; "" if it does not, or has not been asked yet.
        """
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                if order is not None:
                    self._jobs[key] = _Job(order, self._clock.now())
            elif job.order != order:
                job.order, job.due_at, job.refusal = order, self._clock.now(), ""
                self._drop_if_done(key, job)
            return "" if job is None else job.refusal

    def _drop_if_done(self, key: ObjectKey, job: _Job) -> None:
        if job.order is None and not job.is_running:
            del self._jobs[key]

    def run(self, stop: Stop) -> None:
        """Start what is due, until `stop`."""
        while not stop.wait(self.start_due()):
            pass

    def start_due(self) -> float:
        """Begin what is due; return the seconds until the next look, a second at most while anything is mined."""
        now = self._clock.now()
        with self._lock:
            due = [(key, job) for key, job in self._jobs.items() if not job.is_running and job.due_at <= now]
            for _, job in due:
                job.is_running = True
            waits = [job.due_at - now for job in self._jobs.values() if not job.is_running]
        for key, job in due:
            self._submit(partial(self._work, key, job))
        return min([1.0, *(max(0.01, wait) for wait in waits)])

    def _work(self, key: ObjectKey, job: _Job) -> None:
        with self._lock:
            order = job.order
        wait, refusal, was_refused = _LEAST_RETRY_SECONDS, "", ""
        try:
            if order is not None:
                wait, refusal = self._mined(job, order)
        finally:
            with self._lock:
                job.is_running = False
                if job.order == order:  # otherwise it is due at once
                    job.due_at = self._clock.now() + wait
                    was_refused, job.refusal = job.refusal, refusal
                else:
                    refusal = ""
                self._drop_if_done(key, job)
        if refusal != was_refused:
            self._tell(key)

    def _mined(self, job: _Job, order: MiningOrder) -> tuple[float, str]:
        """Mine if a block is due; return after how many seconds to look again, and why the node refuses to."""
        try:
            with limited_to(ASK_SECONDS, self._clock):
                return self._mine_if_due(job, order), ""
        except (RpcFailure, DeadlineExceeded, msgspec.ValidationError) as error:
            logger.warning("no block was mined", node=order.node.address, error=in_log(error))
            is_refusal = isinstance(error, RpcError) and not isinstance(error, WarmingUp)
            words = bounded(stable(str(error)), _MOST_WORDS) if is_refusal else ""
            return min(max(order.interval_seconds, _LEAST_RETRY_SECONDS), _MOST_RETRY_SECONDS), words

    def _mine_if_due(self, job: _Job, order: MiningOrder) -> float:
        """Mine a block if the newest one is old enough; return after how many seconds to look again."""
        rpc = self._rpc_for(order.node.address, order.credentials, order.rpc_port)
        tip = codecs.convert(rpc.call("getblockchaininfo"), _Tip)
        if tip.chain not in {"", REGTEST}:
            raise WrongChain(tip.chain, REGTEST)
        wait = order.interval_seconds - self._age(job, tip)
        if wait > 0:
            return wait
        mined = codecs.convert(rpc.call("generatetoaddress", 1, order.payout, retry=False), list[str])
        job.seen = dict.fromkeys(mined[-1:], self._clock.now())
        logger.debug("mined a block", node=order.node.address, ordinal=order.node.ordinal)
        return order.interval_seconds

    def _age(self, job: _Job, tip: _Tip) -> float:
        """Seconds since the newest block was made, or first seen if that is longer ago than it says itself."""
        now = self._clock.now()
        first_seen = job.seen.get(tip.bestblockhash, now)
        job.seen = {tip.bestblockhash: first_seen}
        return max(now - first_seen, self._clock.wall_time().timestamp() - tip.time)


def order_for(
    mining: Mining | None, members: Sequence[Member], credentials: Credentials | None, rpc_port: int
) -> MiningOrder | None:
    """What there is to mine; None: nothing is asked for, or the node cannot be asked."""
    if mining is None or credentials is None:
        return None
    node = next((each for each in members if each.ordinal == mining.node and each.ready), None)
    if node is None:
        return None
    return MiningOrder(node, credentials, node.rpc_port or rpc_port, mining.seconds, mining.address)
