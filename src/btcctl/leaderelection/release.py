"""Gives a lease back, so that the next candidate need not wait until it has run out."""

from __future__ import annotations

from btcctl.clock import Clock
from btcctl.errors import Conflict
from btcctl.leaderelection.election import Election
from btcctl.leaderelection.lock import Lock
from btcctl.logging import get_logger

logger = get_logger(__name__)

_TRIES = 5  # each lost to another write to the Lease


def give_back(lock: Lock, election: Election, clock: Clock, *, seconds: float) -> bool:
    """Only if it is still ours, and under the version in which that was seen.

    Args:
        seconds: How long all of it may take.

    Returns:
        Whether it is ours no longer.

    Raises:
        BtcctlError: A call failed.
    """
    deadline = clock.now() + seconds
    return any(clock.now() < deadline and _give_back_once(lock, election, clock, deadline) for _ in range(_TRIES))


def _give_back_once(lock: Lock, election: Election, clock: Clock, deadline: float) -> bool:
    record = lock.get(deadline - clock.now())
    if record is None or record.holder != election.identity:
        return True
    now = clock.now()
    election.saw(record, now)
    try:
        lock.update(election.record_to_release(clock.wall_time()), deadline - now)
    except Conflict:
        return False
    logger.info("lease given back", lease=str(lock.key))
    return True
