"""What simulated nodes say to each other: one JSON object per line."""

from __future__ import annotations

import msgspec

from btcctl import codecs
from btcctl.errors import DecodeError

PROTOCOL_VERSION = 70016
LINE_LIMIT_BYTES = 4 * 1024 * 1024


class Version(msgspec.Struct, tag="version", frozen=True):
    """The first thing either side says."""

    nonce: str  #: random per process: a node that hears its own is talking to itself
    protocol: int
    agent: str
    height: int
    tip: str
    magic: str = "regtest"  #: what bytes before each message say to bitcoind: which chain this is


class Verack(msgspec.Struct, tag="verack", frozen=True):
    pass


class Ping(msgspec.Struct, tag="ping", frozen=True):
    nonce: int


class Pong(msgspec.Struct, tag="pong", frozen=True):
    nonce: int


class Inv(msgspec.Struct, tag="inv", frozen=True):
    """My active chain now ends here."""

    height: int
    tip: str


class GetBlocks(msgspec.Struct, tag="getblocks", frozen=True):
    """Send me what follows the first of these that you have."""

    locator: list[str]


class Blocks(msgspec.Struct, tag="blocks", frozen=True):
    blocks: list[str]
    more: bool  #: ask again to get the rest


class Transactions(msgspec.Struct, tag="tx", frozen=True):
    """These wait for a block."""

    transactions: list[str]


Message = Version | Verack | Ping | Pong | Inv | GetBlocks | Blocks | Transactions

_decoder: msgspec.json.Decoder[Message] = codecs.decoder_of(Message)


def kind_of(message: Message) -> str:
    return str(message.__struct_config__.tag)


def encode(message: Message) -> bytes:
    return codecs.encode(message) + b"\n"


def decode(line: bytes) -> Message:
    """Read one line.

    Raises:
        DecodeError: It is no message.
    """
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"no message: {line[:40]!r}") from error
