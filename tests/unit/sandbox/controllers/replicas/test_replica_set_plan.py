"""Which of too many pods go first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from btcctl.sandbox.controllers.replicas.replica_set_plan import PodState, plan

NOW = datetime(2026, 1, 1, tzinfo=UTC)
USUAL = PodState(
    name="usual",
    uid="u",
    phase="Running",
    is_bound=True,
    ready_since=NOW,
    available=True,
    terminating=False,
    created=NOW,
)


def other(**changes: object) -> PodState:
    fields = {each: getattr(USUAL, each) for each in USUAL.__dataclass_fields__}
    return PodState(**{**fields, "name": "other", "uid": "o", **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"is_bound": False},
        {"phase": "Pending"},
        {"ready_since": None},
        {"cost": -1},
        {"ready_since": NOW + timedelta(seconds=5)},
        {"restarts": 2},
        {"created": NOW + timedelta(seconds=5)},
    ],
)
def test_the_pod_that_is_missed_least_goes(changes):
    assert [pod.name for pod in plan(1, [USUAL, other(**changes)]).delete] == ["other"]


@pytest.mark.parametrize("changes", [{"terminating": True}, {"phase": "Failed"}])
def test_a_pod_that_has_ended_is_none_of_the_replicas(changes):
    assert plan(2, [USUAL, other(**changes)]).create == 1
