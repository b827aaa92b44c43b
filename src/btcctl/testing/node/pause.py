"""The image of pods' sandboxes: one static program that waits."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

PAUSE_IMAGE = "localhost/pause:1"
_INSIDE = "pause"


def write_pause_image(program: Path, archive: Path) -> None:
    """Write an image, as `docker save` does, that runs `program -P`, catatonit's way of only waiting."""
    layer = _tar({_INSIDE: program.read_bytes()}, mode=0o755)
    digest = hashlib.sha256(layer).hexdigest()
    config = {
        "architecture": _architecture(),
        "os": "linux",
        "config": {"Entrypoint": [f"/{_INSIDE}", "-P"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [PAUSE_IMAGE], "Layers": ["layer.tar"]}]
    archive.write_bytes(
        _tar({"config.json": _json(config), "layer.tar": layer, "manifest.json": _json(manifest)}, mode=0o644)
    )


def _architecture() -> str:
    """Of this machine, by Go's name for it."""
    machine = os.uname().machine
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _tar(files: dict[str, bytes], mode: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            about = tarfile.TarInfo(name)
            about.size, about.mode = len(data), mode
            archive.addfile(about, io.BytesIO(data))
    return out.getvalue()


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
