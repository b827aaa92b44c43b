from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from btcctl.bitcoin.doctor.diagnosis import Diagnosis
from btcctl.bitcoin.doctor.lease import check_lease
from btcctl.errors import Forbidden
from btcctl.objects import ObjectKey
from btcctl.testing.fake_client import FakeClient

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = ObjectKey("home", "lease")


def lease(namespace: str = "home", holder: str = "pod-1", age: float = 3.0) -> dict[str, Any]:
    renewed = (NOW - timedelta(seconds=age)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "lease", "namespace": namespace},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": renewed},
    }


def checked(*leases: dict[str, Any], may_list: bool = True) -> list[Diagnosis]:
    client = FakeClient(*leases)
    if not may_list:
        client.reactors.append(refuse_lists)
    return list(check_lease(client, KEY, NOW))


def refuse_lists(action: Any) -> None:
    if action.verb == "list":
        raise Forbidden(403, "Forbidden", "no")


def test_who_holds_it_is_named() -> None:
    (found,) = checked(lease())
    assert (found.verdict, found.message) == ("ok", "pod-1 holds home/lease, renewed 3 s ago")


def test_who_may_not_look_everywhere_looks_at_its_own() -> None:
    (found,) = checked(lease(), may_list=False)
    assert found.verdict == "ok"


def test_a_holder_that_is_gone_is_no_holder() -> None:
    (found,) = checked(lease(age=60.0))
    assert found.verdict == "error"
    assert "pod-1 held it last" in found.message
    assert "kubectl -n home" in found.cure


def test_no_lease_is_said_likewise() -> None:
    (found,) = checked(may_list=False)
    assert found.message == "nobody holds home/lease: no controller is at work"
    assert "deployment/lease" not in found.cure  # a release's Deployment has another name


def test_two_that_are_at_work_are_a_warning() -> None:
    found = checked(lease(), lease("elsewhere"))
    assert [each.verdict for each in found] == ["ok", "ok", "warning"]
