"""The list that `addnode` keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from btcctl.sandbox.simnode.p2p.addresses import DEFAULT_PORT, Endpoint, parse_endpoint


class AddedNodes:
    """Strings, in the order of adding. In memory only: a restarted node has forgotten them.

    Adding compares addresses, removing compares strings: `1.2.3.4` cannot be added beside
    `1.2.3.4:18444`, nor removed by that spelling. Any string is taken, an address or not.

    Args:
        names: What the configuration lists.
        default_port: Of the chain: what an address without a port means.
    """

    def __init__(self, names: Iterable[str] = (), default_port: int = DEFAULT_PORT) -> None:
        self._default_port = default_port
        self._names: list[str] = []
        for name in names:
            self.add(name)

    def add(self, name: str) -> bool:
        """False if the same string, or the same address in another spelling, is listed."""
        endpoint = self._parse(name)
        if name in self._names or (endpoint and endpoint in map(self._parse, self._names)):
            return False
        self._names.append(name)
        return True

    def remove(self, name: str) -> bool:
        """False if exactly this string is not listed."""
        if name not in self._names:
            return False
        self._names.remove(name)
        return True

    def _parse(self, name: str) -> Endpoint | None:
        return parse_endpoint(name, self._default_port)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)
