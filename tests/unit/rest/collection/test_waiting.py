"""To wait for an object, and to read a stream, while the server, or the time for it, is not as one would like."""

from __future__ import annotations

import json
import threading

import pytest

from btcctl.clock import SYSTEM_CLOCK
from btcctl.deadline import PendingCalls, limited_to
from btcctl.errors import DeadlineExceeded, Forbidden, Interrupted, ObjectDecodeError, ServiceUnavailable, Unauthorized
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS
from btcctl.rest.client import ApiClient
from btcctl.testing import FakeClient, FakeClock
from btcctl.threads import Runner
from tests.unit.rest.fakes import ScriptedTransport, answer

A = ObjectKey("default", "a")
BEFORE = {"metadata": {"name": "a", "namespace": "default", "resourceVersion": "1"}}
WANTED = {"metadata": {"name": "a", "namespace": "default", "resourceVersion": "2"}}


def listed(*items):
    return answer({"metadata": {"resourceVersion": "1"}, "items": [*items]})


def watched(*events):
    return answer(b"".join(json.dumps({"type": type_, "object": obj}).encode() + b"\n" for type_, obj in events))


def refused(code: int):
    return answer({"kind": "Status", "code": code, "message": "no"}, code)


class Hasty(FakeClock):
    """Pauses take no time; what limits it all never ends."""

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        if timeout is None or timeout > 100.0:
            return super().wait(condition, timeout)
        self.advance(timeout)
        return False


def wait_with(*answers):
    client = ApiClient(ScriptedTransport(*answers), clock=Hasty())
    return client.resource(CONFIG_MAPS, "default").wait_until(
        A, lambda obj: obj is not None and obj.resource_version == "2", timeout=1000.0
    )


@pytest.mark.parametrize(
    "between",
    [
        [answer(b"<html>log in</html>")],
        [listed(BEFORE), answer(b"nonsense\n")],
        [listed(BEFORE), watched(("MODIFIED", {"metadata": {"name": 5}}), ("MODIFIED", WANTED))],
        [listed({"metadata": {"name": "a", "uid": 7}})],
        [listed(BEFORE), refused(403), listed(BEFORE), refused(405)],
        [listed(BEFORE), watched(("ERROR", {"kind": "Status", "code": 401})), refused(401)],
        [refused(503)],
    ],
)
def test_to_wait_goes_on_through_what_passes_and_where_there_is_no_watch(between):
    assert wait_with(*between, listed(WANTED)).resource_version == "2"


@pytest.mark.parametrize(("code", "error"), [(401, Unauthorized), (403, Forbidden)])
def test_who_may_not_read_an_object_does_not_wait_for_it(code, error):
    with pytest.raises(error):
        wait_with(refused(code), listed(WANTED))


@pytest.mark.parametrize("error", [ServiceUnavailable(503, "", "mine"), Interrupted("mine"), ObjectDecodeError("mine")])
def test_an_error_of_ours_that_a_condition_raises_is_raised_too(error):
    def condition(_obj) -> bool:
        raise error

    with pytest.raises(type(error), match="mine"):
        FakeClient(config_map()).resource(CONFIG_MAPS, "default").wait_until(A, condition, timeout=5.0)


def config_map():
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}}


def read_watch(client):
    with client.resource(CONFIG_MAPS, "default").watch(resource_version="") as events:
        return [each.object.name for each in events]


def test_a_stream_ends_with_the_time_of_the_work_that_reads_it():
    with limited_to(0.1, SYSTEM_CLOCK), pytest.raises(DeadlineExceeded, match=r"within 0\.1 s"):
        read_watch(FakeClient(config_map()))


def test_to_wait_ends_with_the_time_of_the_work_though_the_clients_clock_stands_still():
    maps = FakeClient(config_map()).resource(CONFIG_MAPS, "default")
    with limited_to(0.1, SYSTEM_CLOCK), pytest.raises(DeadlineExceeded):
        maps.wait_until(A, lambda _obj: False, timeout=5.0)


def test_a_stream_is_broken_off_with_the_work_that_reads_it():
    calls = PendingCalls(SYSTEM_CLOCK)

    def end(stop) -> None:
        while not calls.are_broken_off and not stop.wait(0.01):
            calls.break_off(SYSTEM_CLOCK.now())

    with Runner("end", end), limited_to(None, SYSTEM_CLOCK, calls), pytest.raises(Interrupted):
        read_watch(FakeClient(config_map()))


def test_a_stream_that_ends_in_time_is_read_to_its_end():
    client = ApiClient(ScriptedTransport(watched(("ADDED", BEFORE))))
    with limited_to(1000.0, SYSTEM_CLOCK, PendingCalls(SYSTEM_CLOCK)):
        assert read_watch(client) == ["a"]
