"""JSON-RPC 2.0 to Bitcoin nodes, over connections that are kept alive.

    with RpcClient("http://10.244.0.7:18443", Credentials(user, password)) as node:
        height = node.call("getblockcount")

What goes wrong is told by type: `btcctl.bitcoin.rpc_errors`. Errors are judged by the body: under JSON-RPC 2.0 Core
answers every one of them with HTTP 200.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit

import msgspec

from btcctl import codecs
from btcctl.bitcoin.rpc_errors import (
    AlreadyAdded,
    InsufficientFunds,
    InvalidAddress,
    InvalidParameter,
    InvalidParams,
    InvalidPeer,
    InvalidRequest,
    MethodNotFound,
    Misused,
    NodeFailed,
    NotAdded,
    NotConnected,
    ParseError,
    RpcError,
    RpcFailure,
    RpcForbidden,
    RpcOverloaded,
    RpcRejected,
    RpcStopping,
    RpcTimedOut,
    RpcUnauthorized,
    RpcUnavailable,
    VerifyRejected,
    WalletNotFound,
    WalletNotSpecified,
    WarmingUp,
    WrongType,
)
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.deadline import time_left
from btcctl.errors import CallTimedOut
from btcctl.rest.exchange.call import Call as ExchangeCall
from btcctl.rest.exchange.connection import ConnectionsByServer
from btcctl.rest.exchange.exchange import exchange
from btcctl.rest.exchange.failures import FAILURES, describe
from btcctl.rest.exchange.head import format_fields, format_request
from btcctl.rest.exchange.reaching.names import Names
from btcctl.rest.exchange.reaching.route import Dial, Route
from btcctl.rest.transport.transport import Fence

__all__ = [
    "AlreadyAdded",
    "Call",
    "Credentials",
    "InsufficientFunds",
    "InvalidAddress",
    "InvalidParameter",
    "InvalidParams",
    "InvalidPeer",
    "InvalidRequest",
    "MethodNotFound",
    "Misused",
    "NodeFailed",
    "NotAdded",
    "NotConnected",
    "ParseError",
    "RpcClient",
    "RpcConnections",
    "RpcError",
    "RpcFailure",
    "RpcForbidden",
    "RpcOverloaded",
    "RpcRejected",
    "RpcStopping",
    "RpcTimedOut",
    "RpcUnauthorized",
    "RpcUnavailable",
    "VerifyRejected",
    "WalletNotFound",
    "WalletNotSpecified",
    "WarmingUp",
    "WrongType",
]

DEFAULT_PORT: Final = 18443  # regtest's
CONNECT_SECONDS: Final = 1.0
# `addnode onetry` to a host that swallows packets blocks for 5.07 s (measured).
READ_SECONDS: Final = 6.0
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
# Core sends JSON with 400 and 404, too: of a request that makes no sense, and of a method that there is not.
_REJECTED: Final = frozenset({400, 404, 405})
# One idle connection is kept to each; that to the node that was asked longest ago is closed first.
_MOST_NODES = 256

Call = tuple[str, Sequence[Any]]  #: a method and its positional parameters


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a node wants to know of its callers. Its repr shows nothing of it."""

    user: str = field(repr=False)
    password: str = field(repr=False)


