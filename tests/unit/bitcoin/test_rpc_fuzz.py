"""Whatever a node, or something in its place, answers: results, or errors of ours."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from btcctl.bitcoin.rpc import RpcFailure
from tests.properties import effort
from tests.unit.bitcoin.test_rpc import client
from tests.unit.rest.hostile import JSON, as_bytes, spoiled

ANSWER = {"jsonrpc": "2.0", "id": 0, "result": {"blocks": 1}, "error": None}
ERROR = {"jsonrpc": "2.0", "id": 0, "error": {"code": -28, "message": "Loading block index…"}}
STATUSES = st.sampled_from([200, 401, 403, 500, 503])


@effort(100)
@given(STATUSES, as_bytes(st.one_of(JSON, spoiled(ANSWER, ERROR))))
def test_a_call_has_a_result_or_an_error_of_ours(status: int, body: bytes) -> None:
    with contextlib.suppress(RpcFailure):
        client(status, body)[0].call("getblockchaininfo")


@effort(100)
@given(STATUSES, as_bytes(st.one_of(JSON, spoiled([ANSWER, {**ANSWER, "id": 1}], [ERROR]))))
def test_a_batch_has_results_or_an_error_of_ours(status: int, body: bytes) -> None:
    calls = [("getblockcount", ()), ("getpeerinfo", ())]
    with contextlib.suppress(RpcFailure):
        assert len(client(status, body)[0].batch(calls)) == len(calls)
