"""Whatever stands in a Lease: the election goes on by its rules, and what is written back a server takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.errors import LeaseLost, ObjectDecodeError
from btcctl.leaderelection.election import Timing
from btcctl.leaderelection.elector import Elector
from btcctl.leaderelection.fence import Fence
from btcctl.leaderelection.lease_lock import LeaseLock
from btcctl.leaderelection.record import MAX_INT32, LeaseRecord
from btcctl.objects import ObjectKey
from btcctl.resources import LEASES
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient
from tests.properties import effort
from tests.unit.leaderelection.support import Candidate, Server

KEY = ObjectKey("ns", "the-lease")
TIMES = st.sampled_from(["", "yesterday", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z", "2026-01-01"])
RECORDS = st.builds(
    LeaseRecord.from_spec,
    st.fixed_dictionaries(
        {},
        optional={
            "holderIdentity": st.sampled_from(["", "us", "them", None]),
            "leaseDurationSeconds": st.none() | st.integers() | st.just(10**400),
            "leaseTransitions": st.none() | st.integers() | st.just(10**400),
            "acquireTime": TIMES,
            "renewTime": TIMES,
        },
    )
    | st.none(),
)


@effort(200)
@given(RECORDS, st.booleans())
def test_a_candidate_takes_any_lease_once_its_time_is_over_and_writes_what_a_server_takes(
    record: LeaseRecord, take_over: bool
):
    clock, server = FakeClock(), Server(record)
    candidate = Candidate(server, clock, "us", take_over=take_over)
    with capture_logs() as logs:
        candidate.run_for(5.0)
        if not candidate.leads:
            clock.advance(float(MAX_INT32))
            candidate.step()
    assert candidate.leads
    assert not [each for each in logs if each["log_level"] == "warning"]
    assert server.record is not None
    assert server.record.holder == "us"
    assert 0 <= server.record.transitions <= MAX_INT32


@effort(200)
@given(RECORDS)
def test_a_leader_survives_any_lease_that_says_its_own_name_and_loses_to_any_other(record: LeaseRecord):
    server = Server()
    candidate = Candidate(server, FakeClock(), "us")
    candidate.step()
    server.record, server.version = record, 9
    with capture_logs():
        if record.holder in {"", "us"}:
            candidate.step()
            assert candidate.leads
        else:
            with pytest.raises(LeaseLost, match="was taken by them"):
                candidate.step()


@pytest.mark.parametrize(
    "spec",
    [[], "x", 5, {"holderIdentity": 5}, {"leaseDurationSeconds": "15"}, {"leaseTransitions": 1.5}, {"renewTime": {}}],
)
def test_fields_of_other_types_are_an_error_of_ours(spec: Any):
    with pytest.raises(ObjectDecodeError, match="a Lease whose spec"):
        LeaseRecord.from_spec(spec)


def test_an_age_that_no_clock_can_count_is_none_or_a_number():
    wall_time = FakeClock().wall_time()
    assert LeaseRecord(renew_time="9999-12-31T23:59:59Z").age(wall_time) is not None
    for text in ("", "soon", "2026-01-01T00:00:00"):
        assert LeaseRecord(renew_time=text).age(wall_time) is None


def test_a_lease_without_a_spec_is_taken_on_a_server():
    clock = FakeClock()
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns"}}
    client = FakeClient(namespace, clock=clock)
    client.resource(LEASES, "ns").create(
        {"apiVersion": LEASES.api_version, "kind": "Lease", "metadata": {"name": KEY.name, "labels": {"a": "b"}}}
    )
    elector = Elector(LeaseLock(client, KEY), Fence(clock), Timing(), identity="us", clock=clock)
    elector.step()
    assert elector.leading.is_set()
    assert client.resource(LEASES, "ns").get(KEY).labels == {"a": "b"}
