"""A network's links and chains, drawn with characters. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from btcctl.bitcoin.client.view import NetworkView, NodeView, Tip

MOST_DRAWN = 24  #: nodes; the square of a larger network fits no terminal
LEGEND = "↔ both have dialled   → this row's node has dialled   ← the column's has"
_HASH_CHARACTERS = 8


def links(nodes: Sequence[NodeView]) -> tuple[Sequence[str], Sequence[str]]:
    """A heading and a row for each node: of a square, where row i and column j say how nodes i and j are connected.

    Of many nodes there is no heading, and a row is a list.
    """
    if len(nodes) > MOST_DRAWN:
        return (), [f"{node.ordinal:>4} → {_ordinals(sorted(node.dialled))}" for node in nodes]
    dialled = {node.ordinal: node.dialled for node in nodes}
    rows = []
    for one, from_here in dialled.items():
        marks = (_mark(one, other, other in from_here, one in from_there) for other, from_there in dialled.items())
        rows.append(f"{one:>4}" + "".join(f"  {mark}" for mark in marks))
    return ["    " + "".join(f"{ordinal:>3}" for ordinal in dialled)], rows


def chains(view: NetworkView) -> Iterator[str]:
    """The tips, and where they part: a branch that parts later than the first one says where."""
    tips = view.tips
    if not tips:
        return
    if len(tips) == 1:
        yield f"●─ {_tip(tips[0])}"
        return
    stem = f"●─ {view.fork_height} ─" if view.fork_height is not None else "●─ ? ─"
    for number, tip in enumerate(tips):
        branch = "┬" if number == 0 else "└" if number == len(tips) - 1 else "├"
        yield f"{stem if number == 0 else ' ' * len(stem)}{branch}─ {_tip(tip)}{_length(tip, view)}"


def state_of(node: NodeView, highest: int) -> str:
    """What a node does, in a word or two; the words are those of the live page."""
    if not node.answers:
        return "unreachable" if node.address else "restarting"
    word = "synced" if node.height >= highest - 1 else "behind"
    return word if node.is_ready else f"{word}, not ready"


def short_hash(text: str) -> str:
    """The end of a hash: its beginning is zeros."""
    return f"…{text[-_HASH_CHARACTERS:]}" if text else ""


def nodes_in_words(ordinals: Sequence[int]) -> str:
    """`node 2`, `nodes 0 1`."""
    return f"{'node' if len(ordinals) == 1 else 'nodes'} {_ordinals(ordinals)}"


def _tip(tip: Tip) -> str:
    return f"{tip.height} {short_hash(tip.best)}  {nodes_in_words(tip.ordinals)}"


def _length(tip: Tip, view: NetworkView) -> str:
    stem = view.fork_height
    if stem is None:
        return ""
    if view.is_behind(tip):
        return "  (behind)"
    parts_at = view.fork_heights.get(tip.best, stem)
    return f"  (+{tip.height - parts_at}{'' if parts_at == stem else f', parts at {parts_at}'})"


def _ordinals(ordinals: Sequence[int]) -> str:
    return " ".join(map(str, ordinals)) or "–"


def _mark(one: int, other: int, goes: bool, comes: bool) -> str:
    if one == other:
        return "·"
    return {(True, True): "↔", (True, False): "→", (False, True): "←", (False, False): " "}[goes, comes]
