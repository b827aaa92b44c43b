"""A real control plane for tests: etcd, kube-apiserver and, where present, kube-controller-manager.

    with ControlPlane() as control_plane, control_plane.client() as client:
        …

docs/control-plane.md says where the programs come from, and what can be done to a running one.
"""

from btcctl.testing.control_plane.binaries import Binaries, find_binaries
from btcctl.testing.control_plane.commands import CONTROLLERS
from btcctl.testing.control_plane.control_plane import ControlPlane, ControlPlaneOptions
from btcctl.testing.control_plane.errors import BinariesMissing, ControlPlaneError, NotOurs

__all__ = [
    "CONTROLLERS",
    "Binaries",
    "BinariesMissing",
    "ControlPlane",
    "ControlPlaneError",
    "ControlPlaneOptions",
    "NotOurs",
    "find_binaries",
]
