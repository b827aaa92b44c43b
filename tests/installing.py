"""Puts packages into an environment: by uv, which takes a tenth of pip's time, or by pip where uv cannot."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.integration.controlplane.build import Failure, run

_UV = Path(sys.executable).parent / "uv"


def install(python: Path, wanted: Sequence[str], constraints: Path, failure: str, *, uv: Path = _UV) -> None:
    """Install what is wanted for a Python, which needs no pip of its own.

    Raises:
        Failure: It cannot be done; begins with `failure`, and ends with why.
    """
    arguments = ["--quiet", "-c", str(constraints), *wanted]
    if uv.exists():
        try:
            run([str(uv), "pip", "install", "--python", str(python), *arguments], failure)
        except Failure:
            pass  # pip knows of indexes that uv is not told of
        else:
            return
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    run([*pip, "install", *arguments], failure)
