"""JSON for people."""

from __future__ import annotations

import pytest

from btcctl.apiserver.requests.messages import ApiRequest, ApiResponse, for_reader

JSON = {"Content-Type": "application/json"}


def answered(agent: str, pretty: str = "", headers: dict[str, str] = JSON) -> bytes:
    query = {"pretty": [pretty]} if pretty else {}
    response = for_reader(ApiRequest("GET", "/", query, {"user-agent": agent}), ApiResponse(200, headers, b'{"a":{}}'))
    assert isinstance(response, ApiResponse)
    return response.body


@pytest.mark.parametrize(
    ("agent", "pretty", "is_indented"),
    [
        ("curl/8", "", True),
        ("Mozilla/5.0 (X11)", "", True),
        ("kubectl/v1.36", "", False),
        ("kubectl/v1.36", "true", True),
        ("curl/8", "false", False),
        ("curl/8", "yes", False),
    ],
)
def test_it_is_indented_for_who_asks_or_seems_to_look_himself(agent, pretty, is_indented):
    assert answered(agent, pretty) == (b'{\n  "a": {}\n}' if is_indented else b'{"a":{}}')


def test_other_texts_stay_as_they_are():
    assert answered("curl/8", headers={"Content-Type": "text/plain"}) == b'{"a":{}}'
