"""What of a body is looked at twice, and what is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from btcctl.apiserver.requests.bodies import duplicate_fields
from tests.unit.apiserver.calls import CONFIG_MAPS, PODS, Server, pod


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"a": 1, "b" : {"c": 2}}', []),
        (b'{"a": "x\\":", "b": "\\":\\":"}', []),
        (b'{"a": 1, "a" : 2}', ["a"]),
        (b'{"a": {"b": 1,\n"b"\t: 2}}', ["a.b"]),
        (b'{"a": 1, "a": "\\u0022:"}', ["a"]),  # which is no key, and looks like one when it is written anew
    ],
)
def test_a_field_that_comes_twice_is_found_whatever_texts_look_like(body: bytes, found: list[str]) -> None:
    assert duplicate_fields(body, json.loads(body)) == [f'duplicate field "{each}"' for each in found]


@pytest.mark.parametrize(("value", "what"), [(0, "number"), ("", "string")])
def test_an_update_with_what_only_python_takes_for_the_same_is_refused(server: Server, value: Any, what: str) -> None:
    server.created(CONFIG_MAPS, {"metadata": {"name": "a"}, "immutable": False})
    answer = server.put(f"{CONFIG_MAPS}/a", {"metadata": {"name": "a"}, "immutable": value})
    assert answer.status == 400
    assert f"cannot unmarshal {what} into Go struct field ConfigMap.immutable of type bool" in answer.message


def test_a_float_in_the_place_of_the_same_integer_is_refused_in_an_update(server: Server) -> None:
    made = server.created(PODS, pod(terminationGracePeriodSeconds=30))
    made["spec"]["terminationGracePeriodSeconds"] = 30.0
    answer = server.put(f"{PODS}/p", made)
    assert answer.status == 400
    assert "PodSpec.spec.terminationGracePeriodSeconds of type int64" in answer.message


def test_an_update_that_sends_back_what_it_has_read_changes_nothing(server: Server) -> None:
    made = server.created(PODS, pod())
    assert server.put(f"{PODS}/p", made).body == made
