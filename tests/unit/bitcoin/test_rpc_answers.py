"""What a node was seen to answer, and as what RpcClient tells it.

Measured on Bitcoin Core 31.99, Bitcoin Knots 29.4 and bcoin 2.2. Under JSON-RPC 1.0 an error has a status of its own,
under 2.0 it is 200; bcoin always answers 200, in the shape of 1.0.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from btcctl.bitcoin import rpc, rpc_errors
from btcctl.bitcoin.rpc import Credentials, RpcClient, RpcError, RpcFailure
from btcctl.bitcoin.rpc_errors import RpcTimedOut

#: What was asked for, the status under 1.0, the code, words of the message, and how it is told.
ERRORS: list[tuple[str, int, int, str, type[RpcError]]] = [
    ("addnode add, listed already", 500, -23, "Error: Node already added", rpc.AlreadyAdded),
    ("addnode remove, not listed", 500, -24, "Error: Node could not be removed.", rpc.NotAdded),
    ("getaddednodeinfo of what is not listed", 500, -24, "Error: Node has not been added.", rpc.NotAdded),
    ("disconnectnode, not connected", 500, -29, "Node not found in connected nodes", rpc.NotConnected),
    ("addnode with a bad command", 500, -1, "addnode node command", rpc.Misused),
    ("addnode with a wrong type", 500, -3, "Wrong type passed", rpc.WrongType),
    ("addnode with v2transport where that is off", 500, -8, "v2transport requested but", rpc.InvalidParameter),
    ("a parameter of a name that there is not", 500, -8, "Unknown named parameter x", rpc.InvalidParameter),
    ("disconnectnode with address and number", 500, -32602, "Only one of address and nodeid", rpc.InvalidParams),
    ("addnode of a name, to bcoin", 200, -30, "Invalid IP address or subnet.", rpc.InvalidPeer),
    ("generate", 500, -1, "has been replaced by the -generate cli option", rpc.Misused),
    ("generatetoaddress to an address of mainnet", 500, -5, "Error: Invalid address", rpc.InvalidAddress),
    ("a method that there is not", 404, -32601, "Method not found", rpc.MethodNotFound),
    ("uptime, to bcoin", 200, -32601, "Method not found: uptime.", rpc.MethodNotFound),
    ("a version of JSON-RPC that is a number", 400, -32600, "jsonrpc field must be a string", rpc.InvalidRequest),
    ("no method", 400, -32600, "Missing method", rpc.InvalidRequest),
    ("no JSON", 500, -32700, "Parse error", rpc.ParseError),
    ("anything while it starts", 500, -28, "Loading P2P addresses…", rpc.WarmingUp),
    ("loadtxoutset of an unknown snapshot", 500, -32603, "Unable to load UTXO snapshot", rpc.NodeFailed),
    ("no wallet of that name", 500, -18, "Requested wallet does not exist", rpc.WalletNotFound),
    ("several wallets", 500, -19, "Multiple wallets are loaded", rpc.WalletNotSpecified),
    ("more than there is", 500, -6, "Insufficient funds", rpc.InsufficientFunds),
    ("a transaction that breaks a rule", 500, -26, "min relay fee not met", rpc.VerifyRejected),
    ("a code that nobody knows", 500, -4711, "new", rpc.RpcError),
]

#: What was asked for, status, body, and how it is told.
OTHERS: list[tuple[str, int, bytes, type[RpcFailure]]] = [
    ("a wrong password", 401, b"", rpc.RpcUnauthorized),
    ("from an address that is not allowed", 403, b"", rpc.RpcForbidden),
    ("a method that this user may not call", 403, b"", rpc.RpcForbidden),
    ("GET or PUT", 405, b"JSONRPC server handles only POST requests", rpc.RpcRejected),
    ("another path", 404, b"", rpc.RpcRejected),
    ("headers of more than 8 KiB", 400, b"<HTML><HEAD><TITLE>400 Bad Request</TITLE>", rpc.RpcRejected),
    ("more than it lets wait", 503, b"Work queue depth exceeded", rpc.RpcOverloaded),
    ("anything while it ends", 503, b"<HTML><HEAD><TITLE>503 Service Unavailable", rpc.RpcStopping),
    ("a notification", 204, b"", rpc.RpcUnavailable),
    ("GET of bcoin's status", 200, b"Hello", rpc.RpcUnavailable),
    ("no JSON, to bcoin", 500, b'{"result":null,"error":{"message":"Unexpected token"},"id":null}', rpc.RpcError),
]


class Node:
    """Answers one thing."""

    def __init__(self, status: int, body: bytes) -> None:
        self._answer = status, body

    def post(self, url: str, headers: dict[str, str], body: bytes, **how: Any) -> tuple[int, bytes]:
        return self._answer


def told(status: int, body: bytes) -> RpcFailure:
    with pytest.raises(RpcFailure) as caught:
        RpcClient("http://10.0.0.1:18443", Credentials("a", "b"), connections=Node(status, body)).call("x")  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize(("status", "code", "words", "kind"), [each[1:] for each in ERRORS], ids=[e[0] for e in ERRORS])
def test_each_error_has_its_type_under_both_versions(status: int, code: int, words: str, kind: type[RpcError]) -> None:
    error = {"code": code, "message": words}
    old = told(status, json.dumps({"result": None, "error": error, "id": 0}).encode())
    new = told(200, json.dumps({"jsonrpc": "2.0", "error": error, "id": 0}).encode())
    for each in (old, new):
        assert (type(each), getattr(each, "code", None)) == (kind, code)
        assert words in str(each)


@pytest.mark.parametrize(("status", "body", "kind"), [each[1:] for each in OTHERS], ids=[e[0] for e in OTHERS])
def test_each_answer_that_is_no_json_rpc_has_its_type(status: int, body: bytes, kind: type[RpcFailure]) -> None:
    assert type(told(status, body)) is kind


def test_every_type_of_failure_is_somebodys_answer() -> None:
    declared = {each for each in vars(rpc_errors).values() if isinstance(each, type) and issubclass(each, RpcFailure)}
    answered = {row[-1] for row in (*ERRORS, *OTHERS)}
    assert declared - answered == {RpcFailure, RpcTimedOut}  # no answer at all: test_rpc_sockets
    assert all(each.__name__ in rpc.__all__ for each in declared)
