"""The body of an answer: where it ends, and what is in it. Bytes in, bytes out, no I/O."""

from __future__ import annotations

import re
import zlib
from typing import Final, Protocol

from btcctl.rest.exchange.chunked import Dechunker
from btcctl.rest.exchange.failures import CUT_SHORT, ExchangeError
from btcctl.rest.exchange.head import Head

_LENGTH = re.compile(r"[0-9]{1,15}")
WITHOUT_BODY = frozenset({204, 304})
_GZIP = 16 + zlib.MAX_WBITS
#: Of content at a time: a packed answer of 64 KB may be one of 64 MB, and its reader has a limit.
MOST_UNPACKED: Final = 1 << 20


class Framing(Protocol):
    """Takes a body out of what comes on a connection."""

    is_complete: bool  #: all of the body has come
    is_overfull: bool  #: and more than that

    def feed(self, data: bytes) -> bytes:
        """What of `data` is content. Not called when complete.

        Raises:
            ExchangeError: This is no such body.
        """

    def end(self) -> None:
        """The connection has ended.

        Raises:
            ExchangeError: Too early.
        """


class Sized:
    """So many bytes."""

    def __init__(self, size: int) -> None:
        self.is_complete = not size
        self.is_overfull = False
        self._left = size

    def feed(self, data: bytes) -> bytes:
        left = self._left = self._left - len(data)
        self.is_complete = left <= 0
        if left >= 0:
            return data
        self.is_overfull = True
        return data[:left]

    def end(self) -> None:
        raise ExchangeError(CUT_SHORT)


class UntilClose:
    """All that comes."""

    def __init__(self) -> None:
        self.is_complete = False
        self.is_overfull = False

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> None:
        self.is_complete = True


def framing_of(head: Head, method: str) -> Framing:
    """How the body of an answer to `method` is framed (RFC 9112, section 6.3).

    Raises:
        ExchangeError: In a way of which a server and a proxy could think differently.
    """
    coding, length = head.get("transfer-encoding"), head.get("content-length")
    if coding is not None:
        if coding.lower() != "chunked" or length is not None or not head.minor_version:
            raise ExchangeError("an answer with a transfer coding other than chunked, or with a length as well")
    elif length is not None and _LENGTH.fullmatch(length) is None:
        raise ExchangeError(f"not the length of an answer: {length[:20]!r}")
    if method == "HEAD" or head.status in WITHOUT_BODY:
        return Sized(0)
    if coding is not None:
        return Dechunker()
    return UntilClose() if length is None else Sized(int(length))


def leaves_connection_usable(head: Head, framing: Framing) -> bool:
    """Whether the connection can take another request after the answer (RFC 9112, section 9.3).

    It cannot if what follows may be neither the body nor the next answer: after a 204, say, that announces a body.
    """
    if isinstance(framing, UntilClose):
        return False
    if head.status in WITHOUT_BODY and ("transfer-encoding" in head or head.get("content-length", "0") != "0"):
        return False
    said = head.get("connection")
    if said is None:
        return head.minor_version == 1
    options = [each.strip() for each in said.lower().split(",")]
    return "close" not in options and (head.minor_version == 1 or "keep-alive" in options)


class Gunzip:
    """Unpacks content, which may consist of several gzip members; a little at a time, whatever it is packed to."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._is_empty = True
        self._packed = b""
        self._is_full = False  # the last piece: there may be more of what is unpacked already

    @property
    def has_more(self) -> bool:
        """Whether there is more to unpack of what has come."""
        return bool(self._packed) or self._is_full

    def feed(self, data: bytes) -> bytes:
        """Content of what has come, `MOST_UNPACKED` at most: call it with nothing more while it `has_more`.

        Raises:
            ExchangeError: It is not gzip.
        """
        packed, self._is_empty = self._packed + data, self._is_empty and not data
        if self._member.eof and packed:
            self._member = zlib.decompressobj(_GZIP)
        try:
            content = self._member.decompress(packed, MOST_UNPACKED)
        except zlib.error as error:
            raise ExchangeError(f"the answer is not the gzip that it says it is: {error}") from error
        self._packed = self._member.unused_data or self._member.unconsumed_tail
        self._is_full = len(content) == MOST_UNPACKED and not self._member.eof
        return content

    def end(self) -> None:
        """All has come.

        Raises:
            ExchangeError: Not all of it.
        """
        if not (self._member.eof or self._is_empty):
            raise ExchangeError("the answer's gzip ends too early")


def unpacking_of(head: Head) -> Gunzip | None:
    """What unpacks the content; None if it is not packed.

    Raises:
        ExchangeError: In a way that was not asked for.
    """
    coding = head.get("content-encoding", "").lower()
    if coding in {"", "identity"}:
        return None
    if coding not in {"gzip", "x-gzip"}:
        raise ExchangeError(f"the answer is packed as {coding[:20]!r}, which was not asked for")
    return Gunzip()
