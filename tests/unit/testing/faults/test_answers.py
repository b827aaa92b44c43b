from __future__ import annotations

import pytest

from btcctl.errors import ApiError, Gone, TooManyRequests
from btcctl.rest.answers import error_from
from btcctl.rest.transport.transport import Response
from btcctl.rest.watching.stream import WatchDecoder
from btcctl.testing.clock import FakeClock
from btcctl.testing.faults.answers import Answer, Answering, as_answer, error_event, refusal, status, text, too_large
from btcctl.testing.faults.requests import ProxiedRequest

REQUEST = ProxiedRequest("GET", "/x", {})


def understood(answer: Answer) -> ApiError:
    """What our client makes of it."""
    headers = {"Content-Type": answer.content_type, "Retry-After": str(answer.retry_after or "")}
    return error_from(Response(answer.status, headers, answer.body), FakeClock())


def test_refusals_are_what_a_client_takes_them_for():
    assert isinstance(understood(refusal(429, "TooManyRequests", "busy", retry_after=1)), TooManyRequests)
    assert understood(text(429, "busy", retry_after=1)).retry_after == 1.0
    assert understood(as_answer(too_large())).is_version_too_large


def test_a_refusal_can_come_as_the_first_event_of_a_watch():
    with pytest.raises(Gone):
        list(WatchDecoder().feed(error_event(status(410, "Expired")).body))


def test_a_rule_answers_as_often_as_it_is_told_and_whom_it_is_told():
    rule = Answering(text(503, "no"), lambda asked: asked.path == "/x", times=2)
    other = ProxiedRequest("GET", "/y", {})
    answered = [rule.answer(each) is not None for each in (REQUEST, other, REQUEST, REQUEST)]
    assert answered == [True, False, True, False]
    assert rule.is_spent


def test_a_rule_without_a_number_answers_for_ever():
    rule = Answering(text(503, "no"))
    assert all(rule.answer(REQUEST) for _ in range(100))
    assert not rule.is_spent
