"""Programs out of Debian's packages, unpacked into a folder: nothing is installed, and no root is needed.

They may want a newer C library than the system has, so everything they depend on is unpacked beside them, the C library
and its loader too. The archive is the one that apt is set up with here, and its signature is checked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.integration.controlplane.build import Failure, locked, run, say

_ARCHIVES = ("--no-release-info", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
#: With lists, caches and a record of installed packages of our own, apt works beside the system's own state.
_APT = """\
Dir::Etc::SourceList "{work}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State "{work}/state";
Dir::State::Status "{work}/status";
Dir::Cache "{work}/cache";
Debug::NoLocking "true";
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
"""


def had(program: Path, runs: Callable[[], bool], what: str, get: Callable[[Path], None]) -> Path:
    """A program in the user's cache; got first if it is missing, or does not run. One process at a time gets it.

    Args:
        program: Where it is; its folder is made.
        runs: Whether it is there and runs.
        what: It, and where it comes from, for who waits.
        get: Puts it there, given a folder for what is needed on the way, which is removed afterwards.

    Raises:
        Failure: It cannot be had here; says why.
    """
    root = program.parent
    root.mkdir(parents=True, exist_ok=True)
    with locked(root / ".lock"):
        if not runs():
            say(f"getting {what} …")
            work = root / "work"
            try:
                get(work)
            finally:
                shutil.rmtree(work, ignore_errors=True)
        if not runs():
            raise Failure(f"{program} does not run here")
    return program


def says_its_version(program: Path) -> bool:
    """Whether it is there, and runs."""
    if not program.exists():
        return False
    return subprocess.run([program, "--version"], capture_output=True, check=False, timeout=60).returncode == 0


def main(name: str, get: Callable[[Mapping[str, str]], Path]) -> int:
    """`make NAME`: get it, and say where it is, or why it is not there; the exit status."""
    try:
        say(f"{name}: {get(os.environ)}")
    except (Failure, OSError) as failure:  # a cache that cannot be written, too
        sys.stderr.write(f"make {name}: {failure}\n")
        return 1
    return 0


def unpack(packages: Sequence[str], release: str, home: Path, work: Path, environ: Mapping[str, str]) -> None:
    """Unpack packages and all that they need.

    Args:
        packages: Their names.
        release: Debian's name of the release that has them.
        home: Where to; what was there before is replaced.
        work: A folder for what is needed on the way; the caller removes it.

    Raises:
        Failure: It cannot be had; says why.
    """
    for each in (work, home):
        shutil.rmtree(each, ignore_errors=True)
    for file in _download(packages, release, work, environ):
        run(["dpkg-deb", "-x", str(file), str(home)], f"cannot unpack {file.name}")


def loader_of(home: Path) -> Path:
    """The loader that was unpacked; the libraries are in its folder.

    Raises:
        Failure: There is none.
    """
    loader = next((home / "usr").glob("lib/*/ld-linux*.so.*"), None)
    if loader is None:
        raise Failure("its packages have no loader")
    return loader


def launcher(home: Path, name: str, script: Path) -> None:
    """Write a script that starts a program of what was unpacked into `home`, with the C library beside it."""
    loader = loader_of(home)
    script.write_text(f'#!/bin/sh\nexec "{loader}" --library-path "{loader.parent}" "{home}/usr/bin/{name}" "$@"\n')
    script.chmod(0o755)


def own_release() -> str:
    """This system's own release, by Debian's name of it.

    Raises:
        Failure: It says no name.
    """
    name = _os_release().get("VERSION_CODENAME")
    if not name:
        raise Failure("/etc/os-release names no release of Debian")
    return name


def archive(release: Mapping[str, str], indices: str) -> str:
    """The archive that apt is set up with for this system's own release.

    Args:
        release: What /etc/os-release says.
        indices: Lines of `apt-get indextargets`, each an address, a release and a component.

    Raises:
        Failure: It is not Debian, or has no archive of Debian.
    """
    if release.get("ID") != "debian":
        raise Failure(f"this is {release.get('ID', 'no Linux that says its name')}, not debian")
    for line in indices.splitlines():
        match line.split():
            case [address, codename, "main"] if codename == release.get("VERSION_CODENAME"):
                return address
    raise Failure("apt has no archive of this Debian among its sources")


def _download(packages: Sequence[str], release: str, work: Path, environ: Mapping[str, str]) -> list[Path]:
    """The packages and all that they need, the C library too."""
    if not shutil.which("apt-get"):
        raise Failure("this system has no apt-get")
    for each in ("state/lists/partial", "cache/archives/partial"):
        (work / each).mkdir(parents=True)
    (work / "status").touch()
    (work / "apt.conf").write_text(_APT.format(work=work))
    address = archive(_os_release(), _output(["apt-get", "indextargets", *_ARCHIVES]))
    (work / "sources.list").write_text(f"deb [signed-by={_KEYS}] {address} {release} main\n")
    environment = {**environ, "APT_CONFIG": str(work / "apt.conf")}
    run(["apt-get", "-q", "update"], "apt-get update", environment=environment)
    run(["apt-get", "-q", "-y", "--download-only", "install", *packages], "apt-get install", environment=environment)
    return sorted((work / "cache" / "archives").glob("*.deb"))


def _os_release() -> dict[str, str]:
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return {}
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout
