"""How a controller's work ends when it is asked to stop."""

from __future__ import annotations

from btcctl.clock import Clock
from btcctl.deadline import PendingCalls
from btcctl.objects import ObjectKey
from btcctl.workqueue.queue import WorkQueue

# A call under way at a stop may take so much of the time for that, and at least so long: of a server that is slow it
# brings the answer, of one that is silent there will be none.
_PATIENCE_SHARE = 0.1
_MIN_PATIENCE_SECONDS = 2.0
_LOOK_SECONDS = 0.25  # between looks whether a call has had that


def finish_work(queue: WorkQueue[ObjectKey], calls: PendingCalls, seconds: float, clock: Clock) -> list[ObjectKey]:
    """Finish what is queued and running, but wait for no call that a silent server does not answer.

    Args:
        calls: Those of the workers; broken off once one has waited in vain for long enough, or the time is over.
        seconds: How long it may take.

    Returns:
        The keys that were not done.
    """
    patience, begun_at = max(_MIN_PATIENCE_SECONDS, _PATIENCE_SHARE * seconds), clock.now()
    queue.begin_drain()
    while (left := begun_at + seconds - clock.now()) > 0 and not queue.wait_drained(min(left, _LOOK_SECONDS)):
        if clock.now() - begun_at >= patience:
            calls.break_off(clock.now() - patience)
        if calls.are_broken_off:
            break
    unfinished = queue.drain(0.0)
    if unfinished:
        calls.break_off(clock.now())
    return unfinished
