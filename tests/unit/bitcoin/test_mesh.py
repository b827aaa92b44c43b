from __future__ import annotations

from typing import Any

import pytest

from btcctl.bitcoin.findings import describe_failure
from btcctl.bitcoin.mesh import Mesh, MeshGoal, MeshReport
from btcctl.bitcoin.rpc import Credentials, RpcError, RpcUnauthorized, RpcUnavailable, WarmingUp
from btcctl.bitcoin.spec.shape import Shape
from btcctl.bitcoin.topology import Member
from btcctl.bitcoin.wording import MAX_MESSAGE_CHARACTERS
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from tests.unit.bitcoin.fake_mesh import CREDENTIALS, FakeMesh, FakeRpc

A, B, C, D = "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"


@pytest.fixture
def nodes() -> FakeMesh:
    mesh = FakeMesh()
    mesh.start(A, B, C)
    return mesh


def goal(*addresses: str, nodes: int = 3, **options: Any) -> MeshGoal:
    members = [Member(ordinal, address, ready=True) for ordinal, address in enumerate(addresses or (A, B, C))]
    return MeshGoal(members, Shape(nodes), options.pop("credentials", CREDENTIALS), **options)


def sync(nodes: FakeMesh, goal_: MeshGoal | None = None) -> MeshReport:
    return Mesh(nodes.rpc_for, clock=FakeClock()).sync(goal_ or goal())


def test_one_pass_connects_everybody_and_the_next_finds_nothing_to_do(nodes: FakeMesh) -> None:
    assert not sync(nodes).settled
    assert all(nodes.peers_of(each) == {A, B, C} - {each} for each in (A, B, C))
    nodes.changes.clear()
    assert sync(nodes).settled
    assert nodes.changes == []


def test_nodes_are_called_at_their_own_ports_while_another_one_is_on_its_way(nodes: FakeMesh) -> None:
    """spec.rpcPort has changed: pods are replaced one by one, and those that are left listen where they did."""
    ports: dict[str, int | None] = {}

    def rpc_for(address: str, credentials: Credentials, port: int | None = None) -> FakeRpc:
        ports[address] = port
        return nodes.rpc_for(address, credentials, port)

    members = [
        Member(0, A, ready=True, rpc_port=18332),
        Member(1, B, ready=True, rpc_port=19332),
        Member(2, C, ready=True),
    ]
    Mesh(rpc_for, clock=FakeClock()).sync(MeshGoal(members, Shape(3), CREDENTIALS, rpc_port=19332))
    assert ports == {A: 18332, B: 19332, C: 19332}


def links(nodes: FakeMesh) -> set[frozenset[str]]:
    return {frozenset({link.source, link.target}) for link in nodes.links}


def test_who_lacks_blocks_is_linked_with_who_has_them_first(nodes: FakeMesh) -> None:
    nodes.blocks, nodes.behind = {A: 3}, {B, C}
    report = sync(nodes)
    assert links(nodes) == {frozenset({A, B}), frozenset({A, C})}
    assert C in report.plans[1].add
    nodes.blocks, nodes.behind = {A: 3, B: 3, C: 3}, set()
    sync(nodes)
    assert nodes.peers_of(B) == {A, C}


def test_links_among_those_who_lack_blocks_end_until_they_have_them(nodes: FakeMesh) -> None:
    """Two that have nothing may have asked each other for headers, and would wait for a quarter of an hour."""
    sync(nodes)
    nodes.blocks, nodes.behind = {A: 3}, {B, C}
    assert not sync(nodes).settled
    assert links(nodes) == {frozenset({A, B}), frozenset({A, C})}


def test_who_fetches_a_chain_that_nobody_has_more_of_keeps_its_links(nodes: FakeMesh) -> None:
    nodes.behind = {A, B, C}
    sync(nodes)
    assert sync(nodes).settled
    assert len(links(nodes)) == 3


