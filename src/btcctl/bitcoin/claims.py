"""Two installations that look after one network notice each other, and one of them works. Pure.

Rules:
* an installation is its Lease: all copies of a Deployment are one, and so is its successor under the same name;
* whoever looks after a network says its name in `status.controller`, with whatever else it writes there;
* who finds another name, and has not had the network itself, takes it over: the other one has been removed, or we have
  just been installed;
* who had the network, and finds another name, knows that another one is alive: it says so, and leaves it the network.
  So the one that came last works, and nobody rewrites what the other one wrote;
* it comes back only once the other has not done its work for UNSERVED_SECONDS: the status lags behind the spec, or
  behind the pods.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from btcctl.bitcoin.pods import NodePod
from btcctl.bitcoin.types import BitcoinNetwork

#: A controller at work writes what it sees within seconds.
UNSERVED_SECONDS: Final = 60.0


class Verdict(Enum):
    OURS = "ours"
    TAKEN_OVER = "taken over"  #: ours from now on
    LOST = "lost"  #: another's from now on
    THEIRS = "theirs"


@dataclass(slots=True)
class Claim:
    """What an installation remembers of whose a network is. Only the worker that has the network's key may touch it.

    Attributes:
        name: Of the installation; "" has no claims, and heeds none.
    """

    name: str
    _had: bool = False
    _rival: str = ""  # to which we have left it
    _unserved_since: float | None = None

    def judge(self, holder: str, now: float, *, is_served: bool) -> Verdict:
        """Whose the network is.

        Args:
            holder: `status.controller`.
            is_served: The status is up to date.
        """
        if not self.name or holder in {"", self.name}:
            self._had, self._rival = bool(holder), ""
            return Verdict.OURS
        if self._had:
            self._had, self._rival, self._unserved_since = False, holder, None
            return Verdict.LOST
        if not self._rival or self._is_abandoned(is_served, now):
            return Verdict.TAKEN_OVER
        return Verdict.THEIRS

    def _is_abandoned(self, is_served: bool, now: float) -> bool:
        if is_served:
            self._unserved_since = None
            return False
        if self._unserved_since is None:
            self._unserved_since = now
        return now >= self._unserved_since + UNSERVED_SECONDS


def is_served(network: BitcoinNetwork, pods: Iterable[NodePod]) -> bool:
    """Whether the status says what anybody can see who has the caches."""
    said = {(node.ordinal, node.ip, node.ready) for node in network.status.nodes if node.ip}
    seen = {(pod.ordinal, pod.address, pod.ready) for pod in pods if pod.address}
    is_counted = network.status.ready_nodes == sum(is_ready for _, _, is_ready in seen)
    return network.status.observed_generation >= network.metadata.generation and said == seen and is_counted
