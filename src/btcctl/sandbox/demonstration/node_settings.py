"""What a node is started with, from its pod's environment: the sandbox's share of the start-up script. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from btcctl.bitcoin.pod_template import CHALLENGE_KEY, CONFIG_KEY, NETWORK_KEY, P2P_PORT_KEY, RPC_PORT_KEY
from btcctl.bitcoin.spec.chains import DEFAULT_PORTS, REGTEST, Ports
from btcctl.bitcoin.spec.config_lines import option_names
from btcctl.errors import ConfigError


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """One node's.

    Attributes:
        chain: regtest, signet or testnet4.
        lines: More lines for the chain's section of bitcoin.conf; of two for one option the first counts.
    """

    chain: str
    ports: Ports
    lines: tuple[str, ...]

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Self:
        """Read them.

        Raises:
            ConfigError: There is no such chain, or a port is none.
        """
        chain = env.get(NETWORK_KEY) or REGTEST
        if chain not in DEFAULT_PORTS:
            raise ConfigError(f"{NETWORK_KEY} must be {', '.join(DEFAULT_PORTS)}, not {chain}")
        defaults = DEFAULT_PORTS[chain]
        ports = Ports(_port(env, RPC_PORT_KEY, defaults.rpc), _port(env, P2P_PORT_KEY, defaults.p2p))
        challenge = env.get(CHALLENGE_KEY)
        own = env.get(f"{CONFIG_KEY}_{env.get('HOSTNAME', '').rpartition('-')[2]}", "")
        lines = (*own.split("\n"), *env.get(CONFIG_KEY, "").split("\n"))
        return cls(chain, ports, ((f"signetchallenge={challenge}",) if challenge else ()) + tuple(filter(None, lines)))

    def without_chosen(self, flags: tuple[str, ...]) -> tuple[str, ...]:
        """Those flags that the lines do not set themselves: on a command line they would win."""
        chosen = option_names(self.lines)
        return tuple(flag for flag in flags if flag.removeprefix("-").partition("=")[0] not in chosen)


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ConfigError(f"{name} is no port: {text}")
    return int(text)
