"""When a container is probed, and what the answers add up to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.sandbox.kubelet.pods.probes import FIRST_PROBE_SECONDS, ContainerProbes, ProbeSpec, ProbeState

TCP = {"tcpSocket": {"port": 1}}


def state(*, passed: bool = False, **fields: Any) -> ProbeState:
    return ProbeState(ProbeSpec(TCP, **fields), 100.0, passed=passed)


def answer(probe: ProbeState, *answers: bool) -> None:
    for each in answers:
        probe.record(each, probe.due_at)


def test_defaults_are_the_apis():
    spec = ProbeSpec.of({"httpGet": {"port": "rpc"}})
    assert spec == ProbeSpec({"httpGet": {"port": "rpc"}}, 0, 10, 1, 1, 3)


def test_the_first_question_waits_for_the_initial_delay_and_a_moment():
    assert state().due_at == 100 + FIRST_PROBE_SECONDS
    assert state(initial_delay=7.0).due_at == 107
    assert state(period=0.2).due_at == 100.2


def test_the_period_is_counted_from_question_to_question():
    probe = state(period=3.0, initial_delay=1.0)
    probe.record(success=True, now=101.4)
    assert probe.due_at == 104


def test_questions_that_were_missed_are_not_made_up_for():
    probe = state(period=3.0, initial_delay=1.0)
    probe.record(success=True, now=150)
    assert probe.due_at == 150


def test_it_takes_as_many_successes_in_a_row_as_the_threshold():
    probe = state(success_threshold=2)
    answer(probe, True, False, True)
    assert not probe.passed
    answer(probe, True)
    assert probe.passed


def test_it_takes_as_many_failures_in_a_row_as_the_threshold_to_fall():
    probe = state(passed=True, failure_threshold=3)
    answer(probe, False, False, True, False, False)
    assert (probe.passed, probe.failed) == (True, False)
    answer(probe, False)
    assert (probe.passed, probe.failed) == (False, True)


@given(st.lists(st.booleans()), st.integers(1, 4), st.integers(1, 4))
def test_the_verdict_is_that_of_the_last_run_that_was_long_enough(answers, successes, failures):
    probe = state(success_threshold=successes, failure_threshold=failures)
    answer(probe, *answers)
    verdict = False
    for end in range(1, len(answers) + 1):
        if end >= successes and all(answers[end - successes : end]):
            verdict = True
        if end >= failures and not any(answers[end - failures : end]):
            verdict = False
    assert probe.passed is verdict


def test_a_container_without_probes_is_ready_at_once():
    probes = ContainerProbes({}, 0.0)
    assert (probes.started, probes.ready, probes.must_die, probes.next_due_at()) == (True, True, None, None)


def test_a_container_is_ready_once_its_readiness_probe_has_passed():
    probes = ContainerProbes({"readinessProbe": TCP}, 0.0)
    assert not probes.ready
    probes.record("readinessProbe", True, 1.0)
    assert probes.ready


def test_the_others_are_not_asked_before_the_startup_probe_has_passed():
    probes = ContainerProbes({"startupProbe": TCP, "readinessProbe": TCP, "livenessProbe": TCP}, 0.0)
    assert [kind for kind, _ in probes.due(1000)] == ["startupProbe"]
    assert not probes.started
    probes.record("startupProbe", True, 5.0)
    assert probes.started
    assert not probes.ready
    assert probes.due(5.4) == []
    assert [kind for kind, _ in probes.due(5.5)] == ["readinessProbe", "livenessProbe"]
    assert [kind for kind, _ in probes.due(1000)] == ["readinessProbe", "livenessProbe"]


@pytest.mark.parametrize("kind", ["startupProbe", "livenessProbe"])
def test_a_container_whose_startup_or_liveness_probe_has_failed_must_die(kind):
    probes = ContainerProbes({kind: {**TCP, "failureThreshold": 2}}, 0.0)
    probes.record(kind, False, 1.0)
    assert probes.must_die is None
    probes.record(kind, False, 2.0)
    assert probes.must_die == kind


def test_a_container_that_is_not_ready_need_not_die():
    probes = ContainerProbes({"readinessProbe": {**TCP, "failureThreshold": 1}}, 0.0)
    probes.record("readinessProbe", False, 1.0)
    assert probes.must_die is None


def test_moving_the_questions_leaves_the_verdict_alone():
    probes = ContainerProbes({"readinessProbe": TCP}, 0.0)
    probes.record("readinessProbe", True, 1.0)
    probes.ask_all_at(50.0)
    assert probes.ready
    assert probes.next_due_at() == 50.0
