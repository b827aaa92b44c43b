"""What is in the controller's image beside its base: a bill of materials as CycloneDX 1.5 has it, in JSON."""

from __future__ import annotations

import configparser
import importlib.metadata
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def bill_of_materials(version: str) -> str:
    """The package, and all that its declared dependencies come to, in the versions of constraints.txt."""
    components = [_component(name) for name in sorted(_closure(_declared()))]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": _described("btcctl", version, "Apache-2.0")},
        "components": components,
    }
    return json.dumps(document, indent=1) + "\n"


def _declared() -> list[str]:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    return setup["options"]["install_requires"].split("\n")


def _closure(requirements: list[str]) -> set[str]:
    """Names, as written in the Python that runs this, without extras."""
    found: set[str] = set()
    waiting = list(_names(requirements))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _names(importlib.metadata.requires(name) or [])
    return found


def _names(requirements: list[str]) -> Iterator[str]:
    for each in requirements:
        match = _NAME.match(each.strip())
        if match and "extra ==" not in each and "python_version <" not in each:
            yield match[0].lower()


def _component(name: str) -> dict[str, Any]:
    metadata = importlib.metadata.metadata(name)
    license_ = metadata.get("License-Expression") or metadata.get("License") or ""
    return _described(name, importlib.metadata.version(name), license_ if len(license_) < 60 else "")


def _described(name: str, version: str, license_: str) -> dict[str, Any]:
    licenses = {"licenses": [{"license": {"name": license_}}]} if license_ else {}
    return {"type": "library", "name": name, "version": version, "purl": f"pkg:pypi/{name}@{version}", **licenses}
