"""Blocks, under real headers with real (regtest-sized) proof of work."""

from __future__ import annotations

import hashlib
import itertools
import struct
from dataclasses import dataclass
from functools import cached_property

BITS = 0x207FFFFF  #: regtest's constant difficulty: about every second hash will do
TARGET = 0x7FFFFF << 232
WORK_PER_BLOCK = 2**256 // (TARGET + 1)
DIFFICULTY = 4.656542373906925e-10

_HEADER = struct.Struct("<i32s32sIII")
_HEIGHT = struct.Struct("<I")
_MINED_VERSION = 0x20000000
_NO_HASH = bytes(32)


def double_sha256(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


@dataclass(frozen=True)
class Block:
    """A header, and what its merkle root commits to.

    Attributes:
        version: Header version.
        previous: Hash of the parent, in the byte order of the header.
        merkle_root: Double SHA-256 of `content`.
        time: Seconds since 1970.
        nonce: What the miner turned.
        coinbase: Height (4 bytes, little-endian), whom the block pays, and whatever makes it unique.
        transactions: As `Transaction.encode` has them; it is not looked into them here.
    """

    version: int
    previous: bytes
    merkle_root: bytes
    time: int
    nonce: int
    coinbase: bytes
    transactions: tuple[str, ...] = ()

    @property
    def content(self) -> bytes:
        return content_of(self.coinbase, self.transactions)

    @cached_property
    def header(self) -> bytes:
        return _HEADER.pack(self.version, self.previous, self.merkle_root, self.time, BITS, self.nonce)

    @cached_property
    def hash(self) -> bytes:
        """In the byte order of the header; people read `hash_hex`."""
        return double_sha256(self.header)

    @property
    def hash_hex(self) -> str:
        return to_hex(self.hash)

    @property
    def size_bytes(self) -> int:
        return len(self.header) + len(self.content)

    @property
    def claimed_height(self) -> int:
        return int(_HEIGHT.unpack_from(self.coinbase)[0]) if len(self.coinbase) >= _HEIGHT.size else -1

    def has_proof_of_work(self) -> bool:
        return int.from_bytes(self.hash, "little") <= TARGET

    def encode(self) -> str:
        """One line of text: what goes over the wire and into the block file."""
        return ".".join([self.header.hex(), self.coinbase.hex(), *self.transactions])

    @classmethod
    def decode(cls, text: str) -> Block:
        """The reverse of `encode`.

        Raises:
            ValueError: The text is no block of regtest's difficulty.
        """
        header, *rest = text.split(".")
        raw = bytes.fromhex(header)
        if not rest or len(raw) != _HEADER.size:
            raise ValueError(f"not a block: {text[:40]!r}")
        version, previous, merkle_root, time, bits, nonce = _HEADER.unpack(raw)
        if bits != BITS:
            raise ValueError(f"not regtest's difficulty: {bits:08x}")
        coinbase, *transactions = rest
        return cls(version, previous, merkle_root, time, nonce, bytes.fromhex(coinbase), tuple(transactions))


def mine(previous: bytes, height: int, time: int, extra: bytes, transactions: tuple[str, ...] = ()) -> Block:
    """Find a block on top of `previous`.

    Args:
        previous: Hash of the parent, in the byte order of the header.
        height: The new block's height.
        time: Seconds since 1970.
        extra: Tells this block from others with the same parent and time.
        transactions: What is to be in it.
    """
    coinbase = _HEIGHT.pack(height) + extra
    merkle_root = double_sha256(content_of(coinbase, transactions))
    candidates = (
        Block(_MINED_VERSION, previous, merkle_root, time, nonce, coinbase, transactions) for nonce in itertools.count()
    )
    return next(block for block in candidates if block.has_proof_of_work())


def content_of(coinbase: bytes, transactions: tuple[str, ...]) -> bytes:
    """What a block commits to: of one without transactions the coinbase alone."""
    return b".".join([coinbase, *(each.encode() for each in transactions)])


def to_hex(hash_: bytes) -> str:
    """A hash as people and RPC write it: reversed."""
    return hash_[::-1].hex()


def from_hex(text: str) -> bytes:
    """The reverse of `to_hex`.

    Raises:
        ValueError: Not 64 hexadecimal digits.
    """
    raw = bytes.fromhex(text)
    if len(raw) != 32:
        raise ValueError(f"not a block hash: {text[:80]!r}")
    return raw[::-1]


# Header fields: chainparams.cpp of Bitcoin Core, CRegTestParams.
GENESIS = Block(
    version=1,
    previous=_NO_HASH,
    merkle_root=from_hex("4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"),
    time=1296688602,
    nonce=2,
    coinbase=b"",
)
