"""What a controller relies on, asked of the simulated node and of Bitcoin Core alike."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from btcctl.clock import SYSTEM_CLOCK
from btcctl.sandbox.demonstration.commands import P2P_PORT, RPC_PORT
from tests.integration.sandbox.nodes import ADDRESS, ENV, Farm, TestNode, basic, endpoint, farm_of, real_bitcoind
from tests.integration.support import eventually

OTHER_ADDRESS = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn"
GENESIS = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"


@pytest.fixture(scope="module", params=["simulated", pytest.param("real", marks=pytest.mark.real_bitcoind)])
def bitcoind(request: pytest.FixtureRequest) -> Path | None:
    return real_bitcoind() if request.param == "real" else None


@pytest.fixture
def farm(bitcoind: Path | None, tmp_path: Path) -> Iterator[Farm]:
    with farm_of(bitcoind, tmp_path) as farm:
        yield farm


@pytest.fixture(scope="module")
def shared(bitcoind: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestNode]:
    """One node for tests that leave nothing behind in it."""
    with farm_of(bitcoind, tmp_path_factory.mktemp("shared")) as farm:
        yield farm.start(1)[0]


@pytest.fixture
def node(farm: Farm) -> TestNode:
    return farm.start(1)[0]


@contextlib.contextmanager
def listeners(addresses: list[str]) -> Iterator[list[str]]:
    """Sockets that accept links and say nothing."""
    with contextlib.ExitStack() as stack:
        for address in addresses:
            stack.enter_context(socket.create_server((address, P2P_PORT)))
        yield addresses


# -- what differs from version to version: Core is 28 to 31.99, Knots is 29.4, as Debian packages it


def is_knots(node: TestNode) -> bool:
    return "Knots" in str(node.call("getnetworkinfo")["subversion"])


#: Knots knows one argument more.
ADDNODE_HELP = 'addnode "node" "command" ( v2transport )\n'
KNOTS_ADDNODE_HELP = 'addnode "node" "command" ( v2transport "connection_type" )\n'


def answers_of_knots(body: Any, status: int, answer: Any) -> tuple[int, Any]:
    """Core refuses a version of JSON-RPC that it does not know, Knots 29.4 takes it for none."""
    if isinstance(body, dict) and body.get("jsonrpc", "1.0") not in {"1.0", "2.0"}:
        return 200, {"result": 0, "error": None, "id": body["id"]}
    return status, answer


def errors_of_knots(call: Any, code: int, message: str) -> tuple[int, str]:
    """Knots' addnode knows one argument more, and takes a text for that one."""
    if message == ADDNODE_HELP:
        return code, KNOTS_ADDNODE_HELP
    return (-8, "Unknown connection type yes") if call == ("addnode", "127.0.0.9", "add", "yes") else (code, message)


# -- the envelope


