"""Who wants to see a change on its way through an informer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from btcctl.objects import WatchEvent

#: `reflector`: it was read off a watch. `fifo`: it was taken out of the delta FIFO. `cache`: the cache shows it.
PathStage: TypeAlias = Literal["reflector", "fifo", "cache"]

#: Called in the thread that carries the changes: must be quick, and must not raise.
PathObserver: TypeAlias = Callable[[PathStage, Sequence[WatchEvent]], None]
