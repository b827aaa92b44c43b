"""The envelope around a call: versions, ids, batches, and which HTTP status an error gets. No sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from btcctl import codecs
from btcctl.errors import BtcctlError

MISC_ERROR = -1
TYPE_ERROR = -3
INVALID_ADDRESS_OR_KEY = -5
INVALID_PARAMETER = -8
NODE_ALREADY_ADDED = -23
NODE_NOT_ADDED = -24
IN_WARM_UP = -28
NODE_NOT_CONNECTED = -29
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
PARSE_ERROR = -32700

_HTTP_STATUSES = {INVALID_REQUEST: 400, METHOD_NOT_FOUND: 404}
_ABSENT = object()

Execute = Callable[[str, Any], Awaitable[Any]]


class RpcError(BtcctlError):
    """What a caller gets to see.

    Attributes:
        code: As bitcoind numbers them.
        message: bitcoind's words.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(slots=True)
class Call:
    """One request object. Filled in order, so that a refusal can still carry the id and version read before it."""

    id: Any = None
    is_v2: bool = False
    method: str = ""
    params: Any = None

    @property
    def is_notification(self) -> bool:
        return self.is_v2 and self.id is _ABSENT

    def read(self, request: Any) -> None:
        """Take over a decoded request object.

        Raises:
            RpcError: It is no valid request.
        """
        if not isinstance(request, dict):
            raise RpcError(INVALID_REQUEST, "Invalid Request object")
        self.id = request.get("id", _ABSENT)
        self.is_v2 = False
        self.is_v2 = _is_version_2(request.get("jsonrpc"))
        method = request.get("method")
        if method is None:
            raise RpcError(INVALID_REQUEST, "Missing method")
        if not isinstance(method, str):
            raise RpcError(INVALID_REQUEST, "Method must be a string")
        self.method = method
        self.params = request.get("params")
        if not isinstance(self.params, dict | list | None):
            raise RpcError(INVALID_REQUEST, "Params must be an array or object")

    def reply(self, result: Any, error: RpcError | None) -> dict[str, Any]:
        """The answer in the shape of this call's version."""
        error_body = None if error is None else {"code": error.code, "message": error.message}
        if not self.is_v2:
            answer = {"result": result, "error": error_body}
        elif error is None:
            answer = {"jsonrpc": "2.0", "result": result}
        else:
            answer = {"jsonrpc": "2.0", "error": error_body}
        return answer if self.id is _ABSENT else {**answer, "id": self.id}


async def answer(body: bytes, execute: Execute) -> tuple[int, bytes]:
    """Answer one HTTP body.

    Args:
        body: What was posted.
        execute: Runs one method; raises RpcError.

    Returns:
        HTTP status, and a JSON line or nothing.
    """
    call = Call()
    try:
        request = _decode(body)
        if isinstance(request, list):
            return await _answer_batch(request, execute)
        if not isinstance(request, dict):
            raise RpcError(PARSE_ERROR, "Top-level object parse error")
        call.read(request)
    except RpcError as error:
        return _HTTP_STATUSES.get(error.code, 500), _encode(call.reply(None, error))
    reply, failure = await _run(call, execute)
    if call.is_notification:
        return 204, b""
    if failure is None or call.is_v2:
        return 200, _encode(reply)
    return _HTTP_STATUSES.get(failure.code, 500), _encode(reply)


async def _answer_batch(requests: list[Any], execute: Execute) -> tuple[int, bytes]:
    replies = []
    call = Call()  # one for all, as in bitcoind: an item that is no object answers under its predecessor's id
    for request in requests:
        try:
            call.read(request)
            reply, _ = await _run(call, execute)
        except RpcError as error:
            reply = call.reply(None, error)
        if not call.is_notification:
            replies.append(reply)
    if requests and not replies:
        return 204, b""
    return 200, _encode(replies)


async def _run(call: Call, execute: Execute) -> tuple[dict[str, Any], RpcError | None]:
    try:
        return call.reply(await execute(call.method, call.params), None), None
    except RpcError as error:
        return call.reply(None, error), error


def _is_version_2(version: Any) -> bool:
    if version is None:
        return False
    if not isinstance(version, str):
        raise RpcError(INVALID_REQUEST, "jsonrpc field must be a string")
    if version not in ("1.0", "2.0"):
        raise RpcError(INVALID_REQUEST, "JSON-RPC version not supported")
    return version == "2.0"


def _decode(body: bytes) -> Any:
    try:
        return codecs.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RpcError(PARSE_ERROR, "Parse error") from error


def _encode(reply: Any) -> bytes:
    return codecs.encode(reply) + b"\n"
