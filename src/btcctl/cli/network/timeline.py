"""What has happened while somebody watched: Events, and what differs from one look to the next. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from btcctl.bitcoin.client.networks import event_time
from btcctl.bitcoin.client.view import NetworkView, NodeView
from btcctl.bitcoin.types import BitcoinNetwork
from btcctl.cli.network.picture import nodes_in_words, state_of

MOST: Final = 200  #: entries that are kept


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """Something that happened."""

    at: datetime
    what: str
    is_good: bool = True


class Timeline:
    """Grows look by look; the first one has nothing to be compared with."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._events: set[tuple[str, int]] = set()
        self._before: tuple[BitcoinNetwork, NetworkView] | None = None

    def look(
        self, at: datetime, network: BitcoinNetwork, view: NetworkView, events: Iterable[Mapping[str, Any]]
    ) -> None:
        """Take what a look has seen.

        Args:
            at: When that was, with a time zone.
            events: Bodies of core/v1 Events.
        """
        fresh = [entry for event in events for entry in self._from_event(event)]
        if self._before is not None:
            old_network, old_view = self._before
            fresh += [Entry(at, what, is_good) for what, is_good in condition_changes(old_network, network)]
            fresh += [Entry(at, what) for what in changes(old_view, view)]
        self._before = (network, view)
        self._entries = sorted([*self._entries, *fresh], key=lambda entry: entry.at)[-MOST:]

    def latest(self, most: int) -> Sequence[Entry]:
        """The latest last."""
        return self._entries[-most:]

    def _from_event(self, event: Mapping[str, Any]) -> Iterator[Entry]:
        name = (str((event.get("metadata") or {}).get("uid", "")), int(event.get("count") or 0))
        try:
            at = datetime.fromisoformat(event_time(event))
        except ValueError:  # it does not say when, and so has no place here
            return
        if name not in self._events:
            self._events.add(name)
            text = f"{event.get('reason', '')}: {event.get('message', '')}"
            yield Entry(at, text, event.get("type") != "Warning")


def changes(before: NetworkView, after: NetworkView) -> Iterator[str]:
    """In words, what is different at the nodes; nodes to which the same happened are named together."""
    old, new = ({node.ordinal: node for node in view.nodes} for view in (before, after))
    happened: dict[str, list[int]] = defaultdict(list)
    for ordinal in sorted({*old, *new}):
        for what in _node_changes(old.get(ordinal), new.get(ordinal), before.height, after.height):
            happened[what].append(ordinal)
    for what, ordinals in happened.items():
        yield f"{nodes_in_words(ordinals)}: {what}"
    tips = len(before.branches), len(after.branches)
    if tips[0] != tips[1] and all(tips):
        yield f"{tips[1]} tips, there was {tips[0]}" if tips[1] > 1 else f"one tip again, there were {tips[0]}"
    links = tuple(sum(len(node.dialled) for node in view.nodes) for view in (before, after))
    if links[0] != links[1]:
        yield f"{links[1]} links, there were {links[0]}"


def condition_changes(before: BitcoinNetwork, after: BitcoinNetwork) -> Iterator[tuple[str, bool]]:
    """In words, which conditions have another status, and whether each is true now."""
    old = {each.type: each.status for each in before.status.conditions}
    for each in after.status.conditions:
        if old.get(each.type, each.status) != each.status:
            yield f"{each.type} is {each.status}: {each.reason}: {each.message}", each.is_true


def _node_changes(before: NodeView | None, after: NodeView | None, was_highest: int, highest: int) -> Iterator[str]:
    if after is None:
        yield "gone"
        return
    state = state_of(after, highest)
    if before is None:
        yield f"new, {state}"
        return
    if state != state_of(before, was_highest):
        yield f"{state}: {after.problem}" if after.problem else state
    if after.answers and before.answers and after.best != before.best:
        yield f"height {before.height} → {after.height}"
    if after.restarts > before.restarts:
        yield "its container was started again"
