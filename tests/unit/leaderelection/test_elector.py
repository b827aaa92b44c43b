"""The operations in their order, and who may act when."""

from __future__ import annotations

from queue import SimpleQueue

import pytest

from btcctl.errors import BtcctlError, Forbidden, LeaseLost, TransportError
from btcctl.leaderelection.elector import Elector
from btcctl.leaderelection.fence import Fence
from btcctl.leaderelection.record import LeaseRecord
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from btcctl.threads import Runner, Stop
from tests.unit.leaderelection.support import TIMING, Candidate, FakeLock, Server

REAL_LIMIT_SECONDS = 60.0  # a broken test fails, it does not hang
DOWN = TransportError("unreachable")
LEASE, DEADLINE, RETRY = TIMING.lease_seconds, TIMING.renew_deadline_seconds, TIMING.retry_seconds


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(now=1000.0)


@pytest.fixture
def a(server: Server, clock: FakeClock) -> Candidate:
    return Candidate(server, clock, "a")


@pytest.fixture
def b(server: Server, clock: FakeClock) -> Candidate:
    return Candidate(server, clock, "b")


def held_by(holder: str, seconds: int = 15, transitions: int = 0, renew_time: str = "then") -> LeaseRecord:
    return LeaseRecord(holder, seconds, "then", renew_time, transitions)


def test_a_renewal_is_one_update_without_a_read(a: Candidate) -> None:
    for _ in range(3):
        a.clock.advance(a.step())
    assert a.lock.calls == ["get", "create", "update", "update"]


def test_the_pause_between_two_attempts_is_random_and_never_longer_than_the_retry(server: Server, clock: FakeClock):
    asked: list[tuple[float, float]] = []

    def shortest(low: float, high: float) -> float:
        asked.append((low, high))
        return low

    elector = Elector(FakeLock(server, clock), Fence(clock), TIMING, identity="a", clock=clock, uniform=shortest)
    assert elector.step() == pytest.approx(RETRY / 1.2)
    assert asked == [(pytest.approx(RETRY / 1.2), RETRY)]


def test_a_renewal_that_is_refused_reads_and_writes_again(server: Server, a: Candidate) -> None:
    a.step()
    a.step()
    server.version += 1  # somebody has put a label on it
    a.step()
    a.step()
    assert a.lock.calls == ["get", "create", "update", "update", "get", "update", "update"]
    assert a.metrics.slow_paths == 1


def test_a_free_lease_is_taken_at_once(server: Server, a: Candidate) -> None:
    server.record = held_by("", seconds=1, transitions=4)
    a.step()
    assert a.lock.calls == ["get", "update"]
    assert a.leads
    assert (server.record.holder, server.record.transitions) == ("a", 5)
    assert a.metrics.is_leading


def test_the_record_has_client_gos_fields(server: Server, a: Candidate) -> None:
    a.step()
    a.clock.advance(2.0)
    a.step()
    assert server.record is not None
    assert server.record.spec() == {
        "holderIdentity": "a",
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-01-01T00:00:00.000000Z",
        "renewTime": "2026-01-01T00:00:02.000000Z",
        "leaseTransitions": 0,
    }


def test_a_lease_of_somebody_else_is_only_read_and_taken_the_moment_it_runs_out(server: Server, b: Candidate) -> None:
    server.record = held_by("a", transitions=2)
    b.run_for(LEASE - 0.001)
    assert set(b.lock.calls) == {"get"}
    b.run_for(0.002)
    assert b.leads
    assert b.lock.calls[-2:] == ["get", "update"]
    assert server.record.transitions == 3


def test_the_holders_own_duration_counts(server: Server, b: Candidate) -> None:
    server.record = held_by("a", seconds=60)
    b.run_for(59.0)
    assert not b.leads
    b.run_for(2.0)
    assert b.leads


def test_each_change_starts_the_time_anew_whatever_the_times_in_it_say(server: Server, b: Candidate) -> None:
    server.record = held_by("a", renew_time="1970-01-01T00:00:00.000000Z")
    b.run_for(LEASE - 1)
    server.record = held_by("a", renew_time="1970-01-01T00:00:01.000000Z")
    b.run_for(LEASE - 1)
    assert not b.leads
    b.run_for(RETRY + 1)
    assert b.leads


def test_a_dead_leader_is_replaced_within_lease_and_retry(a: Candidate, b: Candidate) -> None:
    a.step()
    died_at = a.clock.now()
    b.run_for(LEASE + RETRY)
    b.step()
    assert b.leads
    assert b.clock.now() - died_at <= LEASE + RETRY