@pytest.mark.parametrize(
    ("body", "status", "answer"),
    [
        (b"{", 500, {"result": None, "error": {"code": -32700, "message": "Parse error"}, "id": None}),
        (b"", 500, {"result": None, "error": {"code": -32700, "message": "Parse error"}, "id": None}),
        (b"5", 500, {"result": None, "error": {"code": -32700, "message": "Top-level object parse error"}, "id": None}),
        ({}, 400, {"result": None, "error": {"code": -32600, "message": "Missing method"}}),
        ({"method": 5}, 400, {"result": None, "error": {"code": -32600, "message": "Method must be a string"}}),
        (
            {"method": "getblockcount", "params": 5, "id": 1},
            400,
            {"result": None, "error": {"code": -32600, "message": "Params must be an array or object"}, "id": 1},
        ),
        (
            {"jsonrpc": 1, "method": "getblockcount", "params": None, "id": "0"},
            400,
            {"result": None, "error": {"code": -32600, "message": "jsonrpc field must be a string"}, "id": "0"},
        ),
        (
            {"jsonrpc": "1.1", "method": "getblockcount", "id": 7},
            400,
            {"result": None, "error": {"code": -32600, "message": "JSON-RPC version not supported"}, "id": 7},
        ),
        ({"jsonrpc": "1.0", "method": "getblockcount", "params": None}, 200, {"result": 0, "error": None}),
        ({"method": "getblockcount", "params": {}, "id": 1}, 200, {"result": 0, "error": None, "id": 1}),
        ({"jsonrpc": "2.0", "method": "getblockcount", "id": None}, 200, {"jsonrpc": "2.0", "result": 0, "id": None}),
        (
            {"method": "nosuch", "id": 2},
            404,
            {"result": None, "error": {"code": -32601, "message": "Method not found"}, "id": 2},
        ),
        (
            {"jsonrpc": "2.0", "method": "nosuch", "id": 2},
            200,
            {"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": 2},
        ),
        (
            {"method": "getblockhash", "params": [999], "id": 3},
            500,
            {"result": None, "error": {"code": -8, "message": "Block height out of range"}, "id": 3},
        ),
        (
            {"method": "getaddednodeinfo", "params": {"bogus": 1}, "id": 4},
            500,
            {"result": None, "error": {"code": -8, "message": "Unknown named parameter bogus"}, "id": 4},
        ),
        ([], 200, []),
        (
            [
                {"method": "getblockcount", "id": 1},
                {"method": "nosuch", "id": 2},
                {"jsonrpc": "2.0", "method": "getblockcount", "id": 3},
                {"jsonrpc": "2.0", "method": "getblockcount"},
                5,
            ],
            200,
            [
                {"result": 0, "error": None, "id": 1},
                {"result": None, "error": {"code": -32601, "message": "Method not found"}, "id": 2},
                {"jsonrpc": "2.0", "result": 0, "id": 3},
            ],
        ),
    ],
)
def test_status_and_body_follow_the_version(shared: TestNode, body: Any, status: int, answer: Any) -> None:
    if is_knots(shared):
        status, answer = answers_of_knots(body, status, answer)
    got = shared.post(body)
    assert (got.status, got.json) == (status, answer)
    assert got.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("one", [{"jsonrpc": "2.0", "method": "nosuch"}, [{"jsonrpc": "2.0", "method": "uptime"}]])
def test_notifications_are_answered_with_204_and_nothing(shared: TestNode, one: Any) -> None:
    got = shared.post(one)
    assert (got.status, got.body) == (204, b"")


def test_a_wrong_password_is_refused_late_and_with_an_empty_body(shared: TestNode) -> None:
    began_at = SYSTEM_CLOCK.now()
    got = shared.post({"method": "uptime"}, password="wrong")
    assert (got.status, got.body, got.headers["Content-Length"]) == (401, b"", "0")
    assert got.headers["WWW-Authenticate"] == 'Basic realm="jsonrpc"'
    assert SYSTEM_CLOCK.now() - began_at >= 0.25


def test_no_password_is_refused_at_once(shared: TestNode) -> None:
    def seconds() -> float:
        began_at = SYSTEM_CLOCK.now()
        assert shared.request("POST", "/", b"{}").status == 401
        return SYSTEM_CLOCK.now() - began_at

    assert any(seconds() < 0.2 for _ in range(50))  # a busy machine is late, but not every time


def test_only_post_and_only_known_paths(shared: TestNode) -> None:
    assert (shared.get("/").status, shared.get("/").body) == (405, b"JSONRPC server handles only POST requests")
    assert (shared.get("/nosuch").status, shared.get("/nosuch").body) == (404, b"")


def test_a_connection_serves_many_requests_and_pipelining(shared: TestNode) -> None:
    body = b'{"method":"getblockcount","id":1}'
    authorization = basic(ENV["BC_RPC_USER"], ENV["BC_RPC_PASSWORD"])["Authorization"]
    head = f"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((shared.ip, RPC_PORT), timeout=10) as connection:
        connection.sendall((head.encode() + body) * 3)
        received = b""
        while received.count(b'"error":null') < 3:
            received += connection.recv(65536)
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 3


