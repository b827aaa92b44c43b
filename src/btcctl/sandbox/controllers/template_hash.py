"""A short name for a pod template's content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from btcctl import codecs

# No vowels and no look-alikes, as Kubernetes does it: a hash never spells a word.
_SAFE_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_HASH_LENGTH = 10


def template_hash(template: Mapping[str, Any], collisions: int = 0) -> str:
    """Ten letters and digits that depend on the template's content, not on its order of keys.

    Args:
        collisions: How many names before this one were taken.
    """
    content = codecs.encode(template, order="sorted") + (str(collisions).encode() if collisions else b"")
    number = int.from_bytes(hashlib.sha256(content).digest(), "big")
    letters = []
    for _ in range(_HASH_LENGTH):
        number, index = divmod(number, len(_SAFE_LETTERS))
        letters.append(_SAFE_LETTERS[index])
    return "".join(letters)