def test_blocks_on_the_other_side_of_a_partition_put_no_link_off(nodes: FakeMesh) -> None:
    nodes.blocks, nodes.behind = {A: 3}, {B, C}
    shape = Shape(3, groups=(frozenset({0}), frozenset({1, 2})))
    sync(nodes, MeshGoal([Member(n, each, ready=True) for n, each in enumerate((A, B, C))], shape, CREDENTIALS))
    assert links(nodes) == {frozenset({B, C})}


def test_every_pass_reads_each_ready_node_once(nodes: FakeMesh) -> None:
    sync(nodes)
    assert nodes.reads == [A, B, C]


def test_a_missing_entry_is_added_first_and_dialled_then(nodes: FakeMesh) -> None:
    sync(nodes, goal(A, B, nodes=2))
    assert nodes.changes[:2] == [(A, "addnode", B, "add"), (A, "addnode", B, "onetry")]


def test_a_node_that_restarted_at_its_address_is_made_whole(nodes: FakeMesh) -> None:
    sync(nodes)
    nodes.restart(B)
    sync(nodes)
    assert nodes.peers_of(B) == {A, C}
    assert nodes.peers_of(A) == {B, C}
    assert sync(nodes).settled


def test_a_gone_node_is_removed_first_and_disconnected_then(nodes: FakeMesh) -> None:
    sync(nodes)
    nodes.stop(C, quietly=True)
    nodes.changes.clear()
    report = sync(nodes, goal(A, B, nodes=2, gone=frozenset({C})))
    of_a = [call[1:] for call in nodes.changes if call[0] == A]
    assert of_a[:2] == [("addnode", C, "remove"), ("disconnectnode", C)]
    assert of_a[2][:2] == ("disconnectnode", "")
    assert not report.forgotten
    assert all(C not in (link.source, link.target) for link in nodes.links)


def test_a_gone_address_is_forgotten_once_a_whole_pass_found_no_trace_of_it(nodes: FakeMesh) -> None:
    sync(nodes)
    nodes.stop(C, quietly=True)
    two = goal(A, B, nodes=2, gone=frozenset({C}))
    sync(nodes, two)
    assert sync(nodes, two).forgotten


def test_a_silent_node_does_not_keep_the_others_from_being_connected(nodes: FakeMesh) -> None:
    nodes.silent.add(A)
    report = sync(nodes)
    assert C in nodes.peers_of(B)
    assert B in nodes.peers_of(C)
    assert isinstance(report.failures[0], RpcUnavailable)
    assert report.suspects == {A}


def test_a_node_that_does_not_answer_is_listed_but_not_dialled_by_others(nodes: FakeMesh) -> None:
    nodes.silent.add(A)
    sync(nodes)
    assert (B, "addnode", A, "add") in nodes.changes
    assert (B, "addnode", A, "onetry") not in nodes.changes


def test_a_suspect_is_asked_last(nodes: FakeMesh) -> None:
    sync(nodes, goal(suspects=frozenset({A})))
    assert nodes.reads == [B, C, A]


def test_wrong_credentials_are_told_apart_from_silence(nodes: FakeMesh) -> None:
    report = sync(nodes, goal(credentials=Credentials("user", "old")))
    assert any(isinstance(each, RpcUnauthorized) for each in report.failures.values())
    assert nodes.changes == []


def test_a_peer_that_cannot_be_dialled_is_pending_and_dialled_again(nodes: FakeMesh) -> None:
    nodes.unreachable.add(C)
    sync(nodes)
    nodes.changes.clear()
    assert not sync(nodes).settled
    assert [call for call in nodes.changes if call[0] == A] == [(A, "addnode", C, "onetry")]


def test_a_connection_without_a_handshake_is_not_settled(nodes: FakeMesh) -> None:
    sync(nodes)
    nodes.links[0].version = 0
    report = sync(nodes)
    assert report.handshakes == {0: 1}
    assert not report.settled


def test_hand_made_entries_survive(nodes: FakeMesh) -> None:
    nodes.listed[A] = ["peer.example.com", "192.0.2.1:18444"]
    sync(nodes)
    assert nodes.listed[A] == ["peer.example.com", "192.0.2.1:18444", B, C]
    assert not [call for call in nodes.changes if "192.0.2.1:18444" in call]


