"""Whom a protected server lets see its metrics."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest

from btcctl import codecs
from btcctl.controller.serving.http_request import Request
from btcctl.controller.serving.protection import ALLOWED_SECONDS, REFUSED_SECONDS, AccessReviews
from btcctl.errors import ConnectionRefused
from btcctl.rest.client import ApiClient
from btcctl.secret import Secret
from btcctl.testing.clock import FakeClock
from tests.unit.rest.fakes import ScriptedTransport, answer, status

KNOWN = answer(
    {"status": {"authenticated": True, "user": {"username": "prometheus", "groups": ["g"], "uid": "7"}}}, 201
)
UNKNOWN = answer({"status": {"user": {}, "error": "invalid bearer token"}}, 201)
ALLOWED, DENIED = (answer({"status": {"allowed": each}}, 201) for each in (True, False))


class Scene:
    """Reviews of an API server that answers by a script."""

    def __init__(self, *answers: Any) -> None:
        self.clock = FakeClock()
        self.transport = ScriptedTransport(*answers)
        self.reviews = AccessReviews(ApiClient(self.transport, clock=self.clock), self.clock)

    def ask(self, authorization: str = "Bearer abc", path: str = "/metrics") -> HTTPStatus:
        request = Request(path, verbose=False, is_head=False, keep_alive=True, authorization=Secret(authorization))
        refusal = self.reviews.refusal(request)
        return HTTPStatus.OK if refusal is None else refusal.status

    def asked(self) -> list[dict[str, Any]]:
        return [codecs.decode(each.body or b"")["spec"] for each in self.transport.requests]


def test_who_the_token_is_of_is_asked_and_then_whether_he_may_get_the_path() -> None:
    scene = Scene(KNOWN, ALLOWED)
    assert scene.ask() is HTTPStatus.OK
    token, access = scene.asked()
    assert token == {"token": "abc"}
    assert access == {
        "user": "prometheus",
        "groups": ["g"],
        "uid": "7",
        "nonResourceAttributes": {"path": "/metrics", "verb": "get"},
    }


@pytest.mark.parametrize("authorization", ["", "Basic abc", "Bearer", "Bearer  "])
def test_without_a_token_nobody_is_asked(authorization: str) -> None:
    scene = Scene()
    assert scene.ask(authorization) is HTTPStatus.UNAUTHORIZED
    assert scene.asked() == []


def test_a_token_that_the_server_does_not_know_and_a_user_that_may_not_are_refused() -> None:
    assert Scene(UNKNOWN).ask() is HTTPStatus.UNAUTHORIZED
    assert Scene(KNOWN, DENIED).ask() is HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("nonsense", [{}, {"status": None}, {"status": {"authenticated": "true"}}, {"status": []}])
def test_nonsense_lets_nobody_in(nonsense: dict[str, Any]) -> None:
    assert Scene(answer(nonsense, 201)).ask() is HTTPStatus.UNAUTHORIZED
    assert Scene(KNOWN, answer(nonsense, 201)).ask() is HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("user", ["root", ["root"], 1, True])
def test_a_user_that_is_none_has_no_name_and_no_groups(user: object) -> None:
    scene = Scene(answer({"status": {"authenticated": True, "user": user}}, 201), DENIED)
    assert scene.ask() is HTTPStatus.FORBIDDEN
    assert scene.asked()[1]["user"] == ""


def test_an_answer_is_remembered_for_a_moment_and_for_its_path_and_token_alone() -> None:
    scene = Scene(KNOWN, ALLOWED, KNOWN, DENIED, UNKNOWN, KNOWN, DENIED)
    assert scene.ask() is scene.ask() is HTTPStatus.OK
    assert scene.ask(path="/other") is HTTPStatus.FORBIDDEN
    assert scene.ask("Bearer other") is HTTPStatus.UNAUTHORIZED
    assert len(scene.asked()) == 5
    scene.clock.advance(ALLOWED_SECONDS)
    assert scene.ask() is HTTPStatus.FORBIDDEN


def test_a_refusal_is_forgotten_sooner() -> None:
    scene = Scene(KNOWN, DENIED, KNOWN, ALLOWED)
    assert scene.ask() is HTTPStatus.FORBIDDEN
    scene.clock.advance(REFUSED_SECONDS)
    assert scene.ask() is HTTPStatus.OK


@pytest.mark.parametrize("failure", [ConnectionRefused("refused"), status(403, "Forbidden", "may not create")])
def test_if_nobody_can_be_asked_nobody_is_let_in_and_the_next_one_asks_again(failure: object) -> None:
    scene = Scene(failure, KNOWN, ALLOWED)
    assert scene.ask() is HTTPStatus.SERVICE_UNAVAILABLE
    assert scene.ask() is HTTPStatus.OK
