"""Builds the images with buildah, docker or podman, and keeps them as archives, by what goes into them.

PYTHON_IMAGE and RUNTIME_IMAGE name the controller's bases, BASE_IMAGE that of the nodes, with a bitcoind of yours; what
is not named is made of Debian's packages, which takes root and buildah.
"""

from __future__ import annotations

import configparser
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from btcctl.testing.control_plane.binaries import user_cache
from tests.images import debian_base
from tests.integration.controlplane.build import Failure, locked, run, say

ROOT = Path(__file__).parents[2]
CONTROLLER, NODE = "btcctl", "btcctl-bitcoind"
_FILES = (
    ".dockerignore",
    "Dockerfile",
    "setup.cfg",
    "pyproject.toml",
    "constraints.txt",
    "README.md",
)
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_PIP = Path("/etc/pip.conf")
_BASES = "bases"  # a folder beside those of the images
_EPOCH = "0"  # of all files and of the images: the same content is the same image


@dataclass(frozen=True)
class Images:
    """Where the archives are, as `ctr images import` and `docker load` take them."""

    folder: Path
    version: str

    @property
    def controller(self) -> Path:
        return self.folder / f"{CONTROLLER}.tar"

    @property
    def node(self) -> Path:
        return self.folder / f"{NODE}.tar"

    @property
    def are_there(self) -> bool:
        return self.controller.is_file() and self.node.is_file()


def version() -> str:
    """Of the package."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    return setup["metadata"]["version"]


def declared_requirements() -> list[str]:
    """What the controller's image is to have: of the package, and of the extras that the Dockerfile names."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    named = re.search(r"'\.\[([a-z,]+)\]'", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert named
    parts = [
        setup["options"]["install_requires"],
        *(setup["options.extras_require"][each] for each in named[1].split(",")),
    ]
    return [line for part in parts for line in part.split("\n") if line]


def images(environ: Mapping[str, str] = os.environ, home: Path | None = None) -> Images:
    """Those of this very source, built or not, in a folder; the user's cache if None."""
    digest = hashlib.sha256(debian_base.suite_key(environ).encode())
    digest.update(environ.get("RUNTIME_IMAGE", "").encode())
    for path in _inputs():
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return Images((home or _home(environ)) / digest.hexdigest()[:16], version())


def build(environ: Mapping[str, str] = os.environ, home: Path | None = None) -> Images:
    """Build what a folder, the user's cache if None, lacks.

    Raises:
        Failure: It cannot be done; says why.
    """
    wanted = images(environ, home)
    home = wanted.folder.parent
    home.mkdir(parents=True, exist_ok=True)
    with locked(home / ".lock"):
        if not wanted.are_there:
            _build(wanted, environ)
    say(f"images: {wanted.controller} and {wanted.node.name}")
    return wanted


def _home(environ: Mapping[str, str]) -> Path:
    return user_cache(environ) / "images"


def _inputs() -> Iterator[Path]:
    yield from (ROOT / name for name in _FILES)
    for folder in (ROOT / "src", ROOT / "images"):
        yield from sorted(each for each in folder.rglob("*") if each.is_file() and _is_source(each))
    yield Path(debian_base.__file__)


def _is_source(path: Path) -> bool:
    if "__pycache__" in path.parts or any(part.endswith(".egg-info") for part in path.parts):
        return False
    return not path.relative_to(ROOT).as_posix().startswith(_left_out())


