"""Words of others, so that they fit into a status: of one that does not the API server refuses all. Pure."""

from __future__ import annotations

import re
from typing import Final

#: Of a condition, or an Event: a few nodes, with what is wrong with each.
MAX_MESSAGE_CHARACTERS: Final = 1000
MAX_WORD_CHARACTERS: Final = 64
# metav1.Condition's reason.
_WORD = re.compile(r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?")


def bounded(text: str, most: int = MAX_MESSAGE_CHARACTERS) -> str:
    """As much of a text as there is room for."""
    return text if len(text) <= most else text[: most - 1] + "…"


def printable(text: str) -> str:
    """Without what a terminal would take for orders."""
    return (
        text
        if text.isprintable()
        else "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    )


def in_log(error: Exception) -> str:
    """What a log says of a failure that may be in others' words, as much of it as there is room for."""
    return printable(bounded(str(error)))


def one_word(text: str) -> str:
    """A reason as conditions take it, CamelCase: of others' words what can be had of them."""
    if len(text) <= MAX_WORD_CHARACTERS and _WORD.fullmatch(text):
        return text
    words = re.findall(r"[A-Za-z0-9]+", text[: 4 * MAX_WORD_CHARACTERS])
    joined = "".join(word[0].upper() + word[1:] for word in words).lstrip("0123456789")
    return joined[:MAX_WORD_CHARACTERS] or "Other"