class _ErrorBody(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Answer(msgspec.Struct):
    id: int | None = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: _ErrorBody | None = None


class RpcConnections:
    """Connections to any number of nodes. Thread-safe.

    Args:
        port: The nodes' RPC port.
        read_seconds: How long an answer may take, from its first byte to its last, however it comes.
        connect_seconds: How long a connection may take beforehand.
        fence: Asked before anything is sent; what it raises is raised, and nothing has happened.
        dial: Asked first for each new connection: how to reach nodes that have no address here.
    """

    def __init__(
        self,
        port: int = DEFAULT_PORT,
        *,
        read_seconds: float = READ_SECONDS,
        connect_seconds: float = CONNECT_SECONDS,
        clock: Clock = SYSTEM_CLOCK,
        fence: Fence | None = None,
        dial: Dial | None = None,
    ) -> None:
        self._port = port
        self._read_seconds = read_seconds
        self._connect_seconds = connect_seconds
        self._clock = clock
        self._fence = fence
        names = Names(clock)
        self._connections = ConnectionsByServer(_MOST_NODES, lambda host, port: Route(host, port, names, dial=dial))

    def client(self, address: str, credentials: Credentials, port: int | None = None) -> RpcClient:
        """A client of the node at this IP address.

        Args:
            port: Instead of that of all.

        Raises:
            ValueError: Not an IP address: a name could lead anywhere.
        """
        host = f"[{address}]" if isinstance(ip_address(address), IPv6Address) else address
        return RpcClient(f"http://{host}:{port or self._port}/", credentials, connections=self)

    def close(self) -> None:
        """Close what is idle. Idempotent."""
        self._connections.close()

    def post(
        self, url: str, headers: dict[str, str], body: bytes, *, retry: bool, seconds: float | None = None
    ) -> tuple[int, bytes]:
        """Send, and read the whole answer.

        Args:
            seconds: For all of it; None for what the connections have.
            retry: Try once more if a connection that was kept alive turns out to be dead: the
                node closes it after 30 s. Only for calls that may be made twice.

        Raises:
            RpcUnavailable: No answer, or too long a one.
            RpcTimedOut: It did not come in time.
            DeadlineExceeded: `btcctl.deadline` left no time for it.
        """
        seconds = time_left(self._connect_seconds + self._read_seconds if seconds is None else seconds)
        parts = urlsplit(url)
        message = format_request("POST", parts.path or "/", format_fields(parts.netloc, headers.items()), body)
        connections = self._connections.to(parts.hostname or "", parts.port or 80)
        answer_bytes = bytearray()

        def receive(piece: bytes) -> None:
            answer_bytes.extend(piece)
            if len(answer_bytes) > MAX_ANSWER_BYTES:
                raise RpcUnavailable(f"{url} sends too much: gave up after {len(answer_bytes)} bytes")

        try:
            call = ExchangeCall(seconds, self._clock, fence=self._fence, connect_seconds=self._connect_seconds)
            answer = exchange(connections, call, "POST", message, may_be_sent_twice=retry)
            answer.read(receive)
        except FAILURES as error:
            raise _unavailable(url, error) from error
        return answer.status, bytes(answer_bytes)


class RpcClient:
    """Calls one node. Thread-safe.

    Args:
        url: `http://HOST:PORT`, an IPv6 address in brackets; a path such as `/wallet/NAME` is kept.
        credentials: What the node wants to know.
        timeout: Seconds that a call may take, all included; None for what the connections have, seven.
        connections: Shared with other clients, and then not closed with this one.

    Raises:
        ValueError: The URL is none of HTTP.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        timeout: float | None = None,
        connections: RpcConnections | None = None,
    ) -> None:
        self._url = _checked(url)
        self._credentials = credentials
        self._timeout = timeout
        self._owns_connections = connections is None
        self._connections = RpcConnections() if connections is None else connections

    def __repr__(self) -> str:
        return f"RpcClient({self._url})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close what is idle, unless it is shared. Idempotent."""
        if self._owns_connections:
            self._connections.close()

    def wallet(self, name: str) -> RpcClient:
        """A client of one of the node's wallets, over the same connections."""
        scheme, netloc, *_ = urlsplit(self._url)
        url = f"{scheme}://{netloc}/wallet/{quote(name, safe='')}"
        return RpcClient(url, self._credentials, timeout=self._timeout, connections=self._connections)

    def call(
        self,
        method: str,
        *params: Any,
        named: Mapping[str, Any] | None = None,
        retry: bool = True,
        timeout: float | None = None,
    ) -> Any:
        """Call one method.

        Args:
            params: Positional parameters.
            named: Parameters by name, beside them.
            retry: Whether the call may be made twice if the first broke off.
            timeout: Seconds, instead of the client's.

        Raises:
            RpcError: The node answered with an error.
            RpcUnavailable: No usable answer.
            RpcUnauthorized: Wrong credentials, or our address is not allowed.
        """
        request = _request(0, method, params)
        if named is not None:  # as Core takes both (rpc/server.cpp, transformNamedArguments)
            request["params"] = {**named, **({"args": list(params)} if params else {})}
        data = self._exchange(codecs.encode(request), retry=retry, timeout=timeout)
        return self._result(self._decode(data, _Answer), 0)

    def call_json(self, method: str, params: bytes, *, timeout: float | None = None) -> str:
        """Call one method with parameters that are JSON already; its result as JSON, numbers as the node wrote them.

        Args:
            params: A JSON array, or an object of names.
            timeout: Seconds, instead of the client's.

        Raises:
            RpcError: The node answered with an error.
            RpcUnavailable: No usable answer.
            RpcUnauthorized: Wrong credentials, or our address is not allowed.
        """
        request = {**_request(0, method, ()), "params": msgspec.Raw(params)}
        data = self._exchange(codecs.encode(request), retry=False, timeout=timeout)
        answer = self._decode(data, _Answer)
        self._result(answer, 0)
        return bytes(answer.result).decode()

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Call several methods in one round trip; their results in order.

        Raises:
            RpcError: One of them failed: the first error.
            RpcUnavailable: No usable answer.
            RpcUnauthorized: Wrong credentials, or our address is not allowed.
        """
        outcomes = self.outcomes(calls)
        failed = next((each for each in outcomes if isinstance(each, RpcError)), None)
        if failed is not None:
            raise failed
        return outcomes

    def outcomes(self, calls: Sequence[Call]) -> list[Any]:
        """Call several methods in one round trip; in order the result of each, or the RpcError that it failed with.

        Raises:
            RpcError: The node refused all of them together.
            RpcUnavailable: No usable answer.
            RpcUnauthorized: Wrong credentials, or our address is not allowed.
        """
        body = [_request(number, method, params) for number, (method, params) in enumerate(calls)]
        data = self._exchange(codecs.encode(body), retry=True)
        if data.lstrip()[:1] == b"{":
            self._result(self._decode(data, _Answer), 0)
            raise RpcUnavailable(f"{self._url} answered other calls than were made")
        answers = {each.id: each for each in self._decode(data, list[_Answer])}
        if answers.keys() != set(range(len(calls))):
            raise RpcUnavailable(f"{self._url} answered other calls than were made")
        return [self._outcome(answers[number], number) for number in range(len(calls))]

    def _exchange(self, body: bytes, *, retry: bool, timeout: float | None = None) -> bytes:
        seconds = self._timeout if timeout is None else timeout
        status, data = self._connections.post(self._url, self._headers(), body, retry=retry, seconds=seconds)
        if status == 401:
            raise RpcUnauthorized(f"{self._url} does not accept the credentials (HTTP 401)")
        if status == 403:
            raise RpcForbidden(f"{self._url} does not accept calls from our address, or not this one (HTTP 403)", 403)
        if status == 503:
            raise _busy(self._url, data)
        if status in _REJECTED and data.lstrip()[:1] not in {b"{", b"["}:
            raise RpcRejected(f"{self._url} takes no such request (HTTP {status})")
        if not data:
            raise RpcUnavailable(f"{self._url} answered HTTP {status}")
        return data

    def _headers(self) -> dict[str, str]:
        pair = f"{self._credentials.user}:{self._credentials.password}"
        token = b64encode(pair.encode()).decode()
        return {"authorization": f"Basic {token}", "content-type": "application/json"}

    def _decode(self, data: bytes, type_: Any) -> Any:
        try:
            return codecs.decode(data, type_)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise RpcUnavailable(f"{self._url} does not speak JSON-RPC: {error}") from error

    def _result(self, answer: _Answer, number: int) -> Any:
        if answer.error is not None:
            raise RpcError.of(answer.error.code, answer.error.message)
        if answer.id != number:
            raise RpcUnavailable(f"{self._url} answered another call than was made")
        return self._decode(bytes(answer.result), Any)

    def _outcome(self, answer: _Answer, number: int) -> Any:
        try:
            return self._result(answer, number)
        except RpcError as error:
            return error


def _request(number: int, method: str, params: Sequence[Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or parts.username is not None:
        raise ValueError("a node's URL is http://HOST:PORT, without user and password")
    return url


def _busy(url: str, body: bytes) -> RpcUnavailable:
    """A 503: the node says that its queue is full in these words, and anything else while it shuts down."""
    if b"Work queue depth exceeded" in body:
        return RpcOverloaded(f"{url} has too many calls waiting already (HTTP 503)")
    return RpcStopping(f"{url} is shutting down (HTTP 503)")


def _unavailable(url: str, error: BaseException) -> RpcUnavailable:
    time_left(1.0)  # says so if our own time was over
    kind, words = describe(error)
    if kind is CallTimedOut:
        return RpcTimedOut(f"{url}: {words}")
    return RpcUnavailable(f"{url} cannot be reached: {words}")
