"""Questions to others in the middle of a write.

Nobody outside is asked while the store is locked: who is asked may be a client of this server. So work that needs an
answer is given up with `Unanswered`; `answered` asks, with the store unlocked, and begins it anew.

* An answer holds for what was asked: whose question is another when it begins anew, since an object was changed
  meanwhile, asks again, as a real server does when its write has come too late.
* What work makes up itself stays the same however often it begins (`remembered`), or it would never end.
* Nothing is written before the last question is answered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from btcctl.clock import Clock, rfc3339
from btcctl.errors import BtcctlError

_Result = TypeVar("_Result")
_local = threading.local()  # `known`: the answers of the work that this thread is at, if it is at any


class Unanswered(BtcctlError):
    """Work needs an answer that is not there yet."""

    def __init__(self, ask: Callable[[], None]) -> None:
        super().__init__("a question to others is not answered yet")
        self.ask = ask


def answered(work: Callable[[], _Result]) -> _Result:
    """What the work gives in the end. Called with the store unlocked."""
    known: dict[Any, Any] = {}
    while True:
        _local.known = known
        try:
            return work()
        except Unanswered as question:
            ask_now = question.ask
        finally:
            _local.known = None  # whoever asks may wait
        ask_now()  # not while the question is handled: it would stand in the traceback of whoever fails to answer


def ask(key: Any, question: Callable[[], Any]) -> Any:
    """The answer to a question: at once, or by way of `Unanswered` if this thread is at work that must not wait.

    Args:
        key: Tells it from the other questions of that work.
    """
    known: dict[Any, Any] | None = getattr(_local, "known", None)
    if known is None:
        return question()
    if key not in known:

        def learn() -> None:
            known[key] = question()

        raise Unanswered(learn)
    return known[key]


@contextmanager
def waiting() -> Iterator[None]:
    """Inside, questions are asked at once: for what is done after a write, with nothing locked."""
    known = getattr(_local, "known", None)
    _local.known = None
    try:
        yield
    finally:
        _local.known = known


def remembered(key: Any, make: Callable[[], str]) -> str:
    """What work makes up itself, a uid or a name: the same however often it begins.

    Args:
        key: Tells it from whatever else that work makes up.
    """
    known: dict[Any, Any] | None = getattr(_local, "known", None)
    if known is None:
        return make()
    if key not in known:
        known[key] = make()
    found: str = known[key]
    return found


def time_of_request(clock: Clock) -> str:
    """When a write was asked for, RFC 3339: one time for all that it stores, however long others take to answer."""
    return remembered("time", lambda: rfc3339(clock.wall_time()))
