"""The envelope. No call here ever waits, so a coroutine ends at its first step."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btcctl.sandbox.simnode.rpc.jsonrpc import RpcError, answer

ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=6,
)


async def execute(method: str, params: Any) -> Any:
    if method == "fail":
        raise RpcError(-24, "no")
    if method == "missing":
        raise RpcError(-32601, "Method not found")
    return params


def finish(coroutine: Coroutine[Any, Any, tuple[int, bytes]]) -> tuple[int, bytes]:
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: tuple[int, bytes] = end.value
        return result
    raise AssertionError("it waits")


def ask(body: Any) -> tuple[int, Any]:
    status, reply = finish(answer(body if isinstance(body, bytes) else json.dumps(body).encode(), execute))
    return status, json.loads(reply) if reply else None


@pytest.mark.parametrize(("method", "status"), [("fail", 500), ("missing", 404), ("fine", 200)])
def test_version_1_shows_errors_in_the_status_and_version_2_does_not(method: str, status: int) -> None:
    assert ask({"method": method, "id": 1})[0] == status
    assert ask({"jsonrpc": "2.0", "method": method, "id": 1})[0] == 200


def test_version_1_has_both_result_and_error_and_version_2_one_of_them() -> None:
    assert ask({"method": "fine", "params": [5], "id": "x"})[1] == {"result": [5], "error": None, "id": "x"}
    assert ask({"jsonrpc": "2.0", "method": "fine", "id": 1})[1] == {"jsonrpc": "2.0", "result": None, "id": 1}
    failure = {"jsonrpc": "2.0", "error": {"code": -24, "message": "no"}, "id": 1}
    assert ask({"jsonrpc": "2.0", "method": "fail", "id": 1})[1] == failure


def test_an_absent_id_is_absent_from_the_answer_and_a_null_one_is_null() -> None:
    assert ask({"method": "fine"})[1] == {"result": None, "error": None}
    assert ask({"method": "fine", "id": None})[1] == {"result": None, "error": None, "id": None}


def test_an_item_that_is_no_object_goes_under_the_id_before_it() -> None:
    status, replies = ask([{"method": "fine", "id": 1}, 5])
    assert status == 200
    assert replies[1] == {"result": None, "error": {"code": -32600, "message": "Invalid Request object"}, "id": 1}
    assert ask([{"jsonrpc": "2.0", "method": "fine"}, 5]) == (204, None)


def test_a_notification_has_no_answer() -> None:
    assert ask({"jsonrpc": "2.0", "method": "fine"}) == (204, None)


@pytest.mark.parametrize("version", ["1.1", "3.0", ""])
def test_there_is_no_other_version(version: str) -> None:
    status, reply = ask({"jsonrpc": version, "method": "fine", "id": 1})
    assert (status, reply["error"]) == (400, {"code": -32600, "message": "JSON-RPC version not supported"})


def test_a_refused_version_2_request_is_still_an_http_error() -> None:
    assert ask({"jsonrpc": "2.0", "method": "fine", "params": 5, "id": 1})[0] == 400


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"NaN", b'{"a":1}x'])
def test_what_is_no_json_is_a_parse_error(body: bytes) -> None:
    assert ask(body) == (500, {"result": None, "error": {"code": -32700, "message": "Parse error"}, "id": None})


@settings(max_examples=50)
@given(ANY_JSON)
def test_whatever_json_comes_is_answered(body: Any) -> None:
    status, reply = ask(body)
    assert (status == 204) == (reply is None)
    if isinstance(body, list) and status == 200:
        assert len(reply) <= len(body)


@settings(max_examples=50)
@given(ANY_JSON, ANY_JSON)
def test_ids_and_params_come_back_as_they_were(id_: Any, params: Any) -> None:
    status, reply = ask({"method": "fine", "id": id_, "params": params})
    if isinstance(params, dict | list | None):
        assert (status, reply) == (200, {"result": params, "error": None, "id": id_})
    else:
        assert (status, reply["id"]) == (400, id_)