def test_chunked_bodies_are_understood(shared: TestNode) -> None:
    connection = http.client.HTTPConnection(shared.ip, RPC_PORT, timeout=10)
    chunks = iter([b'{"method":"getblock', b'count","id":1}'])
    headers = basic(ENV["BC_RPC_USER"], ENV["BC_RPC_PASSWORD"])
    connection.request("POST", "/", chunks, headers, encode_chunked=True)
    assert json.load(connection.getresponse())["result"] == 0
    connection.close()


def test_headers_beyond_8_kib_are_a_bad_request(shared: TestNode) -> None:
    assert shared.request("POST", "/", b"{}", {"X-Long": "x" * 9000}).status == 400


def test_an_idle_connection_is_closed_by_the_node(farm: Farm) -> None:
    node = farm.node().start("-rpcservertimeout=1").wait_until_ready()
    began_at = SYSTEM_CLOCK.now()
    with socket.create_connection((node.ip, RPC_PORT), timeout=60) as connection:
        assert connection.recv(1) == b""
    assert 0.5 < SYSTEM_CLOCK.now() - began_at < 25  # of the 30 that it takes by itself


def test_beyond_workers_and_queue_calls_are_turned_away(farm: Farm) -> None:
    node = farm.node().start("-rpcthreads=1", "-rpcworkqueue=1").wait_until_ready()
    wrong = [http.client.HTTPConnection(node.ip, RPC_PORT, timeout=10) for _ in range(8)]
    for connection in wrong:
        connection.request("POST", "/", b"{}", basic("nobody", "wrong"))
    answers = [(response.status, response.read()) for response in (each.getresponse() for each in wrong)]
    for connection in wrong:
        connection.close()
    assert (503, b"Work queue depth exceeded") in answers
    assert (401, b"") in answers


# -- addnode and its relatives


@pytest.mark.parametrize(
    ("call", "code", "message"),
    [
        (("addnode", "127.0.0.99", "remove"), -24, "Error: Node could not be removed. It has not been added"),
        (("getaddednodeinfo", "127.0.0.99"), -24, "Error: Node has not been added."),
        (("getaddednodeinfo", ""), -24, "Error: Node has not been added."),
        (("getaddednodeinfo", True), -3, 'Wrong type passed:\n{\n    "Position 1 (node)"'),
        (("getaddednodeinfo", "x", "y"), -1, 'getaddednodeinfo ( "node" )\n'),
        (("disconnectnode", "127.0.0.99"), -29, "Node not found in connected nodes"),
        (("disconnectnode", "", 99), -29, "Node not found in connected nodes"),
        (("disconnectnode",), -32602, "Only one of address and nodeid should be provided."),
        (("disconnectnode", "a", 3), -32602, "Only one of address and nodeid should be provided."),
        (("addnode",), -1, ADDNODE_HELP),
        (("addnode", "127.0.0.99", "bogus"), -1, ADDNODE_HELP),
        (
            ("addnode", 5, "add"),
            -3,
            'Wrong type passed:\n{\n    "Position 1 (node)": "JSON value of type number is not',
        ),
        (("addnode", "127.0.0.9", "add", "yes"), -3, 'Wrong type passed:\n{\n    "Position 3 (v2transport)"'),
        (("generatetoaddress", 1, "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"), -5, "Error: Invalid address"),
        (("generatetoaddress", 1, "R9NVxTj2ewfiTUzAfn7FSsq9kxNt6fjaaZ"), -5, "Error: Invalid address"),
        (("getblockheader", "00" * 32), -5, "Block not found"),
        (("getblockheader", "abc"), -8, "hash must be of length 64 (not 3, for 'abc')"),
        (("setnetworkactive", 1), -3, "Wrong type passed:"),
    ],
)
def test_errors_have_their_codes_and_words(shared: TestNode, call: Any, code: int, message: str) -> None:
    if is_knots(shared):
        code, message = errors_of_knots(call, code, message)
    got_code, got_message = shared.error(*call)
    assert got_code == code
    assert got_message.startswith(message)


