"""Parts of regular expressions that mean the same in every Python that is supported."""

from __future__ import annotations

import sys
from typing import Final, Literal

# Before it, a possessive quantifier of a group forgets where its last whole round ended (cpython#106052).
_KEEPS_ITS_PLACE: Final = (3, 11, 5)


def again(pattern: str, quantifier: Literal["*", "+", "?"] = "*", *, bound: str = "") -> str:
    """A group as often as it matches, and never less often: `(?:pattern)*+`.

    Older Pythons than 3.11.5 get an atomic group, which remembers each round (600 bytes of memory) until it is over.

    Args:
        bound: The most rounds there, as text, for a caller who goes on where a match ends.
    """
    if sys.version_info >= _KEEPS_ITS_PLACE:
        return f"(?:{pattern}){quantifier}+"
    return f"(?>(?:{pattern}){f'{{0,{bound}}}' if bound else quantifier})"
