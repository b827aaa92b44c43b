"""How the program fails."""

from __future__ import annotations

from btcctl.errors import BtcctlError


class CliError(BtcctlError):
    """The program ends with exit status 1 and this message on stderr."""


class UsageError(CliError):
    """Likewise, and the message says itself that it is an error."""


class NodeError(BtcctlError):
    """The node answered with an error; the exit status is the absolute value of its code, in eight bits.

    Attributes:
        code: Bitcoin Core's (rpc/protocol.h).
        message: Its words.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message


class Unreachable(CliError):
    """No connection to the node, none in time, or no cookie yet: what `-rpcwait` waits out, and warm-up besides."""
