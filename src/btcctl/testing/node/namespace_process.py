"""The outermost process of a node: starts all else in namespaces, and removes what these leave on the machine.

`namespaces.py` runs this file as a script with `python -S -I`, so it imports the standard library only. It stands
outside of the namespaces: in its sight no volume is mounted and no file system laid over another, so that a folder can
be removed without reaching into what was mounted there. It ends after all else, also when the tests were killed.

    namespace_process.py FOLDER CGROUP COMMAND…

FOLDER is removed at the end, and so are the cgroups named CGROUP, which it makes.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
#: Where the controller manager makes volumes (Kubernetes, pkg/volume/hostpath); the node has a folder mounted there.
CLAIMS = Path("/tmp/hostpath_pv")  # noqa: S108
#: Of cgroup v1, where each may be a hierarchy of its own.
CONTROLLERS = (
    "blkio",
    "cpu",
    "cpuacct",
    "cpuset",
    "devices",
    "freezer",
    "hugetlb",
    "memory",
    "pids",
    "systemd",
    "unified",
)
UNSHARE = ("unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc", "--")
_CPUSET = ("cpuset.cpus", "cpuset.mems")
_TRIES = 50
_PAUSE_SECONDS = 0.1


def is_unified() -> bool:
    """Whether there is one hierarchy for all controllers: cgroup v2 (cgroups(7))."""
    return (CGROUPS / "cgroup.controllers").exists()


def make_cgroups(name: str) -> None:
    """In every hierarchy; a cpuset takes no process before it has been given what its parent has."""
    if is_unified():
        given = (CGROUPS / "cgroup.controllers").read_text().split()
        with contextlib.suppress(OSError):  # some may be in use elsewhere, and kubelet says which it misses
            (CGROUPS / "cgroup.subtree_control").write_text(" ".join(f"+{each}" for each in given))
        (CGROUPS / name).mkdir(exist_ok=True)
        return
    for controller in CONTROLLERS:
        if (CGROUPS / controller).is_dir():
            (CGROUPS / controller / name).mkdir(exist_ok=True)
    for each in _CPUSET:
        parent = CGROUPS / "cpuset" / each
        if parent.exists():
            (CGROUPS / "cpuset" / name / each).write_text(parent.read_text())


def remove_cgroups(name: str) -> None:
    """They are empty once every process in them is gone, which may take the kernel a moment."""
    for root in [CGROUPS / name] if is_unified() else [CGROUPS / each / name for each in CONTROLLERS]:
        for _ in range(_TRIES):
            for folder, _, _ in os.walk(root, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()  # the files in it are the kernel's own
            if not root.exists():
                break
            select.select([], [], [], _PAUSE_SECONDS)


def others_run() -> bool:
    """Whether another node has cgroups: those are the first that a node makes, and the last that go."""
    return any(CGROUPS.glob("btcctl-run-*" if is_unified() else "*/btcctl-run-*"))


def main() -> int:
    folder, name, command = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        make_cgroups(name)
        process = subprocess.Popen([*UNSHARE, *command])  # noqa: S603
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        return process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        remove_cgroups(name)
        if not others_run():  # from whom it would be unmounted
            with contextlib.suppress(OSError):
                CLAIMS.rmdir()


if __name__ == "__main__":
    sys.exit(main())