def test_what_was_done_already_is_as_good(nodes: FakeMesh) -> None:
    class Racing(FakeRpc):
        def batch(self, calls: Any) -> list[Any]:
            before = super().batch(calls)
            for peer in {A, B, C} - {self.address} - set(nodes.listed[self.address]):
                nodes.listed[self.address].append(peer)  # somebody else adds it in between
            return before

    report = Mesh(lambda address, credentials, _: Racing(nodes, address, credentials), clock=FakeClock()).sync(goal())
    assert not report.failures


def test_what_was_removed_already_is_as_good(nodes: FakeMesh) -> None:
    nodes.listed[A].append(D)

    class Racing(FakeRpc):
        def batch(self, calls: Any) -> list[Any]:
            before = super().batch(calls)
            nodes.listed[self.address] = [each for each in nodes.listed[self.address] if each != D]
            return before

    report = Mesh(lambda address, credentials, _: Racing(nodes, address, credentials), clock=FakeClock()).sync(goal())
    assert (report.failures, report.plans[0].remove) == ({}, (D,))


def test_a_node_that_is_not_ready_is_not_asked(nodes: FakeMesh) -> None:
    members = [Member(0, A, ready=True), Member(1, B, ready=False)]
    sync(nodes, MeshGoal(members, Shape(2), CREDENTIALS))
    assert nodes.reads == [A]


def test_a_node_that_was_slow_once_has_not_failed_again_before_it_is_asked_again(nodes: FakeMesh) -> None:
    clock = FakeClock()

    class Slow(FakeRpc):
        def batch(self, calls: Any) -> list[Any]:
            if self.address == B:
                clock.advance(3)
                raise RpcUnavailable("it does not answer in time")
            return super().batch(calls)

    mesh = Mesh(lambda address, credentials, _: Slow(nodes, address, credentials), clock=clock)
    seen = []
    for _ in range(3):
        first, unasked = mesh.sync(goal()), mesh.sync(goal())
        seen.append((sorted(first.hiccups), sorted(unasked.hiccups)))
        clock.advance(40)
    assert seen == [([], [1]), ([], []), ([], [])]


def test_a_node_that_still_starts_is_not_called_broken() -> None:
    assert describe_failure(WarmingUp(-28, "Loading block index…")) == "is still starting"


def test_an_answer_without_sense_is_a_failure_of_that_node_only(nodes: FakeMesh) -> None:
    class Odd(FakeRpc):
        def batch(self, calls: Any) -> list[Any]:
            return [[{"addednode": 7}], [], {}, {}] if self.address == A else super().batch(calls)

    report = Mesh(lambda address, credentials, _: Odd(nodes, address, credentials), clock=FakeClock()).sync(goal())
    assert report.failures.keys() == {0}
    assert C in nodes.peers_of(B)


def test_a_node_that_falls_silent_halfway_is_a_failure_of_that_node_only(nodes: FakeMesh) -> None:
    class Failing(FakeRpc):
        def call(self, method: str, *params: Any) -> Any:
            if self.address == A:
                raise RpcUnavailable("gone")
            return super().call(method, *params)

    report = Mesh(lambda address, credentials, _: Failing(nodes, address, credentials), clock=FakeClock()).sync(goal())
    assert report.failures.keys() == {0}
    assert nodes.peers_of(B) == {A, C}


def test_nodes_for_which_no_time_is_left_wait_for_the_next_pass(nodes: FakeMesh) -> None:
    clock = FakeClock()

    class Slow(FakeRpc):
        def batch(self, calls: Any) -> list[Any]:
            clock.advance(10)
            return super().batch(calls)

    mesh = Mesh(lambda address, credentials, _: Slow(nodes, address, credentials), clock=clock, pass_seconds=15)
    report = mesh.sync(goal())
    assert nodes.reads == [A, B]
    assert report.skipped == {2}
    assert not report.forgotten


