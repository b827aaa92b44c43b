"""When a credential is renewed, by whom, and what serves meanwhile. No process and no identity provider is needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from btcctl.clock import SYSTEM_CLOCK
from btcctl.deadline import limited_to
from btcctl.errors import ConfigError, DeadlineExceeded, TransportError
from btcctl.rest.kubeconfig.issued.exec_plugin import Issued
from btcctl.rest.kubeconfig.issued.renewal import Renewed
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from btcctl.threads import Stop
from tests.integration.support import eventually


class Issuer:
    """Issues "1", "2", … each good for so many seconds; fails, or hangs, while told to."""

    def __init__(self, seconds: float = 900.0) -> None:
        self.clock = FakeClock()
        self.seconds = seconds
        self.runs = 0
        self.is_broken = False
        self.gate = threading.Event()
        self.gate.set()
        self.stopped = threading.Event()

    def issue(self, seconds: float, stop: Stop) -> Issued:
        self.runs += 1
        name = str(self.runs)
        unlink = stop.on_set(lambda: (self.stopped.set(), self.gate.set()))
        self.gate.wait(60.0)
        unlink()
        if self.is_broken:
            raise ConfigError("provider is down")
        return Issued(name, expires=self._end())

    def renewed(self) -> Renewed:
        return Renewed(self.issue, self.issue(60.0, Stop()), "it", clock=self.clock)

    def _end(self) -> datetime:
        return self.clock.wall_time() + timedelta(seconds=self.seconds)


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture(autouse=True)
def quiet():
    with capture_logs() as logs:
        yield logs


def in_threads(count: int, call: Callable[[], Issued]) -> list[str]:
    got: list[str] = []
    threads = [threading.Thread(target=lambda: got.append(call().header)) for _ in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60.0)
    return got


def test_it_serves_unchanged_until_shortly_before_its_end(issuer: Issuer):
    renewed = issuer.renewed()
    issuer.clock.advance(869.0)
    assert (renewed.current().header, issuer.runs) == ("1", 1)
    issuer.clock.advance(2.0)
    assert (renewed.current().header, issuer.runs) == ("2", 2)


def test_while_renewing_fails_the_old_one_serves_to_its_very_end(issuer: Issuer):
    renewed = issuer.renewed()
    issuer.is_broken = True
    issuer.clock.advance(880.0)
    assert [renewed.current().header for _ in range(10)] == ["1"] * 10
    assert issuer.runs == 2
    issuer.clock.advance(19.9)
    assert renewed.current().header == "1"
    issuer.clock.advance(0.2)
    with pytest.raises(TransportError, match="provider is down"):
        renewed.current()


def test_pauses_after_failures_grow_and_end(issuer: Issuer):
    renewed = issuer.renewed()
    issuer.is_broken = True
    issuer.clock.advance(900.0)
    tries = []
    for _ in range(1000):
        with pytest.raises(TransportError):
            renewed.current()
        tries.append(issuer.runs)
        issuer.clock.advance(1.0)
    assert 8 <= tries[-1] <= 9  # at 0, 10, 30, 70, 150, 310, 610 and 910 seconds, or up to a fifth later
    issuer.is_broken = False
    issuer.clock.advance(360.0)
    assert renewed.current().header == str(tries[-1] + 1)


def test_others_go_on_with_the_old_one_while_it_is_renewed_early(issuer: Issuer):
    renewed = issuer.renewed()
    issuer.gate.clear()
    issuer.clock.advance(880.0)
    first = threading.Thread(target=renewed.current)
    first.start()
    eventually(lambda: issuer.runs == 2)
    began = SYSTEM_CLOCK.now()
    assert [renewed.current().header for _ in range(12)] == ["1"] * 12
    assert SYSTEM_CLOCK.now() - began < 30.0  # it is waited for by one, for up to five seconds
    issuer.gate.set()
    first.join(60.0)
    assert (renewed.current().header, issuer.runs) == ("2", 2)


def test_after_its_end_all_wait_for_one_renewal(issuer: Issuer):
    renewed = issuer.renewed()
    issuer.gate.clear()
    issuer.clock.advance(1000.0)
    threading.Timer(0.2, issuer.gate.set).start()
    assert in_threads(8, renewed.current) == ["2"] * 8
    assert issuer.runs == 2


def test_who_has_no_more_time_leaves_and_a_renewal_nobody_waits_for_is_broken_off(issuer: Issuer):
    renewed = issuer.renewed()
    issuer.gate.clear()
    issuer.clock.advance(1000.0)
    with pytest.raises(DeadlineExceeded), limited_to(0.1, SYSTEM_CLOCK):
        renewed.current()
    assert issuer.stopped.wait(60.0)


def test_a_renewal_that_somebody_waits_for_goes_on_without_who_has_left(issuer: Issuer):
    renewed = issuer.renewed()
    issuer.gate.clear()
    issuer.clock.advance(1000.0)
    got: list[str] = []
    patient = threading.Thread(target=lambda: got.append(renewed.current().header))
    patient.start()
    eventually(lambda: issuer.runs == 2)
    with pytest.raises(DeadlineExceeded), limited_to(0.05, SYSTEM_CLOCK):
        renewed.current()
    assert not issuer.stopped.is_set()
    issuer.gate.set()
    patient.join(60.0)
    assert got == ["2"]


def test_a_renewal_that_heeds_nothing_is_given_up_and_what_it_brings_later_is_used(issuer: Issuer):
    gate = threading.Event()

    def issue(seconds: float, stop: Stop) -> Issued:
        gate.wait(60.0)
        return Issued("late")

    renewed = Renewed(issue, Issued("1", expires=issuer.clock.wall_time()), "it", clock=issuer.clock, seconds=-0.9)
    issuer.clock.advance(10.0)
    with pytest.raises(TransportError, match=r"it: login took more than -0\.9 s"):
        renewed.current()
    gate.set()
    assert eventually(lambda: renewed.latest.header == "late")
    assert renewed.current().header == "late"


def test_early_a_deadline_is_no_reason_to_fail(issuer: Issuer):
    renewed = issuer.renewed()
    issuer.gate.clear()
    issuer.clock.advance(880.0)
    with limited_to(0.1, SYSTEM_CLOCK):
        assert renewed.current().header == "1"
    issuer.gate.set()


def test_what_ends_at_once_is_used_and_not_renewed_for_every_request():
    issuer = Issuer(seconds=-60.0)
    renewed = issuer.renewed()
    assert [renewed.current().header for _ in range(5)] == ["1"] * 5
    issuer.clock.advance(10.0)
    assert [renewed.current().header for _ in range(5)] == ["2"] * 5


def test_one_without_an_end_is_kept_until_it_is_refused(issuer: Issuer):
    renewed = Renewed(issuer.issue, Issued("first"), "it", clock=issuer.clock)
    issuer.clock.advance(1e9)
    assert renewed.current().header == "first"
    assert renewed.replaces("first")
    assert renewed.current().header == "1"


def test_one_that_was_refused_right_after_it_was_issued_is_not_replaced(issuer: Issuer):
    renewed = issuer.renewed()
    issuer.clock.advance(9.0)
    assert not renewed.replaces("1")
    assert renewed.replaces("an older one")
    assert issuer.runs == 1


def test_a_refusal_while_renewing_fails_is_the_servers_answer(issuer: Issuer):
    renewed = issuer.renewed()
    issuer.is_broken = True
    issuer.clock.advance(60.0)
    assert not any(renewed.replaces("1") for _ in range(5))
    assert issuer.runs == 2


def test_a_bug_in_issuing_is_a_failure_like_any_other(issuer: Issuer):
    def issue(seconds: float, stop: Stop) -> Issued:
        raise ZeroDivisionError("a bug")

    renewed = Renewed(issue, Issued("first", expires=issuer.clock.wall_time()), "it", clock=issuer.clock)
    issuer.clock.advance(10.0)
    with pytest.raises(TransportError, match="ZeroDivisionError"):
        renewed.current()
