"""JSON-RPC 2.0 to one Bitcoin node, over connections that are kept alive.

* RpcError: the node answered with an error; `code` is Bitcoin Core's (rpc/protocol.h)
    * WarmingUp (-28) · AlreadyAdded (-23) · NotAdded (-24) · NotConnected (-29)
* RpcUnavailable: no usable answer: refused, reset, overloaded or not JSON
    * RpcTimedOut: none in time; a DeadlineExceeded as well
* RpcUnauthorized: the node does not accept our credentials (401) or our address (403)

Errors are judged by the body: under JSON-RPC 2.0 Core answers every one of them with HTTP 200.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import msgspec
from urllib3 import PoolManager

from btcctl import codecs
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.deadline import time_left
from btcctl.errors import BtcctlError, CallTimedOut, DeadlineExceeded
from btcctl.rest.exchange.call import Call as ExchangeCall
from btcctl.rest.exchange.connection import Connections, PlainPool
from btcctl.rest.exchange.exchange import Message, exchange
from btcctl.rest.exchange.failures import FAILURES, describe
from btcctl.rest.exchange.head import format_fields, format_head
from btcctl.rest.exchange.names import Names
from btcctl.rest.transport.transport import Fence
from btcctl.secret import SecretBytes

CONNECT_SECONDS: Final = 1.0
# `addnode onetry` to a host that swallows packets blocks for 5.07 s (measured).
READ_SECONDS: Final = 6.0
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
# Each pool holds one idle connection; the least recently used node's is closed first.
_POOLS = 256

Call = tuple[str, Sequence[Any]]  #: a method and its positional parameters


class RpcFailure(BtcctlError):
    """A call to a node failed. The message names the node, and never the credentials."""


class RpcUnavailable(RpcFailure):
    """No usable answer was had."""


class RpcTimedOut(RpcUnavailable, DeadlineExceeded):
    """The node has had its time, and has not sent a whole answer."""


class RpcUnauthorized(RpcFailure):
    """The node does not accept our credentials or our address.

    Attributes:
        status: 401 or 403.
    """

    def __init__(self, message: str, status: int = 401) -> None:
        super().__init__(message)
        self.status = status


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
    error_code = -23


class NotAdded(RpcError):
    error_code = -24


class NotConnected(RpcError):
    error_code = -29


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
        read_seconds: How long an answer may take, from its first byte to its last, however it comes. A connection
            may take `CONNECT_SECONDS` beforehand.
        fence: Asked before anything is sent; what it raises is raised, and nothing has happened.
    """

    def __init__(
        self,
        port: int,
        *,
        read_seconds: float = READ_SECONDS,
        clock: Clock = SYSTEM_CLOCK,
        fence: Fence | None = None,
    ) -> None:
        self._port = port
        self._read_seconds = read_seconds
        self._clock = clock
        self._fence = fence
        self._names = Names(clock)
        self._pools = PoolManager(num_pools=_POOLS, maxsize=1)
        self._pools.pool_classes_by_scheme = {"http": PlainPool}

    def client(self, address: str, credentials: Credentials) -> RpcClient:
        """A client of the node at this IP address.

        Raises:
            ValueError: Not an IP address: a name could lead anywhere.
        """
        host = f"[{address}]" if isinstance(ip_address(address), IPv6Address) else address
        return RpcClient(self, f"http://{host}:{self._port}/", credentials)

    def close(self) -> None:
        """Close what is idle. Idempotent."""
        self._pools.clear()

    def post(self, url: str, headers: dict[str, str], body: bytes, *, retry: bool) -> tuple[int, bytes]:
        """Send, and read the whole answer.

        Args:
            retry: Try once more if a connection that was kept alive turns out to be dead: the
                node closes it after 30 s. Only for calls that may be made twice.

        Raises:
            RpcUnavailable: No answer, or too long a one.
            RpcTimedOut: It did not come in time.
            DeadlineExceeded: `btcctl.deadline` left no time for it.
        """
        seconds = time_left(CONNECT_SECONDS + self._read_seconds)
        call = ExchangeCall(seconds, clock=self._clock, fence=self._fence, connect_seconds=CONNECT_SECONDS)
        head = format_head("POST", "/", format_fields(urlsplit(url).netloc, headers.items()), body)
        message = Message("POST", SecretBytes(head + body), retry)
        pool = self._pools.connection_from_url(url)
        answer_bytes = bytearray()

        def receive(piece: bytes) -> None:
            answer_bytes.extend(piece)
            if len(answer_bytes) > MAX_ANSWER_BYTES:
                raise RpcUnavailable(f"{url} sends too much: gave up after {len(answer_bytes)} bytes")

        try:
            answer = exchange(Connections(pool, self._names), call, message)
            answer.read(receive)
        except FAILURES as error:
            raise _unavailable(url, error) from error
        return answer.status, bytes(answer_bytes)


class RpcClient:
    """Calls one node. Made by `RpcConnections.client`; holds nothing that needs closing."""

    def __init__(self, connections: RpcConnections, url: str, credentials: Credentials) -> None:
        self._connections = connections
        self._url = url
        self._credentials = credentials

    def __repr__(self) -> str:
        return f"RpcClient({self._url})"

    def call(self, method: str, *params: Any, retry: bool = True) -> Any:
        """Call one method.

        Args:
            params: Positional parameters.
            retry: Whether the call may be made twice if the first broke off.

        Raises:
            RpcError: The node answered with an error.
            RpcUnavailable: No usable answer.
            RpcUnauthorized: Wrong credentials, or our address is not allowed.
        """
        data = self._exchange(codecs.encode(_request(0, method, params)), retry=retry)
        return self._result(self._decode(data, _Answer), 0)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Call several methods in one round trip; their results in order.

        Raises:
            RpcError: One of them failed: the first error.
            RpcUnavailable: No usable answer.
            RpcUnauthorized: Wrong credentials, or our address is not allowed.
        """
        body = [_request(number, method, params) for number, (method, params) in enumerate(calls)]
        data = self._exchange(codecs.encode(body), retry=True)
        answers = {each.id: each for each in self._decode(data, list[_Answer])}
        if answers.keys() != set(range(len(calls))):
            raise RpcUnavailable(f"{self._url} answered other calls than were made")
        return [self._result(answers[number], number) for number in range(len(calls))]

    def _exchange(self, body: bytes, *, retry: bool) -> bytes:
        status, data = self._connections.post(self._url, self._headers(), body, retry=retry)
        if status in {401, 403}:
            what = "the credentials" if status == 401 else "calls from our address"
            raise RpcUnauthorized(f"{self._url} does not accept {what} (HTTP {status})", status)
        if not data or status == 503:
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


def _request(number: int, method: str, params: Sequence[Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def _unavailable(url: str, error: BaseException) -> RpcUnavailable:
    time_left(1.0)  # says so if our own time was over
    kind, words = describe(error)
    if kind is CallTimedOut:
        return RpcTimedOut(f"{url}: {words}")
    return RpcUnavailable(f"{url} cannot be reached: {words}")
