"""URLs, read as strictly as Go reads them."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NO_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")


def split_url(text: str) -> SplitResult:
    """The parts of a URL. Python's own function drops blanks and control characters in it without a word.

    Raises:
        ValueError: It is none. Quotes nothing of it: it may hold a password.
    """
    if text[:1].isspace() or _CONTROL.search(text):
        raise ValueError("there are blanks before it, or control characters in it")
    parts = urlsplit(text)
    if any(each.isspace() for each in parts.netloc):
        raise ValueError("there are blanks in its host")
    if _NO_ESCAPE.search(parts.netloc + parts.path + parts.fragment):
        raise ValueError("a % in it is not followed by two hexadecimal digits")
    return parts
