"""What importing costs: processor time and peak memory of a whole interpreter that does nothing else."""

from __future__ import annotations

import os
import sys
from statistics import median

from benchmarks.runner import Figures

HEAVY = ("kubernetes", "prometheus_client", "urllib3", "structlog", "msgspec", "yaml")
_STATEMENTS = {
    "the interpreter alone": "",
    "import btcctl": "import btcctl",
    "what a controller needs": (
        "from btcctl import ApiClient, Controller, ControllerOptions, Manager, ObjectKey, ResourceType, Result,"
        " SharedInformerFactory, create_or_update, generation_changed, load_config, run_until_signal, set_controller,"
        " write_status"
    ),
}


def measure(rounds: int) -> dict[str, Figures]:
    """CPU seconds and MiB for each statement: medians of interleaved rounds."""
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in _STATEMENTS}
    for _ in range(rounds):
        for name, statement in _STATEMENTS.items():
            runs[name].append(_run(statement))
    return {
        name: {"cpu_s": median(cpu for cpu, _ in each), "peak_mib": median(peak for _, peak in each)}
        for name, each in runs.items()
    }


def loaded(statement: str = "import btcctl") -> list[str]:
    """Which heavy packages a statement brings along."""
    return [each for each in HEAVY if _run(f"{statement}; import sys; sys.exit({each!r} in sys.modules)", ok=False)[2]]


def _run(statement: str, *, ok: bool = True) -> tuple[float, ...]:
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", statement], os.environ)
    _, status, usage = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if ok:
        assert code == 0, statement
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, code


def main() -> None:
    """`python -m benchmarks.imports`: without rivals, in seconds."""
    for name, figures in measure(15).items():
        print(f"{1_000 * figures['cpu_s']:7.1f} ms of CPU {figures['peak_mib']:7.1f} MiB  {name}")


if __name__ == "__main__":
    main()
