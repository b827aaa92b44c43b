"""The Python blocks of a page of the documentation, as one program."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


def run(page: str, folder: Path, **given: Any) -> ModuleType:
    """Run all blocks of a page in one module, which has `given` from the beginning."""
    path = folder / f"page_{Path(page).stem.replace('-', '_')}.py"
    path.write_text("\n".join(blocks(page)))
    return load(path, **given)


def load(path: Path, **given: Any) -> ModuleType:
    """A module from a file, which has `given` from the beginning."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    vars(module).update(given)
    spec.loader.exec_module(module)
    return module