def test_adding_compares_addresses_and_removing_compares_strings(node: TestNode) -> None:
    node.call("addnode", "127.0.0.99", "add")
    for spelling in ("127.0.0.99", "127.0.0.99:18444", "::ffff:127.0.0.99"):
        assert node.error("addnode", spelling, "add") == (-23, "Error: Node already added")
    assert node.error("addnode", "127.0.0.99:18444", "remove")[0] == -24
    node.call("addnode", "127.0.0.99:18445", "add")
    assert list(node.added()) == ["127.0.0.99", "127.0.0.99:18445"]
    node.call("addnode", "127.0.0.99", "remove")
    assert list(node.added()) == ["127.0.0.99:18445"]


def test_any_string_is_taken(node: TestNode) -> None:
    strings = ["", "not an ip!!", "127.0.0.3:99999", " 127.0.0.3", "no-such-host.invalid"]
    for string in strings:
        assert node.call("addnode", string, "add") is None
    assert node.added() == dict.fromkeys(strings, False)


def test_the_first_peer_added_is_dialled_by_the_next_look_and_the_second_one_is_not(farm: Farm) -> None:
    node, first, second = farm.start(3)
    node.call("addnode", first.ip, "add")
    eventually(lambda: node.added() == {first.ip: True})
    node.call("addnode", second.ip, "add")
    info = node.call("getaddednodeinfo", first.ip)
    assert info[0]["addresses"] == [{"address": endpoint(first), "connected": "outbound"}]
    with pytest.raises(AssertionError):  # not for 60 s after a dial
        eventually(lambda: node.added()[second.ip], 3.0)


def test_onetry_connects_at_once_and_keeps_no_entry(farm: Farm) -> None:
    node, peer = farm.start(2)
    assert node.call("addnode", peer.ip, "onetry") is None
    assert node.call("getconnectioncount") == 1
    assert node.call("getaddednodeinfo") == []
    eventually(lambda: node.outbound() == [peer.ip])
    node.call("addnode", peer.ip, "add")
    assert node.added() == {peer.ip: True}


def test_onetry_is_silent_about_failure_and_about_a_link_that_exists(farm: Farm) -> None:
    node, peer = farm.start(2)
    assert node.call("addnode", farm.address(), "onetry") is None
    for spelling in (peer.ip, peer.ip, endpoint(peer)):
        assert node.call("addnode", spelling, "onetry") is None
    assert node.call("getconnectioncount") == 1


def test_a_pair_that_dials_each_other_holds_two_links(farm: Farm) -> None:
    one, other = farm.start(2)
    one.call("addnode", other.ip, "onetry")
    other.call("addnode", one.ip, "onetry")
    for node in (one, other):
        eventually(lambda node=node: sorted(peer["inbound"] for peer in node.call("getpeerinfo")) == [False, True])
        info = node.call("getnetworkinfo")
        assert (info["connections"], info["connections_in"], info["connections_out"]) == (2, 1, 1)


def test_remove_keeps_the_link_and_disconnect_wants_the_string_that_was_dialled(farm: Farm) -> None:
    node, peer = farm.start(2)
    node.call("addnode", peer.ip, "add")
    node.call("addnode", peer.ip, "onetry")
    node.call("addnode", peer.ip, "remove")
    assert node.call("getconnectioncount") == 1
    assert node.error("disconnectnode", endpoint(peer))[0] == -29
    node.call("disconnectnode", peer.ip)
    eventually(lambda: (node.call("getconnectioncount"), peer.call("getconnectioncount")) == (0, 0))


