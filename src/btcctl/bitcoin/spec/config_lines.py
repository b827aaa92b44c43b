"""Which lines of bitcoin.conf a network may add, and why others are refused. Pure.

The definition's rules are made of the same table; here it is for a definition that is older, or none of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

#: Reasons, and the options that are refused for them.
REFUSED: Final[dict[str, tuple[str, ...]]] = {
    "the controller needs to call the nodes: credentials come from spec.secret": (
        *("rpcauth", "rpccookiefile", "rpccookieperms", "rpcpassword", "rpcuser", "rpcwhitelist"),
        "rpcwhitelistdefault",
    ),
    "a node's files stay on its volume": (
        *("asmap", "blocksdir", "conf", "datadir", "debuglogfile", "includeconf", "ipcbind", "loadblock", "pid"),
        *("settings", "walletdir"),
    ),
    "it would run a command in the node's container": (
        *("alertnotify", "blocknotify", "shutdownnotify", "signer", "startupnotify", "walletnotify"),
    ),
    "use spec.network and spec.signetChallenge": (
        *("chain", "main", "regtest", "signet", "signetchallenge", "signetseednode", "testnet", "testnet4"),
    ),
    "use spec.rpcPort and spec.p2pPort; the controller and the probes need both": (
        *("bind", "listen", "networkactive", "port", "rest", "rpcallowip", "rpcbind", "rpcport", "server"),
        *("whitebind",),
    ),
    "use spec.topology and spec.partition": ("addnode", "connect", "maxconnections", "seednode"),
    "the container would end at once": (
        *("daemon", "daemonwait", "help", "stopafterblockimport", "stopatheight", "version"),
    ),
}
_LINE = re.compile(r"([a-z][a-z0-9]*)=[^#\x00-\x1f\x7f]*")
_WHY = {name: why for why, names in REFUSED.items() for name in names}


def problem_with_line(line: str) -> str | None:
    """Why a line cannot be added; None if it can."""
    match = _LINE.fullmatch(line)
    if match is None:
        return f'"{line}" is no line of the form name=value: lower-case letters and digits, and no # in the value'
    name = match[1]
    why = _WHY.get(name) or _WHY.get(name.removeprefix("no"))
    return None if why is None else f'"{name}" is refused: {why}'


def problem_with_lines(lines: Iterable[str]) -> str | None:
    """The first line's that cannot be added; None if all can."""
    return next((problem for line in lines if (problem := problem_with_line(line))), None)


def option_names(lines: Iterable[str]) -> frozenset[str]:
    """What the lines set, `nodebug=1` as `debug`, too."""
    names = {line.partition("=")[0] for line in lines}
    return frozenset(names | {name.removeprefix("no") for name in names})
