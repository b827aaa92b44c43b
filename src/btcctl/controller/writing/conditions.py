"""Conditions of a status, as `kubectl wait` and people read them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import cast

import msgspec

from btcctl.clock import rfc3339
from btcctl.mistakes import check_is

_STATUSES = TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"


class Condition(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One entry of `status.conditions`, as in `metav1.Condition`."""

    type: str
    status: str  #: TRUE, FALSE or UNKNOWN
    reason: str  #: CamelCase, for programs
    message: str = ""  #: for people
    last_transition_time: str = ""  #: RFC 3339: since when it has this status
    observed_generation: int = 0  #: the spec it speaks of

    @property
    def is_true(self) -> bool:
        """Whether it holds; unknown is not true."""
        return self.status == TRUE


def merge_conditions(
    old: Sequence[Condition], new: Iterable[Condition], *, now: datetime | str, generation: int = 0
) -> list[Condition]:
    """The conditions to write: `new` in their order, then those of others, untouched.

    A condition keeps its `last_transition_time` as long as its status stays the same, however its
    reason and message change.

    Args:
        old: What the status holds.
        new: What holds now; without times.
        now: `app.clock.wall_time()`; or a text, as in RFC 3339.
        generation: Of the object that was looked at.

    Raises:
        TypeError: `now` is no time.
        ValueError: It says nothing of its time zone, or is a text that is no time; or a new condition's status is none
            of the three.
    """
    before, instant = {each.type: each for each in old}, _instant(now)
    ours = [_dated(each, before.get(each.type), instant, generation) for each in new]
    types = {each.type for each in ours}
    return [*ours, *(each for each in old if each.type not in types)]


def _instant(now: object) -> str:
    if isinstance(now, str):
        if not _is_time(now):
            raise ValueError(f"now is {now!r}, must be a time with a zone, as in RFC 3339: 2026-01-31T12:00:00Z")
        return now
    check_is("now", now, datetime, "a datetime such as app.clock.wall_time()")
    if cast("datetime", now).tzinfo is None:
        raise ValueError(f"now is {now}, without a time zone, must have one, as app.clock.wall_time() has")
    return rfc3339(cast("datetime", now))


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _dated(condition: Condition, before: Condition | None, now: str, generation: int) -> Condition:
    if condition.status not in _STATUSES:
        raise ValueError(f"condition {condition.type}: its status is {condition.status!r}, must be one of {_STATUSES}")
    is_same = before is not None and before.status == condition.status
    since = (before.last_transition_time if before is not None and is_same else now) or now
    return msgspec.structs.replace(condition, last_transition_time=since, observed_generation=generation)
