"""What a node's answer may be instead of a result.

* RpcFailure: the message names the node, and never the credentials
    * RpcError: the node answered with an error; `code` is Bitcoin Core's (rpc/protocol.h)
        * WarmingUp (-28): not yet ready for any call
        * AlreadyAdded (-23) · NotAdded (-24) · NotConnected (-29): of peers
        * MethodNotFound (-32601) · InvalidParameter (-8) · WrongType (-3) · InvalidAddress (-5) · Misused (-1)
        * InvalidPeer (-30) · InvalidParams (-32602) · InvalidRequest (-32600) · ParseError (-32700)
        * NodeFailed (-32603): it tried, and could not
        * WalletNotFound (-18) · WalletNotSpecified (-19) · InsufficientFunds (-6)
        * VerifyRejected (-26): a transaction or block breaks a rule
    * RpcUnavailable: no usable answer: refused, reset or not JSON
        * RpcRejected: what answers there takes no such request (400, 404, 405), and will not the next time either
        * RpcTimedOut: none in time; a DeadlineExceeded as well
        * RpcOverloaded: too many calls wait already (503); a moment later it may do
        * RpcStopping: the node is shutting down (503)
    * RpcUnauthorized: the node does not accept our credentials (401)
        * RpcForbidden: nor our address, or not this method for this user (403)

What codes and statuses a node answers with was measured on Bitcoin Core 31.99 and Bitcoin Knots 29.4.
"""

from __future__ import annotations

from typing import ClassVar

from btcctl.errors import BtcctlError, DeadlineExceeded


class RpcFailure(BtcctlError):
    """A call to a node failed. The message names the node, and never the credentials."""


class RpcUnavailable(RpcFailure):
    """No usable answer was had."""


class RpcTimedOut(RpcUnavailable, DeadlineExceeded):
    """The node has had its time, and has not sent a whole answer."""


class RpcOverloaded(RpcUnavailable):
    """As many calls wait as the node lets (`-rpcworkqueue`): this one was not begun."""


class RpcStopping(RpcUnavailable):
    """The node is shutting down: the call was not begun."""


class RpcRejected(RpcUnavailable):
    """What answers there takes no such request: no JSON-RPC at this path, or headers that are too large."""


class RpcUnauthorized(RpcFailure):
    """The node does not accept our credentials or our address.

    Attributes:
        status: 401 or 403.
    """

    def __init__(self, message: str, status: int = 401) -> None:
        super().__init__(message)
        self.status = status


class RpcForbidden(RpcUnauthorized):
    """The node takes no calls from our address (`rpcallowip`), or not this one from this user (`rpcwhitelist`)."""


class RpcError(RpcFailure):
    """The node answered with an error.

    Attributes:
        code: Bitcoin Core's error code.
        message: Its words.
    """

    error_code: ClassVar[int | None] = None
    _by_code: ClassVar[dict[int, type[RpcError]]] = {}

    def __init_subclass__(cls) -> None:
        if cls.error_code is not None:
            RpcError._by_code[cls.error_code] = cls

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message

    @classmethod
    def of(cls, code: int, message: str) -> RpcError:
        """The most specific subclass for this code."""
        return RpcError._by_code.get(code, RpcError)(code, message)


class WarmingUp(RpcError):
    """The node has started and is not yet ready for calls."""

    error_code = -28


class AlreadyAdded(RpcError):
    """The peer is on the list of `addnode` already."""

    error_code = -23


class NotAdded(RpcError):
    """The peer is not on the list of `addnode` under this very name."""

    error_code = -24


class NotConnected(RpcError):
    """There is no connection under this very name."""

    error_code = -29


class MethodNotFound(RpcError):
    """The node has no such method."""

    error_code = -32601


class InvalidParameter(RpcError):
    """A parameter has a value that it cannot have, or a name that there is not."""

    error_code = -8


class WrongType(RpcError):
    """A parameter is of another JSON type than it must be."""

    error_code = -3


class InvalidAddress(RpcError):
    """An address or a key is none, or an object under this hash or name is not known."""

    error_code = -5


class Misused(RpcError):
    """Too few or too many parameters, and then the message is the method's help; or an error without a code."""

    error_code = -1


class WalletNotFound(RpcError):
    """No wallet of that name is loaded, or none at all."""

    error_code = -18


class WalletNotSpecified(RpcError):
    """Several wallets are loaded: say which, by `RpcClient.wallet`."""

    error_code = -19


class InsufficientFunds(RpcError):
    """The wallet has too little."""

    error_code = -6


class VerifyRejected(RpcError):
    """A transaction or block breaks a rule."""

    error_code = -26


class InvalidPeer(RpcError):
    """A peer is no IP address, where the node wants one."""

    error_code = -30


class InvalidParams(RpcError):
    """Parameters that do not go together."""

    error_code = -32602


class InvalidRequest(RpcError):
    """A request without a method, with another version of JSON-RPC, or with parameters that are no list or object."""

    error_code = -32600


class ParseError(RpcError):
    """What was sent is no JSON, or nothing."""

    error_code = -32700


class NodeFailed(RpcError):
    """The node tried, and could not; its words say why."""

    error_code = -32603
