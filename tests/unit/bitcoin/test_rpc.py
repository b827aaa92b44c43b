from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from btcctl import bitcoin
from btcctl.bitcoin.rpc import (
    AlreadyAdded,
    Credentials,
    MethodNotFound,
    Misused,
    NotAdded,
    NotConnected,
    RpcClient,
    RpcConnections,
    RpcError,
    RpcFailure,
    RpcForbidden,
    RpcOverloaded,
    RpcStopping,
    RpcUnauthorized,
    RpcUnavailable,
    WalletNotFound,
    WarmingUp,
)

CREDENTIALS = Credentials("alice", "geheim")


class Answering:
    """Stands for the connections: answers the same to everything, and keeps what was sent."""

    def __init__(self, status: int, body: Any) -> None:
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.sent: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.retried: list[bool] = []
        self.seconds: list[float | None] = []
        self.urls: list[str] = []

    def post(
        self, url: str, headers: dict[str, str], body: bytes, *, retry: bool, seconds: float | None = None
    ) -> tuple[int, bytes]:
        self.sent.append(json.loads(body))
        self.headers.append(headers)
        self.retried.append(retry)
        self.seconds.append(seconds)
        self.urls.append(url)
        return self.status, self.body


def client(status: int, body: Any) -> tuple[RpcClient, Answering]:
    answering = Answering(status, body)
    return RpcClient("http://10.0.0.1:18443/", CREDENTIALS, connections=answering), answering  # type: ignore[arg-type]


def result(value: Any, number: int = 0) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "result": value}


def failure(code: int, message: str = "no") -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 0, "error": {"code": code, "message": message}}


def test_a_call_is_json_rpc_2_with_a_version_in_words_and_a_list_of_parameters() -> None:
    rpc, answering = client(200, result(7))
    assert rpc.call("getblockcount") == 7
    assert answering.sent == [{"jsonrpc": "2.0", "id": 0, "method": "getblockcount", "params": []}]


def test_credentials_travel_as_basic_authorization() -> None:
    rpc, answering = client(200, result(None))
    rpc.call("addnode", "10.0.0.2", "add")
    assert answering.headers[0]["authorization"] == "Basic " + b64encode(b"alice:geheim").decode()


@pytest.mark.parametrize("status", [200, 500, 404])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *((-28, WarmingUp), (-23, AlreadyAdded), (-24, NotAdded), (-29, NotConnected), (-32601, MethodNotFound)),
        *((-1, Misused), (-18, WalletNotFound), (-32099, RpcError)),
    ],
)
def test_errors_are_told_apart_by_code_whatever_the_status(status: int, code: int, kind: type[RpcError]) -> None:
    rpc, _ = client(status, failure(code, "the node's words"))
    with pytest.raises(RpcError, match="the node's words") as caught:
        rpc.call("addnode", "x", "add")
    assert type(caught.value) is kind
    assert caught.value.code == code


@pytest.mark.parametrize("status", [401, 403])
def test_an_empty_body_with_401_or_403_means_we_are_not_welcome(status: int) -> None:
    rpc, _ = client(status, b"")
    with pytest.raises(RpcUnauthorized):
        rpc.call("getblockcount")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, b"Work queue depth exceeded"),
        (405, b"JSONRPC server handles only POST requests"),
        (404, b""),
        (200, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"\xff\xfe"),
        (200, b'{"id":0,"result":' + b"[" * 100_000),
        (200, json.dumps(result(1, number=9)).encode()),
    ],
)
def test_an_answer_that_makes_no_sense_is_no_answer(status: int, body: bytes) -> None:
    rpc, _ = client(status, body)
    with pytest.raises(RpcUnavailable):
        rpc.call("getblockcount")


def test_a_batch_is_one_round_trip_and_its_answers_may_come_in_any_order() -> None:
    rpc, answering = client(200, [result("b", 1), result("a", 0)])
    assert rpc.batch([("first", ()), ("second", (1,))]) == ["a", "b"]
    assert [(each["id"], each["method"], each["params"]) for each in answering.sent[0]] == [
        (0, "first", []),
        (1, "second", [1]),
    ]


@pytest.mark.parametrize("answers", [[], [result("a", 0)], [result("a", 0), result("b", 5)], result("a", 0)])
def test_a_batch_with_answers_missing_is_no_answer(answers: Any) -> None:
    rpc, _ = client(200, answers)
    with pytest.raises(RpcUnavailable):
        rpc.batch([("first", ()), ("second", ())])