def test_effects_may_begin_until_the_deadline_after_the_last_renewal_was_sent(a: Candidate) -> None:
    assert not a.may_act()
    a.lock.seconds = 1.5
    a.step()  # the create is sent at 1.5 s and answered at 3 s
    a.clock.advance(DEADLINE - 1.5 - 0.001)
    assert a.may_act()
    a.clock.advance(0.002)
    assert not a.may_act()
    assert a.fence.refused == 2


def test_what_was_being_sent_when_the_deadline_passed_is_counted(a: Candidate) -> None:
    a.step()
    a.fence.check()
    a.fence.sent()
    assert a.fence.overtaken == 0
    a.fence.check()
    a.clock.advance(DEADLINE)  # the process was stopped between the question and the system call
    a.fence.sent()
    assert a.fence.overtaken == 1


def test_two_candidates_never_may_act_at_once_whenever_the_leader_is_stopped(server: Server) -> None:
    for tenths in range(0, 60, 7):
        clock = FakeClock()
        a, b = Candidate(server, clock, f"a{tenths}"), Candidate(server, clock, f"b{tenths}")
        server.record = None
        a.run_for(tenths / 10)
        acted = []
        for _ in range(200):  # a is stopped, and would act if it ran on
            acted.append((a.may_act(), b.may_act()))
            b.run_for(0.1)
        assert (True, True) not in acted
        assert acted[-1] == (False, True)


def test_a_leader_that_was_stopped_beyond_its_deadline_has_lost(a: Candidate) -> None:
    a.step()
    a.clock.advance(DEADLINE)
    calls = len(a.lock.calls)
    with pytest.raises(LeaseLost, match="not renewed for 10 s: no time to run"):
        a.step()
    assert len(a.lock.calls) == calls
    assert not a.may_act()


def test_any_failure_is_a_failed_renewal_and_the_last_is_named_when_the_lease_is_lost(a: Candidate) -> None:
    a.step()
    a.lock.failures = [error for error in (DOWN, BtcctlError("nonsense"), DOWN, DOWN) for _ in range(2)] + [DOWN] * 20
    with pytest.raises(LeaseLost, match="TransportError: unreachable"):
        a.run_for(DEADLINE + 1)
    assert a.clock.now() == 1000.0 + DEADLINE


def test_what_is_no_error_of_ours_is_a_failed_renewal_too(a: Candidate) -> None:
    a.step()
    a.lock.before = lambda _: [].pop()
    a.clock.advance(a.step())
    a.lock.before = lambda _: None
    a.step()
    assert a.leads


def test_what_goes_wrong_for_long_is_said_again_each_minute(b: Candidate) -> None:
    b.lock.failures = [DOWN] * 1000
    with capture_logs() as logs:
        b.run_for(179.0)
    assert [each["log_level"] for each in logs].count("warning") == 3
    assert len(b.lock.calls) > 80


def test_causes_that_take_turns_are_each_said_once_a_minute(b: Candidate) -> None:
    b.lock.failures = [DOWN, BtcctlError("nonsense")] * 500
    with capture_logs() as logs:
        b.run_for(59.0)
    assert [each["log_level"] for each in logs].count("warning") == 2


def test_who_may_not_touch_leases_says_at_once_what_to_grant_and_is_not_ready(b: Candidate) -> None:
    b.lock.failures = [Forbidden(403, "Forbidden", "cannot get resource"), None]
    with capture_logs() as logs:
        b.step()
    assert "cannot get resource; grant get, create and update on leases (coordination.k8s.io) in ns" in logs[0]["error"]
    assert "cannot get resource; grant get, create and update" in b.elector.why_unready()
    b.step()
    assert b.elector.why_unready() == ""


def test_a_server_that_is_away_makes_nobody_unready_before_the_deadline(b: Candidate) -> None:
    b.lock.failures = [DOWN] * 1000
    b.run_for(DEADLINE - 0.1)
    assert b.elector.why_unready() == ""
    b.run_for(RETRY)
    assert "no attempt has succeeded for 12 s: TransportError: unreachable" in b.elector.why_unready()


def test_one_failure_leaves_the_lead_alone(a: Candidate) -> None:
    a.step()
    a.lock.failures = [DOWN, DOWN]
    a.run_for(DEADLINE + 5)
    assert a.leads
    assert a.may_act()


@pytest.mark.parametrize("seconds", [0.5, 2.0, 3.9, 4.0, 4.5, 4.9])
def test_a_server_as_slow_as_a_call_may_be_costs_nobody_the_lease(a: Candidate, seconds: float) -> None:
    a.lock.seconds = seconds
    a.run_for(600.0)
    assert a.leads
    assert a.fence.refused == 0


