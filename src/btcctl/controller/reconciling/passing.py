"""Failures that are none of the key's: the server is away, or a cache is behind.

They say nothing about how the next try ends, so they must not add up to the long waits that are meant for keys whose
reconcile fails time and again: after an outage of twenty seconds those would be half a minute, with the server back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from btcctl.backoff import ExponentialBackoff
from btcctl.errors import AlreadyExists, ApiError, Conflict, TransportError
from btcctl.objects import ObjectKey
from btcctl.workqueue.rate_limiters import BASE_SECONDS

MAX_WAIT_SECONDS = 2.0  # few keys wait no longer
KEYS_PER_SECOND = 200.0  # many are tried so often, all together
MOST_RACES = 10  # that a key loses in a row, in five seconds: more are no accident

_AWAY = frozenset({502, 503, 504})  # said by, or of, a server that is not there just now


def is_passing(error: BaseException) -> bool:
    """Whether the same reconcile may well succeed soon, without anything that concerns its key having changed.

    A conflict of fields with another manager, which `Resource.apply` may have, does not pass; nor does a name
    that is taken.
    """
    if not issubclass(type(error), ApiError | TransportError):  # by its type: it may be anybody's, and lie
        return False
    try:
        return _may_pass(error)
    except BaseException:  # of an author's subclass: it may lack what ours have, or raise when it is asked
        return False


def _may_pass(error: BaseException) -> bool:
    match error:
        case AlreadyExists():
            return False
        case Conflict():
            return not error.causes
        case ApiError():
            return error.code in _AWAY
    return True


def _is_lost_race(error: BaseException) -> bool:
    """Whether what was to be written had changed since it was read."""
    return issubclass(type(error), Conflict) and is_passing(error)


class PassingFailures:
    """How long a key waits after a passing failure: 5 ms, doubling to 2 s. Thread-safe.

    The longest wait grows with the number of keys that wait, so that a server that is away costs no more tries
    for ten thousand keys than for a few hundred.

    Args:
        backoff: The delays, before the longest wait is looked at.
    """

    def __init__(self, backoff: Callable[[int], float] = ExponentialBackoff(BASE_SECONDS, 1000.0).delay) -> None:
        self._backoff = backoff
        self._lock = threading.Lock()  # guards the counts
        self._failures: dict[ObjectKey, int] = {}
        self._races: dict[ObjectKey, int] = {}  # each key's worker alone writes its own

    def delay(self, key: ObjectKey) -> float:
        """Count one more failure of `key`; return the seconds it has to wait."""
        with self._lock:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            longest = max(MAX_WAIT_SECONDS, len(self._failures) / KEYS_PER_SECOND)
        return min(self._backoff(failures), longest)

    def forget(self, key: ObjectKey) -> None:
        """The failures of `key` count no longer."""
        self._failures.pop(key, None)  # every success comes here: no lock that workers would queue up at
        self._races.pop(key, None)

    def is_accident(self, key: ObjectKey, error: BaseException) -> bool:
        """Whether `key` has but lost a race for the object that it read, and has not lost too many in a row.

        Asked once for each failure: it counts.
        """
        if not _is_lost_race(error):
            self._races.pop(key, None)
            return False
        lost = self._races[key] = self._races.get(key, 0) + 1
        return lost <= MOST_RACES

    def count(self, key: ObjectKey) -> int:
        """How often `key` failed in a row."""
        return self._failures.get(key, 0)
