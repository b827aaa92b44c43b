from __future__ import annotations

import pytest

from btcctl.errors import ConfigError, ObjectDecodeError
from btcctl.leaderelection.election import Timing
from btcctl.leaderelection.elector import Elector, unique_identity
from btcctl.leaderelection.fence import Fence
from btcctl.leaderelection.record import LeaseRecord
from btcctl.testing.clock import FakeClock
from tests.unit.leaderelection.support import FakeLock, Server


@pytest.mark.parametrize(
    "times", [(10.0, 10.0, 2.0), (15.0, 2.4, 2.0), (15.0, 10.0, 0.0), (0.5, 0.4, 0.1), (15.5, 10.0, 2.0), (-1, -2, -3)]
)
def test_times_that_do_not_fit_together_are_refused(times: tuple[float, float, float]) -> None:
    with pytest.raises(ConfigError, match="lease duration"):
        Timing(*times)


def test_the_defaults_are_client_gos() -> None:
    assert Timing() == Timing(15.0, 10.0, 2.0)


def test_an_identity_that_cannot_be_sent_is_refused() -> None:
    with pytest.raises(ValueError, match="the identity is no Unicode text"):
        Elector(FakeLock(Server(), FakeClock()), Fence(), identity="a\udc80")


def test_identities_differ_from_start_to_start() -> None:
    assert unique_identity() != unique_identity()


def test_a_record_is_read_as_it_is_written() -> None:
    record = LeaseRecord("a", 15, "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:02.000000Z", 3)
    assert LeaseRecord.from_spec(record.spec()) == record


def test_what_is_missing_or_null_counts_as_empty() -> None:
    assert LeaseRecord.from_spec({"holderIdentity": None}) == LeaseRecord()


@pytest.mark.parametrize("spec", [{"holderIdentity": 7}, {"leaseDurationSeconds": "15"}, {"renewTime": 1}])
def test_a_field_of_the_wrong_type_is_no_record(spec: dict[str, object]) -> None:
    with pytest.raises(ObjectDecodeError):
        LeaseRecord.from_spec(spec)


def test_the_age_of_a_record_is_by_the_holders_clock() -> None:
    record = LeaseRecord("a", 15, "", "2025-12-31T23:59:57.000000Z")
    assert record.age(FakeClock().wall_time()) == 3.0
    assert LeaseRecord("a", 15, "", "yesterday").age(FakeClock().wall_time()) is None
    assert LeaseRecord("a").age(FakeClock().wall_time()) is None
