"""Faults that are answers: to a watch, to a list, to whatever comes next."""

from __future__ import annotations

from collections.abc import Callable

from btcctl.testing.faults.answers import Answer, Answering, as_answer, error_event, refusal, status
from btcctl.testing.faults.breaking import InProxy
from btcctl.testing.faults.pace import Pace
from btcctl.testing.faults.proxy import FaultProxy
from btcctl.testing.faults.requests import ProxiedRequest, Rule
from btcctl.testing.faults.streams import End

EXPIRED = status(410, "Expired", "too old resource version: 1 (804)")
NO_STREAMS = refusal(422, "Invalid", "sendInitialEvents is forbidden")
TURN_SECONDS = 150.0  # until a client has come back, found out and tried again

Which = Callable[[ProxiedRequest], bool]


def is_watch(asked: ProxiedRequest) -> bool:
    return asked.is_watch and not asked.is_streamed_list


def is_list(asked: ProxiedRequest) -> bool:
    return asked.is_list


def is_streamed(asked: ProxiedRequest) -> bool:
    return asked.is_streamed_list


def is_read(asked: ProxiedRequest) -> bool:
    return asked.method == "GET"


def refuse(answer: Answer, to: Which, *, times: int = 1) -> InProxy:
    """Have the watches end, and give that answer to so many requests of those that follow."""

    def inject(proxy: FaultProxy, pace: Pace) -> None:
        rule = Answering(answer, to, times=times)
        with proxy.rule(rule):
            proxy.end_watches(End.CLEAN)
            pace.wait_for(lambda: rule.is_spent, TURN_SECONDS)

    return inject


def when_listing(make_rules: Callable[[], list[Rule]]) -> InProxy:
    """Have the version of a watch refused, and rules in force for the list that follows.

    Args:
        make_rules: Makes them anew each time: rules count.
    """

    def inject(proxy: FaultProxy, pace: Pace) -> None:
        expired = Answering(error_event(EXPIRED), is_watch, times=1)
        with proxy.rule(expired, *make_rules()):
            proxy.end_watches(End.CLEAN)
            pace.wait_for(lambda: expired.is_spent, TURN_SECONDS)
            pace.wait_for(lambda: proxy.open_watches() > 0, TURN_SECONDS)

    return inject


def refuse_list(answer: Answer, streamed: Answer | None = None) -> InProxy:
    """Refuse the list that is not older than some version.

    Args:
        streamed: The answer to a streamed list, if another one.
    """
    return when_listing(
        lambda: [
            Answering(answer, lambda asked: _has_version(asked) and asked.is_list, times=1),
            Answering(streamed or answer, lambda asked: _has_version(asked) and asked.is_streamed_list, times=1),
        ]
    )


def answer_lists(answer: Answer, to: Which, *, times: int | None = None) -> InProxy:
    return when_listing(lambda: [Answering(answer, to, times=times)])


def expire_token() -> list[Rule]:
    """There are several pages only at the latest version, so the one before is refused, too."""
    expired = as_answer(EXPIRED)
    return [
        Answering(NO_STREAMS, is_streamed),
        Answering(expired, _has_version, times=1),
        Answering(expired, lambda asked: "continue" in asked.query, times=1),
    ]


def expire_in_mid_stream(proxy: FaultProxy, _: Pace) -> None:
    proxy.tell({"type": "ERROR", "object": EXPIRED})
    proxy.end_watches(End.CLEAN)


def forbid(proxy: FaultProxy, pace: Pace) -> None:
    with proxy.rule(Answering(refusal(403, "Forbidden", "you may not, for now"), is_read)):
        proxy.end_watches(End.CLEAN)
        pace.wait(30.0)


def forbid_watches(proxy: FaultProxy, pace: Pace) -> None:
    """As of a role that allows list and forgets watch."""
    with proxy.rule(Answering(refusal(403, "Forbidden", "you cannot watch, for now"), lambda asked: asked.is_watch)):
        proxy.end_watches(End.CLEAN)
        pace.wait(100.0)


def _has_version(asked: ProxiedRequest) -> bool:
    """A list, in pages or streamed, that is to be not older than some version."""
    return (asked.is_list or asked.is_streamed_list) and asked.version not in {"", "0"}
