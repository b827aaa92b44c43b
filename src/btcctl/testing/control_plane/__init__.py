"""A real control plane for tests: etcd, kube-apiserver and, where present, kube-controller-manager.

    with ControlPlane() as control_plane, control_plane.client() as client:
        …

docs/control-plane.md says where the programs come from, and what can be done to a running one.
Every name is loaded when it is first used: looking for a program needs no TLS.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from btcctl.testing.control_plane.binaries import Binaries as Binaries
    from btcctl.testing.control_plane.binaries import find_binaries as find_binaries
    from btcctl.testing.control_plane.commands import CONTROLLERS as CONTROLLERS
    from btcctl.testing.control_plane.control_plane import ControlPlane as ControlPlane
    from btcctl.testing.control_plane.control_plane import ControlPlaneOptions as ControlPlaneOptions
    from btcctl.testing.control_plane.errors import BinariesMissing as BinariesMissing
    from btcctl.testing.control_plane.errors import ControlPlaneError as ControlPlaneError
    from btcctl.testing.control_plane.errors import NotOurs as NotOurs

_HOMES = {
    "CONTROLLERS": "commands",
    "Binaries": "binaries",
    "BinariesMissing": "errors",
    "ControlPlane": "control_plane",
    "ControlPlaneError": "errors",
    "ControlPlaneOptions": "control_plane",
    "NotOurs": "errors",
    "find_binaries": "binaries",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605  # type: ignore[assignment]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
