"""What tests of controllers stand on: FakeClock, FakeClient, ControlPlane, a real API server, and Node, a real node.

Each is loaded when it is first used. The fakes are verified against the real thing by the same tests.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from btcctl.testing.bench.clock import JumpingClock as JumpingClock
    from btcctl.testing.bench.cluster import ClusterEnv as ClusterEnv
    from btcctl.testing.bench.env import OperatorEnv as OperatorEnv
    from btcctl.testing.bench.making import make_env as make_env
    from btcctl.testing.clock import FakeClock as FakeClock
    from btcctl.testing.control_plane import ControlPlane as ControlPlane
    from btcctl.testing.control_plane import ControlPlaneOptions as ControlPlaneOptions
    from btcctl.testing.definitions import assert_crds as assert_crds
    from btcctl.testing.fake_client import FakeClient as FakeClient
    from btcctl.testing.logs import capture_logs as capture_logs
    from btcctl.testing.node import Node as Node
    from btcctl.testing.node import NodeOptions as NodeOptions
    from btcctl.testing.scripts import InstantClock as InstantClock
    from btcctl.testing.scripts import Lasting as Lasting
    from btcctl.testing.scripts import RecordingHandler as RecordingHandler
    from btcctl.testing.scripts import ScriptedListerWatcher as ScriptedListerWatcher
    from btcctl.testing.scripts import ScriptedStreams as ScriptedStreams
    from btcctl.testing.scripts import ScriptedWatch as ScriptedWatch
    from btcctl.testing.scripts import Together as Together

_HOMES = {
    "ClusterEnv": "bench.cluster",
    "ControlPlane": "control_plane",
    "ControlPlaneOptions": "control_plane",
    "FakeClient": "fake_client",
    "FakeClock": "clock",
    "JumpingClock": "bench.clock",
    "Node": "node",
    "NodeOptions": "node",
    "OperatorEnv": "bench.env",
    "assert_crds": "definitions",
    "make_env": "bench.making",
    "capture_logs": "logs",
    "InstantClock": "scripts",
    "Lasting": "scripts",
    "RecordingHandler": "scripts",
    "ScriptedListerWatcher": "scripts",
    "ScriptedStreams": "scripts",
    "ScriptedWatch": "scripts",
    "Together": "scripts",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605  # type: ignore[assignment]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
