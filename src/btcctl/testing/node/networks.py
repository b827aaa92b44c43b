"""The addresses of a node: a network of its own, so they are always the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

IPV4, IPV6 = "IPv4", "IPv6"


@dataclass(frozen=True, slots=True)
class Family:
    """One IP family.

    Attributes:
        node: The node's address.
        length: Of the prefix of its network.
        pods: The range of pods.
        services: The range of Services.
        api_server: The first of these, by which pods reach the API server.
        everywhere: All addresses of a machine.
    """

    node: str
    length: int
    pods: str
    services: str
    api_server: str
    everywhere: str


FAMILIES: Mapping[str, Family] = {
    IPV4: Family("10.99.0.1", 24, "10.244.0.0/24", "10.0.0.0/24", "10.0.0.1", "0.0.0.0"),  # noqa: S104  its own network
    IPV6: Family("fd00:99::1", 64, "fd00:244::/64", "fd00:10::/112", "fd00:10::1", "::"),
}


def families(names: Sequence[str]) -> list[Family]:
    """By their names, the first one first.

    Raises:
        ValueError: There is none, one twice, or another.
    """
    if not names or len(set(names)) != len(names) or not set(names) <= FAMILIES.keys():
        raise ValueError(f"ip_families are {list(names)}, must be IPv4, IPv6 or both, each once")
    return [FAMILIES[each] for each in names]