def test_an_inbound_peer_is_disconnected_by_its_id(farm: Farm) -> None:
    node, peer = farm.start(2)
    peer.call("addnode", node.ip, "onetry")
    (link,) = eventually(lambda: node.call("getpeerinfo"))
    assert (link["inbound"], link["connection_type"]) == (True, "inbound")
    node.call("disconnectnode", "", link["id"])
    eventually(lambda: peer.call("getconnectioncount") == 0)


def test_a_node_told_to_dial_itself_lets_go(node: TestNode) -> None:
    node.call("addnode", node.ip, "add")
    eventually(lambda: "connected to self at" in node.log_path.read_text())
    eventually(lambda: node.added() == {node.ip: False})
    eventually(lambda: node.call("getconnectioncount") == 0)


def test_a_listener_that_is_no_node_counts_as_connected_without_a_handshake(farm: Farm, node: TestNode) -> None:
    ip = farm.address()
    with socket.create_server((ip, P2P_PORT)):
        node.call("addnode", ip, "onetry")
        (link,) = node.call("getpeerinfo")
        assert (link["addr"], link["version"], link["connection_type"]) == (ip, 0, "manual")
        assert node.call("getnetworkinfo")["connections_out"] == 1


def test_the_ninth_peer_is_not_dialled_but_can_be_tried(farm: Farm, node: TestNode) -> None:
    with listeners([farm.address() for _ in range(9)]) as addresses:
        for address in addresses:
            node.call("addnode", address, "add")
        eventually(lambda: sum(node.added().values()) == 8)
        assert node.added() == {address: address != addresses[-1] for address in addresses}
        node.call("addnode", addresses[-1], "onetry")
        assert all(node.added().values())


def test_switching_the_network_off_drops_every_link(farm: Farm) -> None:
    node, peer = farm.start(2)
    node.call("addnode", peer.ip, "onetry")
    assert node.call("setnetworkactive", False) is False
    eventually(lambda: node.call("getconnectioncount") == 0)
    assert node.call("getnetworkinfo")["networkactive"] is False
    node.call("addnode", peer.ip, "onetry")
    assert node.call("getconnectioncount") == 0
    assert node.call("setnetworkactive", True) is True


def test_every_field_of_a_peer_that_a_controller_reads_is_there(farm: Farm) -> None:
    node, peer = farm.start(2)
    node.call("addnode", peer.ip, "onetry")
    eventually(node.outbound)
    eventually(lambda: "pingtime" in node.call("getpeerinfo")[0])
    (link,) = node.call("getpeerinfo")
    assert link["version"] == 70016
    assert link["transport_protocol_type"] == "v2"
    assert {"id", "addrbind", "network", "services", "lastsend", "lastrecv", "conntime", "subver"} <= link.keys()
    assert {"synced_headers", "synced_blocks", "bytessent", "bytesrecv", "minping"} <= link.keys()


# -- the chain


def test_a_fresh_node_stands_at_genesis(shared: TestNode) -> None:
    info = shared.call("getblockchaininfo")
    expected = {"chain": "regtest", "blocks": 0, "headers": 0, "bestblockhash": GENESIS, "initialblockdownload": True}
    assert expected.items() <= info.items()
    assert info["chainwork"] == f"{2:064x}"
    assert shared.call("getblockhash", 0) == GENESIS
    header = shared.call("getblockheader", GENESIS)
    assert (header["time"], header["nonce"], header["confirmations"]) == (1296688602, 2, 1)
    assert "previousblockhash" not in header


def test_mined_blocks_reach_every_node(farm: Farm) -> None:
    nodes = farm.start(3)
    for node in nodes[1:]:
        nodes[0].call("addnode", node.ip, "onetry")
    best = nodes[0].mine(101)
    for node in nodes:
        eventually(lambda node=node: node.best() == best)
        assert node.call("getblockcount") == 101
    assert nodes[2].call("getblockchaininfo")["initialblockdownload"] is False
    header = nodes[1].call("getblockheader", nodes[1].call("getblockhash", 100))
    assert (header["confirmations"], header["nextblockhash"]) == (2, best)
    assert len(nodes[1].call("getblockheader", best, False)) == 160


