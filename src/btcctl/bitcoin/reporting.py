"""Writes what is said about a network: its status, and the Events that belong to a change of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from btcctl.bitcoin.cluster import Cluster
from btcctl.bitcoin.findings import forbidden_finding, refused_finding
from btcctl.bitcoin.memory import Memories, Path
from btcctl.bitcoin.status import WARNING, Finding, Notice, conditions_of
from btcctl.bitcoin.types import READY, BitcoinNetwork, NetworkStatus, decode_status
from btcctl.clock import Clock, rfc3339
from btcctl.codecs import convert, to_builtins
from btcctl.controller.writing.contention import Contested
from btcctl.controller.writing.writes import Outcome, write_status
from btcctl.errors import ApiError, Conflict, Forbidden, Invalid, NotFound, TerminalError
from btcctl.logging import get_logger
from btcctl.objects import Object

logger = get_logger(__name__)


class Reporter:
    """Says how it stands with networks.

    Args:
        memories: Have our name in each status, see `btcctl.bitcoin.claims`, and what became of each network's last one.
    """

    def __init__(self, cluster: Cluster, memories: Memories, clock: Clock) -> None:
        self._cluster = cluster
        self._memories = memories
        self._installation = memories.installation
        self._clock = clock

    def refuse(self, obj: Object, finding: Finding) -> TerminalError:
        """Say in the status and in an Event why nothing is done."""
        old = decode_status(obj)
        now = rfc3339(self._clock.wall_time())
        conditions = conditions_of(old.conditions, [finding], obj.generation, now)
        new = msgspec.structs.replace(old, observed_generation=obj.generation, conditions=conditions)
        try:
            self.write(obj, old, new, [Notice(WARNING, finding.reason, finding.message)])
        except Invalid:
            # What stands in the spec keeps the API server from accepting any status.
            self._cluster.tell(obj, Notice(WARNING, finding.reason, finding.message))
        return TerminalError(f"{finding.reason}: {finding.message}")

    def say_refused(self, obj: Object, network: BitcoinNetwork, error: ApiError) -> None:
        """Say in the status that the API server refuses what has to be done; all else in it stays."""
        missing = self._cluster.refused(network.namespace) if isinstance(error, Forbidden) else ()
        quotes = self._memories.of(obj.key, obj.uid).quotes
        finding = forbidden_finding(map(str, missing)) if missing else refused_finding(error, quotes)
        ready = Finding(READY, False, finding.reason, finding.message)
        old = network.status
        now = rfc3339(self._clock.wall_time())
        conditions = conditions_of(old.conditions, [ready, finding], obj.generation, now)
        new = msgspec.structs.replace(old, observed_generation=obj.generation, conditions=conditions)
        try:
            self.write(obj, old, new, [])  # an Event names the child already
        except (Forbidden, Invalid, Conflict) as refusal:
            logger.debug("the status cannot be written", error=str(refusal))

    def write(self, obj: Object, old: NetworkStatus, new: NetworkStatus, notices: Sequence[Notice]) -> None:
        """Write a status, only if it changed; the notices belong to the change, so that each is told once.

        That our name is not in it is no change: an upgrade writes nothing, and nor does a definition that drops it.
        Nor is it one that a field is not as it was written, if it was not so right after that either: the definition
        is older than we are, or something changes what is written on its way. What a definition drops is the same for
        all networks: the first one that is written after a start says it.

        Args:
            old: What `obj` has.
        """
        memory = self._memories.of(obj.key, obj.uid)
        if new == old and old.controller in {"", self._installation}:
            memory.contention.note_kept(self._cluster.networks.type, obj.key)
            return
        new = msgspec.structs.replace(new, controller=self._installation or old.controller)
        if memory.echo == (new, old) or _without(new, self._memories.dropped) == old:
            return
        try:
            written = write_status(self._cluster.networks, obj, new, contention=memory.contention)
        except NotFound:
            return  # deleted meanwhile
        except Contested as error:
            logger.debug("the status is left alone", reason=str(error))
            return
        memory.said = new
        came_back = decode_status(written.object)
        self._memories.dropped = frozenset(_dropped(to_builtins(new), written.object.body().get("status", {})))
        memory.echo = None if came_back == new else (new, came_back)
        if written.outcome is Outcome.UNCHANGED:
            return
        logger.info("status written", ready_nodes=new.ready_nodes)
        for notice in notices:
            self._cluster.tell(obj, notice)


def _dropped(sent: Any, kept: Any, path: Path = ()) -> Iterator[Path]:
    """The fields of what was sent that are not in what was kept. Of items of a list, those of all together."""
    if isinstance(sent, dict) and isinstance(kept, dict):
        for name, value in sent.items():
            if name in kept:
                yield from _dropped(value, kept[name], (*path, name))
            else:
                yield (*path, name)
    elif isinstance(sent, list) and isinstance(kept, list) and len(sent) == len(kept):
        for one, other in zip(sent, kept, strict=True):
            yield from _dropped(one, other, path)


def _without(status: NetworkStatus, paths: frozenset[Path]) -> NetworkStatus:
    """What is kept of a status by a definition that drops these fields."""
    if not paths:
        return status
    body = to_builtins(status)
    for *above, last in paths:
        for each in _at(body, above):
            each.pop(last, None)
    kept: NetworkStatus = convert(body, NetworkStatus)
    return kept


def _at(value: Any, path: Sequence[str]) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for each in value:
            yield from _at(each, path)
    elif isinstance(value, dict) and path:
        yield from _at(value.get(path[0]), path[1:])
    elif isinstance(value, dict):
        yield value
