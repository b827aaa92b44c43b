"""When a container is probed, and what the answers add up to. Pure: `checks` does the asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

# A node needs 0.2-0.4 s until it answers (measured): asking at once would only record a failure.
FIRST_PROBE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """A probe as the pod asks for it, with the API's defaults. Times in seconds."""

    check: Mapping[str, Any]  #: the probe's httpGet, tcpSocket or exec, under that name
    initial_delay: float = 0.0
    period: float = 10.0
    timeout: float = 1.0
    success_threshold: int = 1
    failure_threshold: int = 3

    @classmethod
    def of(cls, probe: Mapping[str, Any]) -> Self:
        """Read it from a container's readinessProbe, livenessProbe or startupProbe."""
        return cls(
            check={kind: probe[kind] for kind in ("httpGet", "tcpSocket", "exec", "grpc") if kind in probe},
            initial_delay=probe.get("initialDelaySeconds") or 0,
            period=probe.get("periodSeconds") or 10,
            timeout=probe.get("timeoutSeconds") or 1,
            success_threshold=probe.get("successThreshold") or 1,
            failure_threshold=probe.get("failureThreshold") or 3,
        )


class ProbeState:
    """Counts successes and failures in a row until they make a verdict.

    Args:
        spec: The probe.
        started_at: Monotonic instant at which the container started, or at which the probe
            began to matter.
        passed: The verdict before any answer.
    """

    def __init__(self, spec: ProbeSpec, started_at: float, *, passed: bool) -> None:
        self.spec = spec
        self.passed = passed
        self.due_at = started_at + max(spec.initial_delay, min(spec.period, FIRST_PROBE_SECONDS))
        self._successes = 0
        self._failures = 0

    @property
    def failed(self) -> bool:
        """As many failures in a row as the threshold, at least."""
        return self._failures >= self.spec.failure_threshold

    def record(self, success: bool, now: float) -> None:
        """Take note of an answer; the next is due one period after this one was."""
        self._successes = self._successes + 1 if success else 0
        self._failures = 0 if success else self._failures + 1
        if self._successes >= self.spec.success_threshold:
            self.passed = True
        elif self.failed:
            self.passed = False
        self.due_at = max(self.due_at + self.spec.period, now)

    def ask_again_at(self, instant: float) -> None:
        """Move the next question, leaving the counts alone."""
        self.due_at = instant


class ContainerProbes:
    """The three probes of one running container, and how they depend on each other.

    Until the startup probe has passed the container counts as not started, and neither of the
    others is asked.
    """

    def __init__(self, container: Mapping[str, Any], started_at: float) -> None:
        self._container = container
        self._states: dict[str, ProbeState] = {}
        self._add("startupProbe", started_at, passed=False)
        if self.started:
            self._start_others(started_at)

    @property
    def started(self) -> bool:
        startup = self._states.get("startupProbe")
        return startup is None or startup.passed

    @property
    def ready(self) -> bool:
        readiness = self._states.get("readinessProbe")
        return self.started and (readiness is None or readiness.passed)

    @property
    def must_die(self) -> str | None:
        """The probe whose failure ends the container, or None."""
        deadly = ("startupProbe", "livenessProbe")
        return next((kind for kind in deadly if kind in self._states and self._states[kind].failed), None)

    def due(self, now: float) -> list[tuple[str, ProbeSpec]]:
        """The probes to ask now, by their names in the API."""
        return [(kind, state.spec) for kind, state in self._asked() if state.due_at <= now]

    def next_due_at(self) -> float | None:
        """When to look again, or None: there is nothing to ask."""
        return min((state.due_at for _, state in self._asked()), default=None)

    def record(self, kind: str, success: bool, now: float) -> None:
        """Take note of an answer."""
        was_started = self.started
        self._states[kind].record(success, now)
        if self.started and not was_started:
            self._start_others(now)

    def ask_all_at(self, instant: float) -> None:
        """Move every next question, leaving the counts alone."""
        for state in self._states.values():
            state.ask_again_at(instant)

    def _asked(self) -> list[tuple[str, ProbeState]]:
        return [(kind, state) for kind, state in self._states.items() if (kind == "startupProbe") != self.started]

    def _start_others(self, started_at: float) -> None:
        self._add("readinessProbe", started_at, passed=False)
        self._add("livenessProbe", started_at, passed=True)

    def _add(self, kind: str, started_at: float, *, passed: bool) -> None:
        probe = self._container.get(kind)
        if probe:
            self._states[kind] = ProbeState(ProbeSpec.of(probe), started_at, passed=passed)
