"""URLs, read as strictly as Go reads them."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NO_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")


def host_of(url: SplitResult) -> str:
    """The host as a resolver is asked for it: an IPv6 address with its zone (RFC 6874), letters as DNS has them."""
    host = url.hostname or ""
    if ":" in host:
        return host.replace("%25", "%", 1)
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return host  # which the resolver says is none


def authority_of(url: SplitResult) -> str:
    """What goes into the Host header: the zone means nothing to anybody else."""
    if url.netloc.isascii() and "%" not in url.netloc:
        return url.netloc
    host = host_of(url).partition("%")[0]
    host = f"[{host}]" if ":" in host else host
    return host if url.port is None else f"{host}:{url.port}"


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
