"""The wheel and the source archive: the same source, the same bytes."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

from btcctl.testing.control_plane.binaries import user_cache
from tests.integration.controlplane.build import Failure, run

ROOT = Path(__file__).parents[2]
SETUPTOOLS = "setuptools==84.2.1"
_SOURCES = ("src", "pyproject.toml", "setup.cfg", "constraints.txt", "README.md", "LICENSE")
#: setuptools changes sys.argv as it goes.
_BUILD = "import sys, setuptools.build_meta as b; out = sys.argv[1]; b.build_wheel(out); b.build_sdist(out)"


def build_packages(output: Path, work: Path, epoch: int) -> list[Path]:
    """Both of them.

    Args:
        work: A folder for a copy of the source, so that nothing is left in it.
        epoch: The time that all files in them get.

    Raises:
        Failure: The build fails; says why.
    """
    source = work / "source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    for name in _SOURCES:
        given = ROOT / name
        ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(given, source / name, ignore=ignore) if given.is_dir() else shutil.copy(given, source / name)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(max(epoch, 315532800))}  # zip knows no time before 1980
    run([str(builder(os.environ)), "-c", _BUILD, str(output)], "setuptools", cwd=source, environment=environment)
    wheels, archives = list(output.glob("*.whl")), list(output.glob("btcctl-*.tar.gz"))
    if not (wheels and archives):
        raise Failure(f"setuptools made no {'source archive' if wheels else 'wheel'}")
    for each in archives:
        each.write_bytes(_repacked(each, epoch))
    return [*wheels, *archives]


def builder(environ: Mapping[str, str]) -> Path:
    """A Python with setuptools and nothing else."""
    home = user_cache(environ) / "setuptools" / SETUPTOOLS.partition("==")[2]
    done = home / ".done"  # without it pip may have failed the last time
    if not done.exists():
        run([sys.executable, "-m", "venv", "--clear", str(home)], "cannot make a venv")
        run([str(home / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", SETUPTOOLS], "pip")
        done.touch()
    return home / "bin/python"


def _repacked(archive: Path, when: int) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(archive) as old, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in sorted(old.getmembers(), key=lambda each: each.name):
            clean = tarfile.TarInfo(member.name)
            clean.type, clean.size, clean.mtime = member.type, member.size, when
            clean.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            new.addfile(clean, old.extractfile(member) if member.isfile() else None)
    return gzip.compress(packed.getvalue(), mtime=when)


def try_wheel(wheel: Path, work: Path, extra: str, command: list[str], environ: Mapping[str, str]) -> str:
    """Install it alone into an empty environment, and run a command there; returns what it prints.

    Raises:
        Failure: It does not work; says why.
    """
    home = work / f"try{extra}"
    shutil.rmtree(home, ignore_errors=True)
    run([sys.executable, "-m", "venv", str(home)], "cannot make a venv")
    wanted = f"{wheel}[{extra}]" if extra else str(wheel)
    pip = [
        str(home / "bin/pip"),
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-c",
        str(ROOT / "constraints.txt"),
    ]
    run([*pip, wanted], "pip cannot install the wheel")
    env = {**environ, "HOME": str(home), "PATH": f"{home / 'bin'}:{os.defpath}"}
    env.pop("PYTHONPATH", None)
    done = subprocess.run(
        [str(home / "bin/btcctl"), *command],
        cwd=home,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode:
        raise Failure(f"btcctl {' '.join(command)} with the wheel alone: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done.stdout
