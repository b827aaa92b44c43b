"""Programs of a container that stand for those of its image: there is no image here, and no file system of its own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

_IMAGE_PROGRAMS = PurePosixPath("/usr/local/bin")


def located(command: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """The command, with a program of the image's /usr/local/bin replaced by the one of that name on the PATH."""
    path = PurePosixPath(command[0] if command else "")
    found = shutil.which(path.name, path=env.get("PATH", "")) if path.parent == _IMAGE_PROGRAMS else None
    return list(command) if found is None else [found, *command[1:]]