def _left_out() -> tuple[str, ...]:
    """Folders of the source that no image has."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return tuple(f"{line}/" for line in lines if line.startswith("src/"))


def _build(wanted: Images, environ: Mapping[str, str]) -> None:
    tool = _tool()
    work = wanted.folder.parent / "work"
    shutil.rmtree(work, ignore_errors=True)
    fresh = work / "archives"
    fresh.mkdir(parents=True)
    storage = Storage(tool, work)
    try:
        all_given = environ.get("PYTHON_IMAGE") and environ.get("BASE_IMAGE")
        bases = {} if all_given else debian_base.make_bases(work, wanted.folder.parent / _BASES)
        made = {name: storage.commit(f"btcctl-base-{name}", tree) for name, tree in bases.items()}
        python, runtime, base = chosen_bases(environ, made)
        label = f"debian:{debian_base.SUITE}"
        say("building the controller's image …")
        arguments = {
            "PYTHON_IMAGE": python,
            "RUNTIME_IMAGE": runtime,
            "BASE_NAME": label if runtime in made.values() else runtime,
            "BASE_DIGEST": storage.digest(runtime),
        }
        storage.build(ROOT, f"{CONTROLLER}:{wanted.version}", arguments | _stamp(wanted))
        say("building the nodes' image …")
        storage.build(
            ROOT / "images/bitcoind",
            f"{NODE}:{wanted.version}",
            {
                "BASE_IMAGE": base,
                "BASE_NAME": label if base in made.values() else base,
                "BASE_DIGEST": storage.digest(base),
            }
            | _stamp(wanted),
        )
        storage.save(f"{CONTROLLER}:{wanted.version}", fresh / wanted.controller.name)
        storage.save(f"{NODE}:{wanted.version}", fresh / wanted.node.name)
        _drop_older(wanted)
        fresh.rename(wanted.folder)
    finally:
        storage.clear()
        shutil.rmtree(work, ignore_errors=True)


def chosen_bases(environ: Mapping[str, str], made: Mapping[str, str]) -> tuple[str, str, str]:
    """What the controller is built on, what it is shipped on, and what the nodes are.

    The first two must have one Python, so a given one is shipped, too, unless another is named.

    Args:
        made: Names of those that were made of Debian's packages, for what is not given.
    """
    given = environ.get("PYTHON_IMAGE", "")
    runtime = environ.get("RUNTIME_IMAGE", "") or given or made["runtime"]
    return given or made["build"], runtime, environ.get("BASE_IMAGE", "") or made["node"]


def _drop_older(wanted: Images) -> None:
    for each in wanted.folder.parent.iterdir():
        if each.is_dir() and each.name not in {"work", _BASES}:
            shutil.rmtree(each)


def _stamp(wanted: Images) -> dict[str, str]:
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30
    )
    return {"VERSION": wanted.version, "REVISION": done.stdout.strip() or "unknown"}


def _tool() -> str:
    for name in ("buildah", "podman", "docker"):
        if shutil.which(name) and _answers(name):
            return name
    raise Failure("no buildah, podman or docker that works here: apt-get install buildah debootstrap runc")


def _answers(name: str) -> bool:
    done = subprocess.run([name, "info"], capture_output=True, check=False, timeout=60)
    return done.returncode == 0


class Storage:
    """What a tool keeps while it builds: in a folder of ours where it can be told.

    Args:
        tool: buildah, podman or docker.
        work: A folder for it.
    """

    def __init__(self, tool: str, work: Path) -> None:
        self._tool = tool
        self._work = work
        own = ["--root", str(work / "storage"), "--runroot", str(work / "run"), "--storage-driver", "overlay"]
        self._command = [tool, *([] if tool == "docker" else own)]

    def commit(self, name: str, tree: Path) -> str:
        """Make an image of a tree of files; returns its name."""
        image = f"localhost/{name}:latest"
        if self._tool != "buildah":
            tar = self._work / f"{name}.tar"
            run(["tar", "-C", str(tree), "-cf", str(tar), "."], "tar")
            self._run("import", str(tar), image)
            return image
        container = self._run("from", "scratch").strip()
        self._run("add", container, str(tree), "/")
        self._run("commit", "--rm", "--timestamp", _EPOCH, container, image)
        return image

    def digest(self, image: str) -> str:
        """Of an image, as its manifest has it; "" if the tool does not say."""
        if self._tool != "buildah":
            return ""
        return self._run("inspect", "--type", "image", "--format", "{{.FromImageDigest}}", image).strip()

    def build(self, context: Path, name: str, arguments: Mapping[str, str]) -> None:
        """Build a folder's Dockerfile."""
        given = [word for key, value in arguments.items() for word in ("--build-arg", f"{key}={value}")]
        if self._tool == "docker":
            self._run("build", "--network", "host", *given, "-t", name, str(context))
            return
        # Only while it is built: pip trusts what this system trusts, and asks where this system asks.
        mounts = [word for each in (_AUTHORITIES, _PIP) if each.is_file() for word in ("-v", f"{each}:{each}:ro")]
        how = ["--isolation", "chroot", "--network", "host", "--timestamp", _EPOCH, "--format", "oci", *mounts]
        self._run("bud" if self._tool == "buildah" else "build", *how, *given, "-t", name, str(context))

    def save(self, name: str, file: Path) -> None:
        """As an archive that has the name that a kubelet makes of it."""
        full = f"docker.io/library/{name}"
        if self._tool == "buildah":
            self._run("push", f"localhost/{name}", f"docker-archive:{file}:{full}")
        elif self._tool == "podman":
            self._run("tag", f"localhost/{name}", full)
            self._run("save", "-o", str(file), full)
        else:
            self._run("save", "-o", str(file), name)

    def clear(self) -> None:
        """Let everything go that was kept in the folder."""
        if self._tool == "buildah":
            subprocess.run([*self._command, "rm", "--all"], capture_output=True, check=False, timeout=300)
            subprocess.run([*self._command, "rmi", "--all", "--force"], capture_output=True, check=False, timeout=300)

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([*self._command, *arguments], capture_output=True, text=True, check=False, timeout=1800)
        if done.returncode:
            said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            raise Failure(f"{self._tool} {arguments[0]}: " + "\n".join(said[-5:]))
        return done.stdout
