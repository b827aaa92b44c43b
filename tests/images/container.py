"""Runs an image as its users do: the user it names, a read-only root, no capability, no network, by runc."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECONDS = 60.0
_WHITEOUT = ".wh."
_ALWAYS = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
    {"destination": "/sys", "type": "none", "source": "/sys", "options": ["rbind", "ro", "nosuid"]},
]


@dataclass(frozen=True)
class Image:
    """An archive that was unpacked.

    Attributes:
        root: Its files.
        config: Of the image: `User`, `Entrypoint`, `Labels`, …
        layers: Sizes in bytes of its layers, as they are in the archive; the base's first.
    """

    root: Path
    config: dict[str, Any]
    layers: list[int]

    @classmethod
    def unpack(cls, archive: Path, folder: Path) -> Image:
        """A `docker-archive`."""
        with tarfile.open(archive) as outer:
            (manifest,) = json.load(_file(outer, "manifest.json"))
            whole = json.load(_file(outer, manifest["Config"]))
            root = folder / "root"
            root.mkdir(parents=True)
            sizes = []
            for name in manifest["Layers"]:
                sizes.append(outer.getmember(name).size)
                with tarfile.open(fileobj=_file(outer, name)) as layer:
                    _apply(layer, root)
        return cls(root, whole["config"], sizes)


def _file(archive: tarfile.TarFile, name: str) -> Any:
    found = archive.extractfile(name)
    assert found is not None, name
    return found


# Pythons before 3.11.4 have no filters, and take all as it is.
_AS_IT_IS: dict[str, Any] = {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}


def _apply(layer: tarfile.TarFile, root: Path) -> None:
    for each in layer:
        path = Path(each.name)
        if path.name.startswith(_WHITEOUT):
            gone = root / path.parent / path.name.removeprefix(_WHITEOUT)
            shutil.rmtree(gone) if gone.is_dir() and not gone.is_symlink() else gone.unlink(missing_ok=True)
        elif not each.isdev():
            there = root / path
            if there.is_symlink() or (there.exists() and not there.is_dir()):
                there.unlink()
            layer.extract(each, root, numeric_owner=True, **_AS_IT_IS)


@dataclass(frozen=True)
class Running:
    """A container that was started.

    Attributes:
        process: runc's own, which passes signals on and ends with the container.
    """

    process: subprocess.Popen[str]
    _exec: list[str]

    def exec(self, *command: str) -> subprocess.CompletedProcess[str]:
        """As `kubectl exec` does."""
        return subprocess.run([*self._exec, *command], capture_output=True, text=True, check=False, timeout=SECONDS)


@dataclass
class Container:
    """A process in an image.

    Args:
        image: Whose files.
        folder: For the bundle.
        user: Instead of the image's.
        env: In addition to the image's.
        writable: Folders that a volume of a cluster would be, by path in the container.
        host_network: Share this machine's network, to reach a server of the test's.
    """

    image: Image
    folder: Path
    user: tuple[int, int] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    writable: Mapping[str, Path] = field(default_factory=dict)
    host_network: bool = False

    def run(self, *arguments: str, entrypoint: tuple[str, ...] | None = None) -> subprocess.CompletedProcess[str]:
        """To its end."""
        with self.started(*arguments, entrypoint=entrypoint) as running:
            out, err = running.process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(running.process.args, running.process.returncode, out, err)

    @contextmanager
    def started(self, *arguments: str, entrypoint: tuple[str, ...] | None = None) -> Iterator[Running]:
        """In the background; ended on leaving. A signal to it is passed on to the container."""
        name = f"btcctl-{uuid.uuid4().hex[:8]}"
        bundle = self.folder / name
        bundle.mkdir(parents=True)
        (bundle / "config.json").write_text(json.dumps(self._bundle(arguments, entrypoint)))
        command = ["runc", "--root", str(self.folder / "runc"), "run", "--bundle", str(bundle), name]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            yield Running(process, ["runc", "--root", str(self.folder / "runc"), "exec", name])
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
            delete = ["runc", "--root", str(self.folder / "runc"), "delete", "--force", name]
            subprocess.run(delete, capture_output=True, check=False, timeout=SECONDS)

    def _bundle(self, arguments: tuple[str, ...], entrypoint: tuple[str, ...] | None) -> dict[str, Any]:
        config = self.image.config
        first = list(entrypoint) if entrypoint is not None else config.get("Entrypoint") or []
        uid, gid = self.user or tuple(map(int, config["User"].split(":")))
        env = dict(each.partition("=")[::2] for each in config.get("Env") or ()) | dict(self.env)
        mounts = [
            {"destination": inside, "type": "bind", "source": str(outside), "options": ["rbind", "rw"]}
            for inside, outside in self.writable.items()
        ]
        kinds = ["pid", "ipc", "uts", "mount", *([] if self.host_network else ["network"])]
        return {
            "ociVersion": "1.0.2",
            "process": {
                "terminal": False,
                "user": {"uid": uid, "gid": gid},
                "args": [*first, *(arguments or config.get("Cmd") or [])],
                "env": [f"{name}={value}" for name, value in env.items()],
                "cwd": config.get("WorkingDir") or "/",
                "capabilities": {},
                "noNewPrivileges": True,
            },
            "root": {"path": str(self.image.root), "readonly": True},
            "hostname": "pod-0",
            "mounts": [*_ALWAYS, *mounts],
            "linux": {"namespaces": [{"type": each} for each in kinds]},
        }
