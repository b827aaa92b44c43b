"""Which strings are addresses that a node mines to."""

from __future__ import annotations

import itertools

from btcctl.sandbox.simnode.chain.block import double_sha256

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_VERSIONS = {0x6F, 0xC4}  # m… and n… (key hash), 2… (script hash)
_BASE58_BYTES = 25  # version, 20 bytes of hash, 4 of checksum

_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_LONGEST = 90
_BECH32_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_CHECKSUM, _BECH32M_CHECKSUM = 1, 0x2BC830A3  # BIP 173, BIP 350


def is_address(text: str, segwit_prefix: str = "bcrt") -> bool:
    """Whether `generatetoaddress` takes it: base58 beginning with m, n or 2, or segwit.

    Args:
        segwit_prefix: bcrt on regtest, tb on test networks.
    """
    return _is_base58_address(text) or _is_segwit_address(text, segwit_prefix)


def segwit_address(prefix: str, key_hash: bytes) -> str:
    """The address of a key, in segwit version 0 (BIP 173).

    Args:
        key_hash: 20 bytes.
    """
    number = int.from_bytes(key_hash, "big")
    values = [0, *(number >> shift & 31 for shift in range(len(key_hash) * 8 - 5, -1, -5))]
    remainder = _polymod(prefix, [*values, 0, 0, 0, 0, 0, 0]) ^ _BECH32_CHECKSUM
    checksum = [remainder >> shift & 31 for shift in range(25, -1, -5)]
    return f"{prefix}1" + "".join(_BECH32[value] for value in [*values, *checksum])


def _is_base58_address(text: str) -> bool:
    if not text or not set(text) <= set(_BASE58):
        return False
    number = 0
    for character in text:
        number = number * 58 + _BASE58.index(character)
    if number.bit_length() > _BASE58_BYTES * 8:
        return False
    raw = number.to_bytes(_BASE58_BYTES, "big")
    return raw[0] in _BASE58_VERSIONS and double_sha256(raw[:-4])[:4] == raw[-4:]


def _is_segwit_address(text: str, wanted_prefix: str) -> bool:
    if text not in (text.lower(), text.upper()) or len(text) > _BECH32_LONGEST:
        return False
    prefix, _, data = text.lower().rpartition("1")
    if prefix != wanted_prefix or len(data) < 8 or not set(data) <= set(_BECH32):
        return False
    values = [_BECH32.index(character) for character in data]
    version, program = values[0], _regroup(values[1:-6])
    checksum = _BECH32_CHECKSUM if version == 0 else _BECH32M_CHECKSUM
    if version > 16 or program is None or _polymod(prefix, values) != checksum:
        return False
    return len(program) in (20, 32) if version == 0 else 2 <= len(program) <= 40


def _polymod(prefix: str, values: list[int]) -> int:
    codes = [ord(character) for character in prefix]
    remainder = 1
    for value in itertools.chain([code >> 5 for code in codes], [0], [code & 31 for code in codes], values):
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_BECH32_GENERATORS):
            if top >> bit & 1:
                remainder ^= generator
    return remainder


def _regroup(fives: list[int]) -> bytes | None:
    """Groups of five bits as bytes, or None if the padding is too long or not zero."""
    padding = len(fives) * 5 % 8
    number = 0
    for five in fives:
        number = number << 5 | five
    if padding >= 5 or number & ((1 << padding) - 1):
        return None
    return (number >> padding).to_bytes(len(fives) * 5 // 8, "big")
