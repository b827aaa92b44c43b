"""What a failed test leaves for a person: objects, events, logs of pods and of programs. No Secrets."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_SECONDS = 60.0
#: By file: what kubectl is asked.
_QUESTIONS: Mapping[str, Sequence[str]] = {
    "pods.txt": ("get", "pods", "-A", "-o", "wide"),
    "events.txt": ("get", "events", "-A", "--sort-by=.lastTimestamp"),
    "describe.txt": ("describe", "nodes,pods,statefulsets,deployments,persistentvolumeclaims", "-A"),
    "objects.yaml": ("get", "pods,services,endpointslices,statefulsets,deployments,leases", "-A", "-o", "yaml"),
}


def dump(folder: Path, kubectl: Path | None, kubeconfig: Path, logs: Path, pod_logs: Path) -> None:
    """Write what can be had; what cannot is said in its file.

    Args:
        folder: Made if needed.
        kubectl: Without it there are logs only.
        kubeconfig: Of an admin.
        logs: The folder of the programs' logs.
        pod_logs: The folder of the containers' logs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, question in _QUESTIONS.items() if kubectl else ():
        (folder / name).write_text(_answer([str(kubectl), "--kubeconfig", str(kubeconfig), *question]))
    for log in logs.glob("*.log"):
        shutil.copy(log, folder / log.name)
    for log in pod_logs.glob("*/*/*.log"):
        copy = folder / "pods" / log.relative_to(pod_logs)
        copy.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):  # its pod is just going
            shutil.copy(log, copy)


def _answer(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{error}\n"
    return done.stdout + done.stderr
