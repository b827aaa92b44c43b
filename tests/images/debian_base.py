"""Bases out of Debian's packages, in the place of those that a registry would have.

One debootstrap gives three: a Python that can make environments, the same without what only a build needs, and a bare
system for the nodes, with a bitcoind that `make bitcoind` has fetched. What it gave is kept until this file changes,
or the index of Debian's archive, which names everything there by its content.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from btcctl.sandbox.demonstration.commands import cached_bitcoind
from tests.bitcoind.__main__ import PROGRAMS, get_bitcoind
from tests.integration.controlplane.build import Failure, run, say

SUITE = "trixie"
_ARCHIVE = "http://deb.debian.org/debian"  # where debootstrap looks by itself; it checks the signature
_INDEX_SECONDS = 60
_INCLUDE = "python3,python3-venv,ca-certificates"
#: What only a build needs, and what nobody reads in a container.
_BUILD_ONLY = ("python3-venv", "python3.13-venv", "python3-pip-whl", "python3-setuptools-whl")
_PYTHON = "python3*"
_DROPPED = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale", "var/log")
_IN_IMAGE = "/opt/bitcoin"  # where the nodes' programs and their libraries are


def make_bases(work: Path, kept: Path) -> dict[str, Path]:
    """Trees of files, by name: "build", "runtime" and "node".

    Args:
        work: A folder for what is made anew each time.
        kept: One for what stays. Only the latest is kept.

    Raises:
        Failure: They cannot be made here; says why.
    """
    if not shutil.which("debootstrap"):
        raise Failure("no debootstrap: apt-get install debootstrap")
    bases = kept / _key()
    if not bases.is_dir():
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        _bootstrap(work / "bases").rename(bases)
    run(["cp", "-a", str(bases / "bare"), str(work / "node")], "cannot copy a base")
    return {"build": bases / "build", "runtime": bases / "runtime", "node": _with_bitcoind(work / "node")}


def _key() -> str:
    """Of all that a base is made of."""
    address = f"{_ARCHIVE}/dists/{SUITE}/InRelease"
    try:
        with urllib.request.urlopen(address, timeout=_INDEX_SECONDS) as index:  # noqa: S310  no file
            digest = hashlib.sha256(index.read())
    except OSError as error:
        raise Failure(f"{address}: {error}") from error
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()[:16]


def _bootstrap(folder: Path) -> Path:
    """The trees "build", "runtime" and "bare" in a folder, which is returned."""
    say(f"getting Debian's {SUITE} …")
    folder.mkdir()
    tree = folder / "build"
    command = ["debootstrap", "--variant=minbase", f"--include={_INCLUDE}", SUITE, str(tree), _ARCHIVE]
    run(command, "debootstrap", environment={**os.environ, "LC_ALL": "C"})
    _slim(tree)
    _without(tree, folder / "runtime", *_BUILD_ONLY)
    _without(tree, folder / "bare", _PYTHON)
    return folder


def _slim(tree: Path) -> None:
    for each in _DROPPED:
        folder = tree / each
        for inside in folder.iterdir() if folder.is_dir() else ():
            shutil.rmtree(inside) if inside.is_dir() and not inside.is_symlink() else inside.unlink()


def _without(tree: Path, copy: Path, *packages: str) -> None:
    """Make a copy without packages."""
    run(["cp", "-a", str(tree), str(copy)], "cannot copy a base")
    patterns = " ".join(f"'{each}'" for each in packages)
    script = (
        f"names=$(dpkg-query -W -f '${{Package}}\\n' {patterns} 2>/dev/null | sort -u)\n"
        "dpkg --purge --force-depends $names\n"
        "rm -rf /usr/lib/python3*/ensurepip /usr/share/python-wheels"
    )
    run(["chroot", str(copy), "sh", "-c", script], "cannot remove packages of a base")
    _slim(copy)


def _with_bitcoind(tree: Path) -> Path:
    """The programs come with their libraries, the C library and its loader too."""
    get_bitcoind(os.environ)
    home = cached_bitcoind(os.environ).parent / "root"
    inside = tree / _IN_IMAGE.lstrip("/")
    run(["cp", "-a", str(home), str(inside)], "cannot copy bitcoind")
    for each in ("usr/share", "usr/lib/systemd", "etc", "var"):
        shutil.rmtree(inside / each, ignore_errors=True)
    loader = next((inside / "usr").glob("lib/*/ld-linux*.so.*")).relative_to(tree)
    for name in PROGRAMS:
        script = tree / "usr/local/bin" / name
        program = f"{_IN_IMAGE}/usr/bin/{name}"
        script.write_text(f'#!/bin/sh\nexec /{loader} --library-path /{loader.parent} {program} "$@"\n')
        script.chmod(0o755)
    return tree


def suite_key(environ: Mapping[str, str]) -> str:
    """What the bases depend on, for a cache."""
    return f"{SUITE} {_INCLUDE} {environ.get('PYTHON_IMAGE', '')} {environ.get('BASE_IMAGE', '')}"