def test_the_longer_of_two_branches_wins_when_they_meet(farm: Farm) -> None:
    one, other = farm.start(2)
    loser, winner = one.mine(3), other.mine(5, OTHER_ADDRESS)  # Core's blocks are equal if their coinbases are
    one.call("addnode", other.ip, "onetry")
    eventually(lambda: one.best() == winner)
    tips = {tip["hash"]: (tip["status"], tip["height"], tip["branchlen"]) for tip in one.call("getchaintips")}
    assert tips == {winner: ("active", 5, 0), loser: ("valid-fork", 3, 3)}
    assert one.call("getblockheader", loser)["confirmations"] == -1


def test_a_late_joiner_catches_up_over_one_link(farm: Farm) -> None:
    old, late = farm.start(2)
    best = old.mine(700)
    late.call("addnode", old.ip, "onetry")
    eventually(lambda: late.best() == best)
    peer = eventually(lambda: [each for each in late.call("getpeerinfo") if each["synced_blocks"] == 700])[0]
    assert peer["synced_headers"] == 700


def handshakes(node: TestNode, links: int) -> bool:
    """Whether each link has had an answer to a ping, which is sent right after the first question for headers."""
    peers = node.call("getpeerinfo")
    return len(peers) == links and all("pingtime" in peer for peer in peers)


def test_new_nodes_that_met_each_other_first_ask_a_third_when_it_announces_a_block(farm: Farm) -> None:
    first, one, other = farm.start(3)
    first.mine(3)
    one.call("addnode", other.ip, "onetry")
    eventually(lambda: handshakes(one, 1) and handshakes(other, 1))
    one.call("addnode", first.ip, "onetry")
    eventually(lambda: handshakes(one, 2))
    assert one.call("getblockcount") == other.call("getblockcount") == 0
    best = first.mine(1)
    eventually(lambda: one.best() == other.best() == best)


def test_a_new_node_asks_another_once_the_first_one_it_met_is_gone(farm: Farm) -> None:
    first, one, other = farm.start(3)
    best = first.mine(3)
    for peer, links in ((other, 1), (first, 2)):
        one.call("addnode", peer.ip, "onetry")
        eventually(lambda: handshakes(one, links))  # noqa: B023  at once
    one.call("disconnectnode", other.ip)
    eventually(lambda: one.best() == best)


# -- start and end


def test_a_restart_keeps_the_chain_and_forgets_the_list(node: TestNode) -> None:
    best = node.mine(5)
    node.call("addnode", "127.0.0.99", "add")
    assert node.stop() == 0
    node.start().wait_until_ready()
    assert node.best() == best
    assert node.added() == {}


def test_a_killed_node_keeps_its_chain(node: TestNode) -> None:
    node.mine(5)
    node.signal(signal.SIGKILL)
    assert node.exit_code() == -signal.SIGKILL
    assert node.start().wait_until_ready().call("getblockcount") <= 5


def test_a_stopped_peer_is_seen_as_gone_and_stays_listed(farm: Farm) -> None:
    node, peer = farm.start(2)
    node.call("addnode", peer.ip, "add")
    node.call("addnode", peer.ip, "onetry")
    assert node.added() == {peer.ip: True}
    assert peer.stop() == 0
    eventually(lambda: node.added() == {peer.ip: False})


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, "stop"])
def test_a_node_ends_with_0(node: TestNode, how: int | str) -> None:
    if isinstance(how, str):
        assert "stopping" in node.call(how)
    else:
        node.signal(how)
    assert node.exit_code() == 0


def test_a_warming_up_node_answers_every_method_with_minus_28(farm: Farm) -> None:
    if not farm.is_simulated:
        pytest.skip("Bitcoin Core's warm-up is too short to be caught for certain")
    node = farm.node().start("-simwarmup=60")
    eventually(lambda: node.get("/rest/chaininfo.json").status == 503)
    assert node.get("/rest/chaininfo.json").body.startswith(b"Service temporarily unavailable: Loading")
    for method in ("help", "uptime", "getrpcinfo", "nosuch"):
        assert node.error(method)[0] == -28
    assert node.post({"method": "uptime", "id": 1}).status == 500
    assert node.post([{"method": "uptime", "id": 1}]).status == 200
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((node.ip, P2P_PORT), timeout=5)
    assert node.stop() == 0