def test_how_slow_the_server_is_shows_and_is_forgotten_bit_by_bit(a: Candidate) -> None:
    a.lock.seconds = 3.0
    a.step()
    assert a.elector.answer_seconds == 3.0
    a.lock.seconds = 0.0
    a.step()
    assert a.elector.answer_seconds == 1.5


def test_a_pause_counts_from_the_beginning_of_the_attempt_and_is_never_negative(a: Candidate) -> None:
    assert a.step() == RETRY
    a.lock.seconds = 0.5
    assert a.step() == RETRY - 0.5
    a.lock.seconds = 3.0
    assert a.step() == 0.0


def test_a_call_that_hangs_leaves_time_for_another_before_the_deadline(a: Candidate) -> None:
    a.step()
    a.clock.advance(2.0)
    a.lock.before = lambda _: a.clock.advance(a.lock.timeouts[-1]) if len(a.lock.timeouts) == 1 else None
    a.lock.failures = [DOWN]
    a.lock.timeouts.clear()
    a.step()
    assert a.lock.calls[-3:] == ["update", "get", "update"]
    assert a.lock.timeouts == [5.0, 3.0, 3.0]


def test_no_call_may_outlast_the_deadline(a: Candidate) -> None:
    a.step()
    a.clock.advance(DEADLINE - 1.0)
    a.lock.timeouts.clear()
    a.step()
    assert a.lock.timeouts == [1.0]


def test_a_renewal_that_is_answered_after_the_deadline_comes_too_late(a: Candidate) -> None:
    a.step()
    a.clock.advance(2.0)
    a.lock.before = lambda _: a.clock.advance(20.0)  # the process was stopped meanwhile
    with pytest.raises(LeaseLost):
        a.step()
    assert not a.may_act()


def test_a_renewal_that_is_answered_after_the_deadline_of_the_one_before_comes_too_late(a: Candidate) -> None:
    a.step()
    a.clock.advance(DEADLINE - 1.0)
    a.lock.before = lambda _: a.clock.advance(2.0)  # on its way for longer than the deadline allows
    with pytest.raises(LeaseLost):
        a.step()


def test_a_lease_that_is_given_back_need_not_be_waited_for(server: Server, b: Candidate) -> None:
    server.record = held_by("a")
    b.step()
    server.record, server.version = held_by("", seconds=1), 9
    b.step()
    assert b.leads


def test_somebody_else_in_the_record_ends_the_lead_at_once(server: Server, a: Candidate) -> None:
    a.step()
    server.record, server.version = held_by("b"), 9
    with pytest.raises(LeaseLost, match="taken by b"):
        a.step()


def test_a_lease_that_was_deleted_is_made_again_by_its_leader(server: Server, a: Candidate) -> None:
    a.step()
    server.record, server.version = None, 9
    a.step()
    assert a.lock.calls[-3:] == ["update", "get", "create"]
    assert a.may_act()


def test_a_lease_that_was_deleted_does_not_shorten_its_leaders_time(server: Server, b: Candidate) -> None:
    server.record = held_by("a")
    b.step()
    server.record = None
    b.run_for(LEASE - 1)
    assert not b.leads
    b.run_for(2.0)
    assert b.leads


def test_a_lease_taken_without_an_answer_is_found_to_be_ours(server: Server, a: Candidate) -> None:
    a.lock.loses_answers = True
    a.step()
    assert not a.leads
    a.lock.loses_answers = False
    a.step()
    assert a.lock.calls == ["get", "create", "get", "update"]
    assert a.leads


def test_of_two_that_take_a_free_lease_one_gets_it(server: Server, a: Candidate, b: Candidate) -> None:
    b.lock.before = lambda verb: a.step() if verb == "create" else None
    b.step()
    assert (a.leads, b.leads) == (True, False)
    assert server.record.holder == "a"


def test_taking_over_writes_at_once_but_acts_only_when_the_others_time_is_over(server: Server, clock: FakeClock):
    a, c = Candidate(server, clock, "a"), Candidate(server, clock, "c", take_over=True)
    a.step()
    clock.advance(1.0)
    c.step()
    assert server.record.holder == "c"
    with pytest.raises(LeaseLost):
        a.step()
    c.run_for(LEASE - 0.001)
    assert not c.may_act()
    c.run_for(0.002)
    assert c.may_act()


def test_two_that_take_over_do_not_take_it_from_each_other_for_ever(server: Server, clock: FakeClock) -> None:
    server.record = held_by("a")
    c, d = (Candidate(server, clock, name, take_over=True) for name in "cd")
    for each in (c, d, c, d, c):
        each.step()
    assert server.record.holder == "d"


def run_and_stop(candidate: Candidate) -> None:
    stop = Stop(candidate.clock)
    candidate.elector.leading.on_set(stop.set)
    candidate.elector.run(stop)


