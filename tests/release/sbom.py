"""What is in the controller's image beside its base: a bill of materials as CycloneDX 1.5 has it, in JSON."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Iterable
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.images.build import declared_requirements

#: The Python of Debian's suite that the image is made of, and of the Dockerfile.
_OF_THE_IMAGE = {"python_version": "3.13", "python_full_version": "3.13.0", "extra": ""}


def bill_of_materials(version: str) -> str:
    """The package, and all that its declared dependencies come to, in the versions of constraints.txt."""
    components = [_component(name) for name in sorted(_closure(declared_requirements()))]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": _described("btcctl", version, "Apache-2.0")},
        "components": components,
    }
    return json.dumps(document, indent=1) + "\n"


def _closure(requirements: Iterable[str]) -> set[str]:
    """Names of all that is needed, without extras."""
    found: set[str] = set()
    waiting = list(requirements)
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        if name not in found and (requirement.marker is None or requirement.marker.evaluate(_OF_THE_IMAGE)):
            found.add(name)
            waiting += importlib.metadata.requires(name) or []
    return found


def _component(name: str) -> dict[str, Any]:
    metadata = importlib.metadata.metadata(name)
    license_ = metadata.get("License-Expression") or metadata.get("License") or ""
    return _described(name, importlib.metadata.version(name), license_ if len(license_) < 60 else "")


def _described(name: str, version: str, license_: str) -> dict[str, Any]:
    licenses = {"licenses": [{"license": {"name": license_}}]} if license_ else {}
    return {"type": "library", "name": name, "version": version, "purl": f"pkg:pypi/{name}@{version}", **licenses}
