"""Runs cases on both servers, and says how they compare."""

from __future__ import annotations

import difflib
import importlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btcctl.threads import Runner, Stop
from tests.integration.conformance.harness import CASES, Case, Talk
from tests.integration.conformance.servers import Server

_CASE_SECONDS = 90.0


def load_cases() -> list[Case]:
    """All cases of the `cases_*.py` beside this file, by family and name."""
    for path in sorted(Path(__file__).parent.glob("cases_*.py")):
        importlib.import_module(f"tests.integration.conformance.{path.stem}")
    return sorted(CASES.values(), key=lambda each: each.id)


@dataclass(frozen=True)
class Outcome:
    """How one case went: `agree`, `differ` or `unsupported`, and why."""

    case: Case
    verdict: str
    why: str = ""


def compare(case: Case, real: Server, embedded: Server, *, but: Iterable[str] = ()) -> Outcome:
    """Run a case on both.

    Args:
        but: Fields to leave out: for looking at the rest of a difference, never for a result.
    """
    expected, found = _transcripts(case, real, embedded)
    if found.unsupported:
        return Outcome(case, "unsupported", "; ".join(dict.fromkeys(found.unsupported)))
    difference = list(
        difflib.unified_diff(
            _lines(_without(expected.transcript, set(but))),
            _lines(_without(found.transcript, set(but))),
            "real",
            "embedded",
            lineterm="",
            n=6,
        )
    )
    return Outcome(case, "differ" if difference else "agree", "\n".join(difference))


def _transcripts(case: Case, *both: Server) -> list[Talk]:
    """Both at once: much of a case is waiting."""
    talks: dict[str, Talk] = {}

    def run(server: Server) -> Callable[[Stop], None]:
        return lambda _: talks.update({server.name: _transcript(case, server)})

    runners = [Runner(f"conformance-{server.name}", run(server)) for server in both]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join(_CASE_SECONDS)
    return [talks[server.name] for server in both]


def _transcript(case: Case, server: Server) -> Talk:
    with Talk(server) as talk:
        try:
            case.run(talk)
        except Exception as error:  # a case may stumble over what only one server says
            if server.name == "real":
                raise
            talk.transcript.append({"stumbled": f"{type(error).__name__}: {error}"})
    return talk


def _lines(transcript: list[dict[str, Any]]) -> list[str]:
    return json.dumps(transcript, indent=1, sort_keys=True, ensure_ascii=False).splitlines()


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(each, names) for key, each in value.items() if key not in names}
    return [_without(each, names) for each in value] if isinstance(value, list) else value