def test_what_there_is_no_time_to_call_is_left_to_the_next_pass_and_is_no_failure(nodes: FakeMesh) -> None:
    clock = FakeClock()
    nodes.listed[A] = [f"10.9.{number // 250}.{number % 250}" for number in range(10_000)]

    class Slow(FakeRpc):
        def call(self, method: str, *params: Any) -> Any:
            clock.advance(0.1)
            return super().call(method, *params)

    mesh = Mesh(lambda address, credentials, _: Slow(nodes, address, credentials), clock=clock, pass_seconds=15)
    report = mesh.sync(goal())
    assert (clock.now() <= 16, report.failures, 0 in report.plans) == (True, {}, True)
    assert len(nodes.listed[A]) == pytest.approx(10_000 - 150, abs=2)


def test_a_peer_that_swallows_packets_is_dialled_once_in_a_pass(nodes: FakeMesh) -> None:
    clock = FakeClock()

    class Blocking(FakeRpc):
        def call(self, method: str, *params: Any) -> Any:
            if params == (C, "onetry"):
                clock.advance(5)
            return super().call(method, *params)

    Mesh(lambda address, credentials, _: Blocking(nodes, address, credentials), clock=clock).sync(goal())
    assert [call for call in nodes.changes if call[2:] == (C, "onetry")] == [(A, "addnode", C, "onetry")]


def test_a_node_does_not_fill_the_log_with_its_words(nodes: FakeMesh) -> None:
    class Talkative(FakeRpc):
        def batch(self, calls: Any) -> list[Any]:
            raise RpcError(-1, "x" * 2_000_000)

    with capture_logs() as logs:
        Mesh(lambda address, credentials, _: Talkative(nodes, address, credentials), clock=FakeClock()).sync(goal(A))
    assert [len(each["error"]) for each in logs if "error" in each] == [MAX_MESSAGE_CHARACTERS]


def test_every_add_and_remove_is_logged_with_node_and_peer(nodes: FakeMesh) -> None:
    nodes.listed[A] = [D]
    with capture_logs() as logs:
        sync(nodes, goal(A, B, nodes=2))
    lines = [(each["event"], each["node"], each["peer"]) for each in logs if each["event"].startswith("addnode")]
    assert ("addnode remove", A, D) in lines
    assert ("addnode add", A, B) in lines
    assert ("addnode add", B, A) in lines


@pytest.mark.parametrize("count", [10, 24])
def test_beyond_nine_nodes_nobody_lists_more_than_eight_and_all_are_reachable(count: int) -> None:
    mesh = FakeMesh()
    addresses = [f"10.0.1.{number}" for number in range(count)]
    mesh.start(*addresses)
    sync(mesh, goal(*addresses, nodes=count))
    assert all(len(entries) <= 8 for entries in mesh.listed.values())
    seen, stack = {addresses[0]}, [addresses[0]]
    while stack:
        fresh = mesh.peers_of(stack.pop()) - seen
        seen |= fresh
        stack.extend(fresh)
    assert seen == set(addresses)
    assert sync(mesh, goal(*addresses, nodes=count)).settled


def test_growing_beyond_nine_thins_the_mesh_out() -> None:
    mesh = FakeMesh()
    addresses = [f"10.0.1.{number}" for number in range(12)]
    mesh.start(*addresses)
    sync(mesh, goal(*addresses[:9], nodes=9))
    sync(mesh, goal(*addresses, nodes=12))
    assert all(len(mesh.peers_of(each)) <= 8 for each in addresses)
    assert sync(mesh, goal(*addresses, nodes=12)).settled


def test_a_node_on_another_chain_has_failed_and_its_height_counts_for_nothing(nodes: FakeMesh) -> None:
    nodes.chains[B], nodes.blocks[B] = "main", 900_000
    report = sync(nodes)
    assert describe_failure(report.failures[1]) == "is on the chain main, not on regtest"
    assert report.chains.keys() == {0, 2}
    assert not any(change[0] == B for change in nodes.changes)


def test_each_network_has_its_own_chain(nodes: FakeMesh) -> None:
    nodes.chain = "signet"
    assert sync(nodes, goal(chain="signet")).failures == {}
