"""Opens new volumes to every user, as provisioners do: the controller manager makes folders for root alone.

`node.py` runs this file as a script with `python -S -I` on the node, so it imports the standard library only.

    volumes_process.py FOLDER
"""

from __future__ import annotations

import contextlib
import os
import select
import sys

_LOOK_SECONDS = 0.1
_FOR_ALL = 0o777


def open_new(folder: str, known: set[str]) -> set[str]:
    """Those that are there now, all open."""
    found = {each.path for each in os.scandir(folder)}
    for path in found - known:
        with contextlib.suppress(FileNotFoundError):  # it is gone again
            os.chmod(path, _FOR_ALL)  # noqa: PTH101
    return found


def main() -> None:
    known: set[str] = set()
    while True:
        known = open_new(sys.argv[1], known)
        select.select([], [], [], _LOOK_SECONDS)


if __name__ == "__main__":
    main()
