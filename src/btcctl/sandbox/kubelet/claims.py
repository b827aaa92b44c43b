"""The PersistentVolumeClaims of pods, and the directories that they stand for here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from btcctl.objects import ObjectKey

BOUND = "Bound"


def volume_directory(volumes_dir: Path, key: ObjectKey) -> Path:
    """What is mounted for a claim."""
    return volumes_dir / key.namespace / key.name


def claims_of(pod: Mapping[str, Any]) -> dict[str, str]:
    """The claims that a pod's body names, by the volume's name."""
    volumes = (pod.get("spec") or {}).get("volumes") or []
    sources = ((each["name"], each.get("persistentVolumeClaim")) for each in volumes)
    return {name: source["claimName"] for name, source in sources if source is not None}