def test_a_batch_in_warm_up_says_so() -> None:
    rpc, _ = client(200, [failure(-28, "Loading block index…")])
    with pytest.raises(WarmingUp, match="Loading"):
        rpc.batch([("first", ())])


def test_calls_may_be_made_twice_unless_asked_not_to() -> None:
    rpc, answering = client(200, result(None))
    rpc.call("getblockcount")
    rpc.call("generatetoaddress", 1, "address", retry=False)
    assert answering.retried == [True, False]


@pytest.mark.parametrize("address", ["localhost", "10.0.0.1:80", "10.0.0.1@evil", "", "10.0.0.1/x"])
def test_only_an_ip_address_can_be_called(address: str) -> None:
    with pytest.raises(ValueError, match="IP"):
        RpcConnections(18443).client(address, CREDENTIALS)


def test_an_ipv6_address_is_put_in_brackets() -> None:
    assert repr(RpcConnections(18443).client("fd00::1", CREDENTIALS)) == "RpcClient(http://[fd00::1]:18443/)"


def test_no_error_and_no_repr_shows_the_credentials() -> None:
    rpc, _ = client(401, b"")
    with pytest.raises(RpcUnauthorized) as caught:
        rpc.call("getblockcount")
    shown = f"{caught.value} {caught.value!r} {rpc!r} {CREDENTIALS!r} {CREDENTIALS}"
    assert "geheim" not in shown
    assert "alice" not in shown


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b"", RpcUnauthorized),
        (403, b"", RpcForbidden),
        (503, b"Work queue depth exceeded", RpcOverloaded),
        (503, b"<html>shutting down</html>", RpcStopping),
        (204, b"", RpcUnavailable),
    ],
)
def test_each_answer_without_json_is_a_failure_of_its_own_type(status: int, body: bytes, kind: type[Exception]) -> None:
    rpc, _ = client(status, body)
    with pytest.raises(RpcFailure) as caught:
        rpc.call("getblockcount")
    assert type(caught.value) is kind


def test_a_batch_can_be_had_with_the_failures_of_its_calls_in_their_places() -> None:
    rpc, _ = client(200, [{**failure(-24), "id": 1}, result("a", 0)])
    first, second = rpc.outcomes([("first", ()), ("second", ())])
    assert first == "a"
    assert (type(second), second.code) == (NotAdded, -24)


def test_a_batch_that_is_refused_as_a_whole_says_why() -> None:
    rpc, _ = client(500, {**failure(-32700, "Parse error"), "id": None})
    with pytest.raises(RpcError, match="Parse error"):
        rpc.batch([("first", ())])


def test_parameters_can_have_names_beside_positions() -> None:
    rpc, answering = client(200, result([]))
    rpc.call("generatetoaddress", 1, named={"address": "bcrt1q"})
    rpc.call("getblocktemplate", {"rules": ["segwit"]})
    assert [each["params"] for each in answering.sent] == [
        {"address": "bcrt1q", "args": [1]},
        [{"rules": ["segwit"]}],
    ]


def test_a_wallet_is_called_at_its_own_path() -> None:
    rpc, answering = client(200, result("0.1"))
    assert rpc.wallet("my wallet/1").call("getbalance") == "0.1"
    assert answering.urls == ["http://10.0.0.1:18443/wallet/my%20wallet%2F1"]


def test_a_call_has_its_own_time_or_the_client_s() -> None:
    answering = Answering(200, result(7))
    rpc = RpcClient("http://10.0.0.1", CREDENTIALS, timeout=3.0, connections=answering)  # type: ignore[arg-type]
    rpc.call("getblockcount")
    rpc.call("getblockcount", timeout=0.5)
    assert answering.seconds == [3.0, 0.5]


@pytest.mark.parametrize("url", ["10.0.0.1:18443", "https://10.0.0.1", "http://user:geheim@10.0.0.1", "http://"])
def test_a_url_that_is_none_for_a_node_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ValueError, match="http://HOST:PORT") as caught:
        RpcClient(url, CREDENTIALS)
    assert "geheim" not in str(caught.value)


def test_what_a_program_needs_can_be_imported_from_the_package() -> None:
    assert bitcoin.RpcClient is RpcClient
    assert all(getattr(bitcoin, name) for name in bitcoin.__all__)
    with pytest.raises(AttributeError, match="nonesuch"):
        _ = bitcoin.nonesuch
