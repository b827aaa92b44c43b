"""From the words after a method to its parameters: which are text, and which JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from btcctl.bitcoin.client import values
from btcctl.errors import ConfigError

_TABLE = "conversions.txt"


class NotJson(ConfigError):
    """An argument that must be JSON is none."""


@cache
def conversions() -> Mapping[str, frozenset[str]]:
    """By method: the positions and names of the parameters that are sent as JSON."""
    text = files("btcctl.bitcoin.client").joinpath(_TABLE).read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {method: frozenset(part for each in found for part in each.split(":")) for method, *found in lines}


def by_position(method: str, words: Sequence[str]) -> list[Any]:
    """Parameters in their order.

    Raises:
        NotJson: A word that must be JSON is none.
    """
    return [_converted(method, str(position), word) for position, word in enumerate(words)]


def by_name(method: str, words: Sequence[str]) -> dict[str, Any]:
    """`name=value` each; words without a name keep their order, under `args`.

    Raises:
        NotJson: A value that must be JSON is none.
    """
    unnamed = [word for word in words if "=" not in word]
    pairs = [word.partition("=") for word in words if "=" in word]
    named = {name: _converted(method, name, value) for name, _, value in pairs}
    return {**named, **({"args": by_position(method, unnamed)} if unnamed else {})}


def _converted(method: str, which: str, word: str) -> Any:
    if which not in conversions().get(method, ()):
        return word
    try:
        (value,) = values.parse(f"[{word}]")
    except ValueError:
        raise NotJson(f"Error parsing JSON: {word}") from None
    return value
