"""A network's links and chains, drawn with characters. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from btcctl.bitcoin.client.view import NetworkView, NodeView, Tip

MOST_DRAWN = 24  #: nodes; the square of a larger network fits no terminal
_HASH_CHARACTERS = 8


def links(nodes: Sequence[NodeView]) -> Iterator[str]:
    """A square: in row i and column j how nodes i and j are connected."""
    if len(nodes) > MOST_DRAWN:
        yield from (f"{node.ordinal:>4} → {_ordinals(sorted(node.dialled))}" for node in nodes)
        return
    dialled = {node.ordinal: node.dialled for node in nodes}
    yield "    " + "".join(f"{ordinal:>3}" for ordinal in dialled)
    for one, from_here in dialled.items():
        marks = (_mark(one, other, other in from_here, one in from_there) for other, from_there in dialled.items())
        yield f"{one:>4}" + "".join(f"  {mark}" for mark in marks)


def chains(view: NetworkView) -> Iterator[str]:
    """The tips, and where they part."""
    tips = view.tips
    if not tips:
        return
    if len(tips) == 1:
        yield f"●─ {_tip(tips[0])}"
        return
    stem = f"●─ {view.fork_height} ─" if view.fork_height is not None else "●─ ? ─"
    for number, tip in enumerate(tips):
        branch = "┬" if number == 0 else "└" if number == len(tips) - 1 else "├"
        yield f"{stem if number == 0 else ' ' * len(stem)}{branch}─ {_tip(tip)}{_length(tip, view.fork_height)}"


def short_hash(text: str) -> str:
    """The end of a hash: its beginning is zeros."""
    return f"…{text[-_HASH_CHARACTERS:]}" if text else ""


def _tip(tip: Tip) -> str:
    who = "node" if len(tip.ordinals) == 1 else "nodes"
    return f"{tip.height} {short_hash(tip.best)}  {who} {_ordinals(tip.ordinals)}"


def _length(tip: Tip, fork_height: int | None) -> str:
    return "" if fork_height is None else f"  (+{tip.height - fork_height})"


def _ordinals(ordinals: Sequence[int]) -> str:
    return " ".join(map(str, ordinals)) or "–"


def _mark(one: int, other: int, goes: bool, comes: bool) -> str:
    if one == other:
        return "·"
    return {(True, True): "↔", (True, False): "→", (False, True): "←", (False, False): " "}[goes, comes]
