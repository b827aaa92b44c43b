"""Who is compared, and how each is started."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.environment import CLIENT_GO, RIVALS_PYTHON

_ADAPTERS = Path(__file__).parent / "adapters"
_LIST = {"KUBE_FEATURE_WatchListClient": "false"}

OURS = "btcctl"
DYNAMIC = "client-go dynamic"
TYPED_LIST = "client-go typed, LIST"


@dataclass(frozen=True)
class Contestant:
    """A client, as a process that obeys `adapters/phases.py`."""

    name: str
    command: tuple[str, ...]  #: takes URL and kind
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    kinds: tuple[str, ...] = ("widgets", "pods")
    most_objects: int = 1_000_000  #: what it is spared, because a run would take minutes
    most_events: int = 1_000_000
    counts_cache: bool = True  #: False: it has none

    def argv(self, url: str, kind: str) -> list[str]:
        return [*self.command, url, kind, *self.options]


def _go(name: str, kind: str, **more: object) -> Contestant:
    return Contestant(name, (str(CLIENT_GO), kind), **more)  # type: ignore[arg-type]


def _python(name: str, adapter: str, **more: object) -> Contestant:
    return Contestant(name, (str(RIVALS_PYTHON), str(_ADAPTERS / adapter)), **more)  # type: ignore[arg-type]


CONTESTANTS = (
    Contestant(OURS, (sys.executable, str(_ADAPTERS / "toolkit.py"))),
    _go(DYNAMIC, "dynamic"),
    _go("client-go dynamic, LIST", "dynamic", environment=_LIST),
    _go("client-go typed", "typed", kinds=("pods",)),
    _go(TYPED_LIST, "typed", environment=_LIST, kinds=("pods",)),
    _go("client-go metadata", "metadata"),
    _python("kubernetes SharedInformer", "official.py", options=("informer",), kinds=("pods",)),
    _python("kubernetes list + Watch", "official.py", options=("watch",)),
    _python("kubernetes_asyncio", "asynchronous.py"),
    _python("lightkube", "light.py"),
    _python("kopf on.event", "handlers.py", most_objects=10_000, most_events=5_000, counts_cache=False),
)
PYTHON_RIVALS = tuple(each.name for each in CONTESTANTS[6:])
