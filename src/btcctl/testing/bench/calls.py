"""What a program asks of an API server, as its transport sees it, and what goes wrong on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from btcctl import codecs
from btcctl.apiserver.requests.messages import ApiRequest
from btcctl.apiserver.requests.request_info import attributes_of
from btcctl.errors import BtcctlError
from btcctl.objects import ObjectKey
from btcctl.rbac.rights import Use, uses_of
from btcctl.resources import ResourceType
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request, Response, StreamResponse, Transport
from btcctl.secret import SecretBytes

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_READS = frozenset({"list", "watch"})


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a program.

    Attributes:
        verb: As in a Role: get, list, watch, create, update, patch, delete, deletecollection; of a path that is no
            resource's, the method in lower case.
        group: "" is the core group.
        resource: The plural; "" if the path is no resource's.
        subresource: "" for the object itself.
        key: Of the object; without a name for list, watch and deletecollection.
        path: As it was asked for.
        body: What was sent, decoded; None if nothing was.
    """

    verb: str
    group: str
    resource: str
    subresource: str
    key: ObjectKey
    path: str
    body: Any = field(default=None, repr=False)

    @property
    def is_write(self) -> bool:
        return self.verb in WRITES

    def is_of(self, type_: ResourceType) -> bool:
        return (self.group, self.resource) == (type_.group, type_.plural)

    def __str__(self) -> str:
        what = f"{self.verb} {self.key}" if self.key.name else f"{self.verb} {self.key.namespace or 'all'}"
        return f"{what}/{self.subresource}" if self.subresource else what


def call_of(request: Request) -> Call:
    """What a request is."""
    query = {name: [value] for name, value in request.query.items()}
    asked = attributes_of(ApiRequest(request.method, request.path, query))
    content = _decoded(request.body)
    name = asked.name
    if asked.verb == "create" and not name and isinstance(content, dict):
        name = str((content.get("metadata") or {}).get("name") or "")
    key = ObjectKey(asked.namespace, name)
    return Call(asked.verb, asked.group, asked.resource, asked.subresource, key, request.path, content)


def _decoded(body: bytes | None) -> Any:
    if not body:
        return None
    content = bytes(body) if isinstance(body, SecretBytes) else body
    try:
        return codecs.decode(content)
    except codecs.DECODE_ERRORS:
        return None


@dataclass(slots=True)
class Fault:
    """Something that goes wrong with some calls.

    Attributes:
        concerns: Which.
        happens: Raises what the program is to meet instead of an answer, or returns, and the call goes on.
        left: How often it still happens.
    """

    concerns: Callable[[Call], bool]
    happens: Callable[[Call], None]
    left: float


class ObservedTransport:
    """Passes requests on, writes them down, and lets faults happen to them.

    Attributes:
        calls: Every request so far, refused ones included.
        uses: The rights that requests took which reached the server.
        faults: Asked in order, before a request is passed on.
    """

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self._reads_failed_by: list[BtcctlError] = []
        self.calls: list[Call] = []
        self.uses: dict[Use, None] = {}
        self.faults: list[Fault] = []

    def request(self, request: Request, *, timeout: float, breaker: Breaker | None = None) -> Response:
        call = self._note(request)
        response = self._inner.request(request, timeout=timeout, breaker=breaker)
        self._note_use(call, has_created=response.status == 201)
        return response

    def stream(self, request: Request, *, timeout: float, idle_timeout: float, breaker: Breaker) -> StreamResponse:
        self._note_use(self._note(request))
        return self._inner.stream(request, timeout=timeout, idle_timeout=idle_timeout, breaker=breaker)

    def close(self) -> None:
        """The server's own transport is closed with the server."""

    def _note_use(self, call: Call, *, has_created: bool = False) -> None:
        if call.resource:
            about = (call.group, call.resource, call.subresource, call.key.name)
            self.uses |= dict.fromkeys(uses_of(call.verb, *about, has_created=has_created))

    def _note(self, request: Request) -> Call:
        call = call_of(request)
        self.calls.append(call)
        for fault in [*self.faults]:
            if fault.left > 0 and fault.concerns(call):
                fault.left -= 1
                self._let_happen(fault, call)
        return call

    def is_of_a_fault(self, error: BtcctlError | None) -> bool:
        """Whether a list or watch met this very error because a fault had it so, and not of the server's own accord."""
        return any(each is error for each in self._reads_failed_by)

    def _let_happen(self, fault: Fault, call: Call) -> None:
        try:
            fault.happens(call)
        except BtcctlError as error:
            if call.verb in _READS and not self.is_of_a_fault(error):
                self._reads_failed_by.append(error)
            raise


def error_for(error: BtcctlError | type[BtcctlError], retry_after: float | None) -> BtcctlError:
    """An error as it is, or of a class one with what a server says with it."""
    if isinstance(error, BtcctlError):
        return error
    code = getattr(error, "status_code", None)
    if code is None:
        return error("on purpose")
    reason = getattr(error, "status_reason", None) or error.__name__
    return error(code, reason, "on purpose", retry_after=retry_after)  # type: ignore[call-arg]