def test_the_probe_needs_no_password(shared: TestNode) -> None:
    got = shared.get("/rest/chaininfo.json")
    assert (got.status, got.json["chain"]) == (200, "regtest")
    assert shared.request("HEAD", "/rest/chaininfo.json").status == 200


def test_the_environment_credentials_are_in_no_command_line_and_in_private_files_only(farm: Farm) -> None:
    node = farm.start(1)[0]
    command_line = Path(f"/proc/{node.pid}/cmdline").read_bytes()
    assert ENV["BC_RPC_PASSWORD"].encode() not in command_line
    for path in (node.data_dir / "bitcoin.conf", node.data_dir / "regtest" / ".cookie"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ENV["BC_RPC_PASSWORD"] not in (node.data_dir / "bitcoin.conf").read_text()


@pytest.mark.parametrize(
    ("conf", "flags", "message"),
    [
        ("regtest=1\nrpcuser=u\nrpcpassword=a#b\n", [], "using # in rpcpassword can be ambiguous"),
        ("regtest=1\naddnode=127.0.0.99\n", [], "only applied on regtest network when in [regtest] section"),
        ("regtest=1\nrpcauth=nonsense\n", [], "Unable to start HTTP server"),
        ("regtest=1\n", ["-datadir=/no/such/dir"], 'Specified data directory "/no/such/dir" does not exist'),
        ("regtest=1\n", ["-conf=/no/such.conf"], 'specified config file "/no/such.conf" could not be opened'),
    ],
)
def test_a_broken_configuration_ends_with_1_and_says_why(farm: Farm, conf: str, flags: list[str], message: str) -> None:
    node = farm.node()
    node.start_with_conf(conf, *flags)
    assert node.exit_code() == 1
    assert message in node.log_path.read_text()


def test_a_taken_rpc_port_and_a_taken_data_directory_end_with_1(farm: Farm, node: TestNode) -> None:
    assert node.start().exit_code() == 1
    log = node.log_path.read_text()
    assert "Cannot obtain a lock" in log


def test_a_password_from_the_file_is_the_first_of_two(farm: Farm) -> None:
    node = farm.node()
    node.start_with_conf("regtest=1\nrpcuser=bc-user\n[regtest]\nrpcpassword=first\nrpcpassword=second\r\n")
    eventually(lambda: node.post({"method": "uptime"}, password="first").status == 200)
    assert node.post({"method": "uptime"}, password="second").status == 401
    assert not (node.data_dir / "regtest" / ".cookie").exists()


def test_listed_peers_of_the_file_are_dialled_from_the_start(farm: Farm) -> None:
    peer = farm.start(1)[0]
    node = farm.node().start(f"-addnode={peer.ip}").wait_until_ready()
    eventually(lambda: node.added() == {peer.ip: True})


def test_help_knows_every_method_it_lists(shared: TestNode) -> None:
    assert "addnode" in shared.call("help")
    assert shared.call("help", "addnode").startswith(KNOTS_ADDNODE_HELP if is_knots(shared) else ADDNODE_HELP)
    assert shared.call("help", "nosuch") == "help: unknown command: nosuch"
    assert shared.call("getrpcinfo")["active_commands"][0]["method"] == "getrpcinfo"
    assert isinstance(shared.call("uptime"), int)


def test_mining_to_other_kinds_of_addresses(node: TestNode) -> None:
    for address in (
        ADDRESS,
        ADDRESS.upper(),
        OTHER_ADDRESS,
        "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc",
    ):
        assert len(node.call("generatetoaddress", 1, address)) == 1
