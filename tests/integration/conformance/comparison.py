"""Runs cases on both servers, and says how they compare."""

from __future__ import annotations

import difflib
import importlib
import json
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btcctl.clock import SYSTEM_CLOCK
from btcctl.threads import Runner, Stop
from tests.integration.conformance.harness import CASES, Case, Talk
from tests.integration.conformance.servers import Server

#: A real server lets the first creation of a resource just defined wait for 2 s.
_AT_ONCE = 12
_ALL_SECONDS = 850.0  # less than the tests are given; it takes four minutes at a load of 20


def load_cases() -> list[Case]:
    """All cases of the `cases_*.py` beside this file, by family and name."""
    for path in sorted(Path(__file__).parent.glob("cases_*.py")):
        importlib.import_module(f"tests.integration.conformance.{path.stem}")
    return sorted(CASES.values(), key=lambda each: each.id)


@dataclass(frozen=True)
class Transcript:
    """What one server said in one case."""

    case: Case
    server: str
    entries: list[dict[str, Any]]
    unsupported: tuple[str, ...]
    stumbled: str  #: the traceback, if the case did not get to its end
    seconds: float


Tell = Callable[[Transcript], None]


@dataclass(frozen=True)
class Outcome:
    """How one case went: `agree`, `differ` or `unsupported`, and why."""

    case: Case
    verdict: str
    why: str = ""


def compare_all(
    cases: Sequence[Case], real: Server, embedded: Server, *, but: Iterable[str] = (), tell: Tell = lambda _: None
) -> list[Outcome]:
    """Run cases on both, many at once: most of a case is waiting.

    Args:
        but: Fields to leave out: for looking at the rest of a difference, never for a result.
        tell: Told each transcript as it is there.

    Returns:
        Their outcomes, in the order of the cases.
    """
    jobs = deque((case, server) for case in cases for server in (real, embedded))
    done: dict[tuple[str, str], Transcript] = {}

    def work(_: Stop) -> None:
        with suppress(IndexError):  # no job left
            while True:
                case, server = jobs.popleft()
                found = done[case.id, server.name] = transcript_of(case, server)
                tell(found)

    runners = [Runner(f"conformance-{number}", work) for number in range(_AT_ONCE)]
    with ExitStack() as ends:
        for runner in runners:
            runner.start()
            ends.callback(runner.stop, _ALL_SECONDS)
    return [compare(case, done[case.id, "real"], done[case.id, "embedded"], set(but)) for case in cases]


def transcript_of(case: Case, server: Server) -> Transcript:
    """Run a case on one server."""
    began = SYSTEM_CLOCK.now()
    stumbled = ""
    with Talk(server) as talk:
        try:
            case.run(talk)
        except Exception:  # what a case expects of the answers, only one server may fulfil
            stumbled = traceback.format_exc(limit=-2)
    entries = [*talk.transcript, *([{"stumbled": stumbled}] if stumbled else [])]
    return Transcript(case, server.name, entries, tuple(talk.unsupported), stumbled, SYSTEM_CLOCK.now() - began)


def compare(case: Case, expected: Transcript, found: Transcript, but: set[str]) -> Outcome:
    """What becomes of a case. One that stumbles over the real server is wrong itself."""
    if expected.stumbled:
        return Outcome(case, "differ", f"stumbled over the real server:\n{expected.stumbled}")
    if found.unsupported:
        return Outcome(case, "unsupported", "; ".join(dict.fromkeys(found.unsupported)))
    both = (_lines(_without(each.entries, but)) for each in (expected, found))
    difference = list(difflib.unified_diff(*both, "real", "embedded", lineterm="", n=6))
    return Outcome(case, "differ" if difference else "agree", "\n".join(difference))


def _lines(transcript: list[dict[str, Any]]) -> list[str]:
    return json.dumps(transcript, indent=1, sort_keys=True, ensure_ascii=False).splitlines()


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(each, names) for key, each in value.items() if key not in names}
    return [_without(each, names) for each in value] if isinstance(value, list) else value
