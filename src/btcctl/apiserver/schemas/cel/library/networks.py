"""`ip('10.0.0.1')` and `cidr('10.0.0.0/8')`: read, and refused, as Go's net/netip does.

Source: k8s.io/apiserver/pkg/cel/library/ip.go and cidr.go, v0.36; https://pkg.go.dev/net/netip
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import ClassVar

from btcctl.apiserver.machinery.gofmt import quoted
from btcctl.apiserver.schemas.cel.data import EvaluationError
from btcctl.apiserver.schemas.cel.library.overload import Functions, LibraryValue, Overload, member, remembered
from btcctl.apiserver.schemas.cel.types import BOOL, INT, STRING, Type

IP, CIDR = Type("net.IP"), Type("net.CIDR")
_HEX = re.compile(r"[0-9a-fA-F]*")
_FOUR = re.compile(r"(?:(?:1?[1-9]?[0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])(?:\.(?!$)|$)){4}").fullmatch
_MAPPED = 0xFFFF << 32


@dataclass(frozen=True, slots=True)
class Address(LibraryValue):
    """
    Attributes:
        bits: 32 or 128.
    """

    type_name: ClassVar[str] = "net.IP"
    value: int
    bits: int

    def __str__(self) -> str:
        return str(IPv4Address(self.value) if self.bits == 32 else IPv6Address(self.value))

    @property
    def family(self) -> int:
        return 4 if self.bits == 32 else 6

    def begins(self, prefix: int, length: int) -> bool:
        """Whether its first bits are these."""
        return self.value >> (self.bits - length) == prefix

    @property
    def is_loopback(self) -> bool:
        return self.begins(127, 8) if self.bits == 32 else self.value == 1

    @property
    def is_link_local_multicast(self) -> bool:
        if self.bits == 32:
            return self.begins(0xE00000, 24)
        return self.begins(0xFF, 8) and self.value >> 112 & 0xF == 2

    @property
    def is_link_local_unicast(self) -> bool:
        return self.begins(0xA9FE, 16) if self.bits == 32 else self.begins(0x3FA, 10)

    @property
    def is_global_unicast(self) -> bool:
        is_multicast = self.begins(0xE, 4) if self.bits == 32 else self.begins(0xFF, 8)
        is_broadcast = self.bits == 32 and self.value == 0xFFFFFFFF
        return bool(self.value) and not (is_broadcast or is_multicast or self.is_loopback or self.is_link_local_unicast)


@dataclass(frozen=True, slots=True)
class Network(LibraryValue):
    """An address, and how many of its bits are those of the network."""

    type_name: ClassVar[str] = "net.CIDR"
    address: Address
    length: int

    def __str__(self) -> str:
        return f"{self.address}/{self.length}"

    def masked(self) -> Network:
        rest = self.address.bits - self.length
        return Network(Address(self.address.value >> rest << rest, self.address.bits), self.length)

    def has(self, address: Address) -> bool:
        rest = self.address.bits - self.length
        return address.bits == self.address.bits and address.value >> rest == self.address.value >> rest


class _AddressError(ValueError):
    def __init__(self, text: str, why: str, at: str = "") -> None:
        super().__init__(f"ParseAddr({quoted(text)}): {why}" + (f" (at {quoted(at)})" if at else ""))


def parse_address(text: str) -> tuple[Address, str]:
    """An address, and its zone.

    Raises:
        ValueError: In Go's words.
    """
    if _FOUR(text):
        one, two, three, four = map(int, text.split("."))
        return Address(one << 24 | two << 16 | three << 8 | four, 32), ""
    sign = next((each for each in text if each in ".:%"), "")
    if sign == ".":
        return Address(_four_bytes(text, text), 32), ""
    if sign == ":":
        return _parse_six(text)
    raise _AddressError(text, "missing IPv6 address" if sign else "unable to parse IP")


def _four_bytes(whole: str, text: str) -> int:
    value = octet = digits = dots = 0
    for index, each in enumerate(text):
        if each in "0123456789":
            if digits and octet == 0:
                raise _AddressError(whole, "IPv4 field has octet with leading zero")
            octet, digits = octet * 10 + int(each), digits + 1
            if octet > 255:
                raise _AddressError(whole, "IPv4 field has value >255")
        elif each != ".":
            raise _AddressError(whole, "unexpected character", text[index:])
        elif not digits or index == len(text) - 1:
            raise _AddressError(whole, "IPv4 field must have at least one digit", text[index:])
        elif dots == 3:
            raise _AddressError(whole, "IPv4 address too long")
        else:
            value, octet, digits, dots = value << 8 | octet, 0, 0, dots + 1
    if dots < 3:
        raise _AddressError(whole, "IPv4 address too short")
    return value << 8 | octet


def _parse_six(whole: str) -> tuple[Address, str]:
    text, percent, zone = whole.partition("%")
    if percent and not zone:
        raise _AddressError(whole, "zone must be a non-empty string")
    return Address(_sixteen_bytes(whole, text), 128), zone


def _sixteen_bytes(whole: str, text: str) -> int:
    groups, gap, left = list[int](), -1, text
    if left.startswith("::"):
        left, gap = left[2:], 0
    while left and len(groups) < 8:
        digits = (_HEX.match(left) or [""])[0]
        if len(digits) > 4:
            raise _AddressError(whole, "each group must have 4 or less digits", left)
        if not digits:
            raise _AddressError(whole, "each colon-separated field must have at least one digit", left)
        if left[len(digits) : len(digits) + 1] == ".":
            groups += _embedded(whole, left, len(groups), gap)
            left = ""
            break
        groups.append(int(digits, 16))
        left = left[len(digits) :]
        if not left:
            break
        left = _after_colon(whole, left)
        if left.startswith(":"):
            if gap >= 0:
                raise _AddressError(whole, "multiple :: in address", left)
            gap, left = len(groups), left[1:]
    if left:
        raise _AddressError(whole, "trailing garbage after address", left)
    return _filled(whole, groups, gap)


def _embedded(whole: str, left: str, groups: int, gap: int) -> list[int]:
    if gap < 0 and groups != 6:
        why = "embedded IPv4 address must replace the final 2 fields of the address"
        raise _AddressError(whole, why, left)
    if groups > 6:
        why = "too many hex fields to fit an embedded IPv4 at the end of the address"
        raise _AddressError(whole, why, left)
    value = _four_bytes(whole, left)
    return [value >> 16, value & 0xFFFF]


def _after_colon(whole: str, left: str) -> str:
    if not left.startswith(":"):
        raise _AddressError(whole, "unexpected character, want colon", left)
    if len(left) == 1:
        raise _AddressError(whole, "colon must be followed by more characters", left)
    return left[1:]


def _filled(whole: str, groups: list[int], gap: int) -> int:
    if len(groups) < 8:
        if gap < 0:
            raise _AddressError(whole, "address string too short")
        groups = groups[:gap] + [0] * (8 - len(groups)) + groups[gap:]
    elif gap >= 0:
        raise _AddressError(whole, "the :: must expand to at least one field of zeros")
    value = 0
    for each in groups:
        value = value << 16 | each
    return value


def _is_mapped(address: Address) -> bool:
    return address.bits == 128 and address.value >> 32 == _MAPPED >> 32


@remembered
def _ip(text: str) -> Address:
    try:
        address, zone = parse_address(text)
    except ValueError as error:
        why = f"IP Address {quoted(text)} parse error during conversion from string: {error}"
        raise EvaluationError(why) from error
    if zone:
        raise EvaluationError(f"IP address {quoted(text)} with zone value is not allowed")
    if _is_mapped(address):
        raise EvaluationError(f"IPv4-mapped IPv6 address {quoted(text)} is not allowed")
    return address


@remembered
def _is_ip(text: str) -> bool:
    try:
        return bool(_ip(text))
    except EvaluationError:
        return False


def _prefix(text: str) -> Network:
    before, slash, bits = text.rpartition("/")
    why = "" if slash else "no '/'"
    try:
        address, zone = parse_address(before) if slash else (Address(0, 32), "")
        why = why or ("IPv6 zones cannot be present in a prefix" if zone else "")
    except ValueError as error:
        why = str(error)
    if not why and not re.fullmatch("0|[1-9][0-9]*", bits, re.ASCII):
        why = f"bad bits after slash: {quoted(bits)}"
    if not why and (len(bits) > 18 or int(bits) > address.bits):
        why = "prefix length out of range" if len(bits) < 19 else f"bad bits after slash: {quoted(bits)}"
    if why:
        raise ValueError(f"netip.ParsePrefix({quoted(text)}): {why}")
    return Network(address, int(bits))


@remembered
def _cidr(text: str) -> Network:
    during = "network address parse error during conversion from string"
    try:
        network = _prefix(text)
    except ValueError as error:
        raise EvaluationError(f"{during}: {during}: {error}") from error
    if _is_mapped(network.address):
        raise EvaluationError(f"{during}: IPv4-mapped IPv6 address {quoted(text)} is not allowed")
    return network


@remembered
def _is_cidr(text: str) -> bool:
    try:
        return bool(_cidr(text))
    except EvaluationError:
        return False


def _has_ip(network: Network, address: Address | str) -> bool:
    if isinstance(address, str):
        try:
            address = _ip(address)
        except EvaluationError as error:  # a real server says no more
            raise EvaluationError("no such overload") from error
    return network.has(address)


def _has_network(network: Network, other: Network | str) -> bool:
    inner = _cidr(other) if isinstance(other, str) else other
    return network.length <= inner.length and network.has(inner.address)


FUNCTIONS: Functions = {
    "ip": [Overload((STRING,), IP, _ip), member((CIDR,), IP, lambda network: network.address)],
    "isIP": [Overload((STRING,), BOOL, _is_ip)],
    "ip.isCanonical": [Overload((STRING,), BOOL, lambda text: str(_ip(text)) == text)],
    "family": [member((IP,), INT, lambda address: address.family)],
    "isUnspecified": [member((IP,), BOOL, lambda address: address.value == 0)],
    "isLoopback": [member((IP,), BOOL, lambda address: address.is_loopback)],
    "isLinkLocalMulticast": [member((IP,), BOOL, lambda address: address.is_link_local_multicast)],
    "isLinkLocalUnicast": [member((IP,), BOOL, lambda address: address.is_link_local_unicast)],
    "isGlobalUnicast": [member((IP,), BOOL, lambda address: address.is_global_unicast)],
    "cidr": [Overload((STRING,), CIDR, _cidr)],
    "isCIDR": [Overload((STRING,), BOOL, _is_cidr)],
    "containsIP": [member((CIDR, each), BOOL, _has_ip) for each in (STRING, IP)],
    "containsCIDR": [member((CIDR, each), BOOL, _has_network) for each in (STRING, CIDR)],
    "prefixLength": [member((CIDR,), INT, lambda network: network.length)],
    "masked": [member((CIDR,), CIDR, Network.masked)],
    "string": [Overload((each,), STRING, str) for each in (IP, CIDR)],
}
