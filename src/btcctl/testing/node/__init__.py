"""A real node for tests: kubelet, containerd, scheduler, kube-proxy and DNS beside a real control plane.

    with Node(NodeOptions(images=[Path("operator.tar")])) as node, node.client() as client:
        …

docs/testing.md says what it needs and what can be done to it. Every name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from btcctl.testing.node.node import Node as Node
    from btcctl.testing.node.node import NodeOptions as NodeOptions
    from btcctl.testing.node.programs import NodePrograms as NodePrograms
    from btcctl.testing.node.programs import find_node_programs as find_node_programs
    from btcctl.testing.node.programs import why_no_node as why_no_node

_HOMES = {
    "Node": "node",
    "NodeOptions": "node",
    "NodePrograms": "programs",
    "find_node_programs": "programs",
    "why_no_node": "programs",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605  # type: ignore[assignment]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
