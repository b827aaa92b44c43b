"""How a StatefulSet comes to have the pods that its template asks for: whether it may, and whether it has. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from btcctl.bitcoin.pods import NodePod
from btcctl.objects import Object

# What people may have set that keeps pods as they are, replaces all at once, or numbers them otherwise. The API server
# has defaults for some, knows others only lately, and leaves the rest out: so each is set only where it is there.
_AS_WE_NEED_IT: Final = {
    ("updateStrategy", "type"): "RollingUpdate",
    ("updateStrategy", "rollingUpdate", "partition"): 0,
    ("updateStrategy", "rollingUpdate", "maxUnavailable"): 1,
    ("ordinals", "start"): 0,
}


def let_roll(body: dict[str, Any]) -> None:
    """Set back, in the body of a StatefulSet, what would keep its pods from being replaced one after the other.

    Args:
        body: Changed in place; without a spec it is about to be made.
    """
    for (*above, last), value in _AS_WE_NEED_IT.items():
        place = body
        for name in ("spec", *above):
            place = place.get(name) or {}
        if last in place:
            place[last] = value


@dataclass(frozen=True, slots=True)
class Rollout:
    """How far it is.

    Attributes:
        outdated: The ordinals of nodes that are still to be replaced.
        is_begun: The StatefulSet's controller has seen what is asked for now; until then it is not known of any node.
    """

    outdated: tuple[int, ...] = ()
    is_begun: bool = True


UP_TO_DATE: Final = Rollout()


def rollout_of(stateful_set: Object | None, pods: Iterable[NodePod]) -> Rollout:
    """What its controller says of it; of one that no controller has ever looked at there is nothing to say."""
    if stateful_set is None:
        return UP_TO_DATE
    status = stateful_set.decode(_StatefulSet).status
    if not status.update_revision:
        return UP_TO_DATE
    if status.observed_generation < stateful_set.generation:
        return Rollout(is_begun=False)
    there = (pod for pod in pods if pod.revision and not pod.terminating)
    return Rollout(tuple(pod.ordinal for pod in there if pod.revision != status.update_revision))


class _Status(msgspec.Struct, gc=False, rename="camel"):
    observed_generation: int = 0
    update_revision: str = ""


class _StatefulSet(msgspec.Struct, gc=False):
    status: _Status = msgspec.field(default_factory=_Status)