def test_stopping_gives_the_lease_back_and_the_next_need_not_wait(server: Server, a: Candidate, b: Candidate) -> None:
    run_and_stop(a)
    assert a.lock.calls == ["get", "create", "get", "update"]
    assert (server.record.holder, server.record.duration_seconds) == ("", 1)
    assert not a.may_act()
    assert not a.metrics.is_leading
    assert a.elector.problem() == ""
    b.step()
    assert b.leads


def test_nothing_may_begin_while_the_lease_is_given_back(a: Candidate) -> None:
    acted = []
    a.lock.before = lambda verb: acted.append(a.may_act()) if a.leads else None
    run_and_stop(a)
    assert acted == [False, False]


def test_who_is_asked_to_stop_after_the_deadline_has_lost_and_gives_nothing_back(server: Server, a: Candidate) -> None:
    stop = Stop(a.clock)
    a.elector.leading.on_set(lambda: (a.clock.advance(DEADLINE), stop.set()))
    a.elector.run(stop)
    assert a.elector.lost.is_set()
    assert server.record.holder == "a"


def test_a_lease_that_runs_out_while_we_are_stopping_is_no_loss_but_is_not_given_back(server: Server, a: Candidate):
    a.elector.start()
    assert a.elector.leading.wait()
    a.elector.resign()
    a.clock.advance(DEADLINE)
    a.elector.stop()
    assert server.record.holder == "a"
    assert not a.may_act()


def test_a_lease_that_somebody_took_meanwhile_is_not_given_back(server: Server, a: Candidate) -> None:
    def take(_: str) -> None:
        if a.leads:
            server.record = held_by("b")

    a.lock.before = take
    run_and_stop(a)
    assert a.lock.calls[-1] == "get"
    assert server.record == held_by("b")


def test_a_lease_taken_between_the_read_and_the_release_is_left_to_its_holder(server: Server, a: Candidate) -> None:
    def take(verb: str) -> None:
        if a.leads and verb == "update":
            server.record, server.version = held_by("b"), 9

    a.lock.before = take
    run_and_stop(a)
    assert a.lock.calls[-3:] == ["get", "update", "get"]
    assert server.record == held_by("b")


def test_an_abandoned_lease_is_not_given_back_and_nothing_may_begin(server: Server, a: Candidate) -> None:
    a.elector.leading.on_set(a.elector.abandon)
    run_and_stop(a)
    assert server.record.holder == "a"
    assert not a.may_act()


def test_who_never_had_the_lease_gives_nothing_back(server: Server, b: Candidate) -> None:
    server.record = held_by("a")
    stop = Stop(b.clock)
    b.lock.before = lambda _: stop.set()
    b.elector.run(stop)
    assert b.lock.calls == ["get"]


def test_a_lease_that_is_lost_is_raised_by_stop_once(server: Server, a: Candidate) -> None:
    a.elector.start()
    a.clock.wait_until_blocked()
    a.clock.advance(DEADLINE)
    assert a.elector.lost.wait()
    with pytest.raises(LeaseLost):
        a.elector.stop()
    a.elector.stop()
    assert a.elector.problem() == "lease ns/the-lease is lost"
    assert server.record.holder == "a"


def test_a_loop_that_hangs_does_not_keep_the_deadline_from_being_noticed(a: Candidate) -> None:
    a.step()
    a.clock.advance(DEADLINE)
    assert a.elector.expired
    assert a.elector.problem() == "lease ns/the-lease is lost"


def test_the_same_failure_is_a_warning_once(a: Candidate) -> None:
    a.lock.failures = [DOWN] * 3 + [BtcctlError("another")]
    with capture_logs() as logs:
        for _ in range(4):
            a.step()
    assert [each["log_level"] for each in logs] == ["warning", "debug", "debug", "warning"]


def test_the_holder_that_is_waited_for_is_named_once(server: Server, b: Candidate) -> None:
    server.record = held_by("a")
    with capture_logs() as logs:
        b.run_for(5.0)
    assert [each["holder"] for each in logs] == ["a"]


def test_a_running_elector_renews_in_time(a: Candidate) -> None:
    written: SimpleQueue[str] = SimpleQueue()
    a.lock.before = written.put
    with Runner("elector", a.elector.run, clock=a.clock):
        assert [written.get(timeout=REAL_LIMIT_SECONDS) for _ in range(2)] == ["get", "create"]
        for _ in range(12):
            a.clock.wait_until_blocked()
            a.clock.advance(RETRY)
            assert written.get(timeout=REAL_LIMIT_SECONDS) == "update"
        assert a.may_act()
