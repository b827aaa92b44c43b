"""The leader is killed, paused, cut off and asked to go, over and over: never do two write at once."""

from __future__ import annotations

import itertools
import os
import sys
import uuid
from collections.abc import Iterator

import pytest

from btcctl.leaderelection.election import Timing
from btcctl.resources import CONFIG_MAPS, NAMESPACES
from btcctl.testing.control_plane import ControlPlane
from tests.faults.handlers import Lateness
from tests.integration.audit import AuditLog
from tests.integration.leaderelection.duel import TIMING, Duel, duel
from tests.integration.leaderelection.servers import Audited, EmbeddedAudited, RealAudited
from tests.integration.leaderelection.writer import OBJECTS

ROUNDS = int(os.environ.get("BTCCTL_ELECTION_ROUNDS", "4"))
KINDS = ("kill", "pause", "partition", "terminate")
LEASE, _, RETRY = TIMING
CALL_SECONDS = Timing(*TIMING).call_seconds  # the last attempt that failed may have waited for its answer
HUNG_UP = -9


@pytest.fixture
def namespace() -> str:
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def server(real_one: ControlPlane | None, audit_log: AuditLog, namespace: str) -> Iterator[Audited]:
    """The embedded server, then a real one, with what is written to."""
    if real_one is None:
        with EmbeddedAudited().serving() as embedded:
            prepare(embedded, namespace)
            yield embedded
    else:
        real = RealAudited(real_one, audit_log, namespace)
        prepare(real, namespace)
        real.allow()
        yield real


def prepare(server: Audited, namespace: str) -> None:
    with server.client() as admin:
        admin.resource(NAMESPACES).create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        for number in range(OBJECTS):
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"written-{number}"}}
            admin.resource(CONFIG_MAPS, namespace).create(body)


def report(fight: Duel) -> str:
    verdict = fight.verdict()
    takeovers = sorted(verdict.takeovers)
    return (
        f"{len(fight.ends)} rounds, {verdict.writes} writes, {len(verdict.violations)} violations, "
        f"{len(verdict.in_flight)} were on their way, takeovers {takeovers[0]:.2f}-{takeovers[-1]:.2f} s, "
        f"{fight.revived} ended by themselves"
    )


@pytest.mark.timeout(120 + 30 * ROUNDS)
def test_whatever_happens_to_a_leader_it_never_writes_after_the_next_one_has_the_lease(
    server: Audited, namespace: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Lateness() as lateness, duel(server, namespace) as fight:
        for kind in itertools.islice(itertools.cycle(KINDS), ROUNDS):
            fight.round(kind)
        with capsys.disabled():
            sys.stdout.write(f"\n{report(fight)}\n")
        verdict = fight.verdict()
        assert verdict.violations == []
        assert verdict.writes > 10 * ROUNDS
        # Of what the machine had no time for here, the one that waits and its server may have had as much to bear.
        in_time = LEASE + RETRY + CALL_SECONDS + 2 * lateness.worst_seconds
        late = [each for each in verdict.takeovers if each > in_time]
        assert len(late) <= fight.revived, verdict.takeovers
        expected = {"kill": HUNG_UP, "pause": 1, "partition": 1, "terminate": 0}
        unexpected = [each for each in fight.ends if each[1] != expected[each[0]] and not had_lost(each[2])]
        assert len(unexpected) <= fight.revived, unexpected


def had_lost(said: str) -> bool:
    """Whether somebody who was asked to go led no longer by then: it had got no time, or no answer, to renew."""
    before, asked, _ = said.partition("stopping; a second signal")
    return bool(asked) and ("nothing was sent" in before or "lease lost" in before)


@pytest.mark.timeout(600)
def test_without_the_fence_a_leader_that_was_paused_does_write(server: Audited, namespace: str) -> None:
    with duel(server, namespace, is_fenced=False) as fight:
        assert any(violates(fight) for _ in range(8))


def violates(fight: Duel) -> bool:
    """After one more round; whether the elector or a worker is first when it wakes up is chance."""
    fight.round("pause")
    return bool(fight.verdict().violations)
