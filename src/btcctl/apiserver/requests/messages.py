"""What goes in and comes out of the API, before there is any socket."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from msgspec import structs

from btcctl import codecs
from btcctl.apiserver.storage.watches import Watch

JSON = "application/json"
_COMMON_HEADERS = {"Cache-Control": "no-cache, private"}
# As isPrettyPrint of k8s.io/apiserver/pkg/endpoints/handlers/negotiation, 0.36.2, knows them.
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_OF_PEOPLE = ("curl", "Wget", "Mozilla/5.0")


class User(NamedTuple):
    """Somebody, as a token shows."""

    name: str
    groups: tuple[str, ...] = ("system:authenticated",)


ADMIN = User("system:admin", ("system:masters", "system:authenticated"))
ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request, its path and query unescaped.

    Attributes:
        headers: Keys in lower case.
        user: Who sent it, as authenticated by whoever received it.
        groups: Of that user.
        repeated: The values of headers that came more than once; `headers` has the last ones.
    """

    method: str
    path: str
    query: dict[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    user: str = "system:admin"
    groups: tuple[str, ...] = ADMIN.groups
    repeated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def media_type(self) -> str:
        """What the body is, without parameters and in lower case; "" if nobody says."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def option(self, name: str) -> str:
        """The first value of a query parameter, "" if it is absent."""
        values = self.query.get(name)
        return values[0] if values else ""


class ApiResponse(msgspec.Struct, frozen=True):
    """An answer that is complete."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class WatchResponse:
    """The answer to a watch: send the headers with status 200, then start the watch."""

    headers: dict[str, str]
    watch: Watch


@dataclass(frozen=True, slots=True)
class TakeOver:
    """The answer of a connection that goes on as something else.

    Attributes:
        serve: Given the socket and the head of the request, sends the response too; blocks until it
            is over. Raises OSError only.
    """

    serve: Callable[[socket.socket, bytes], None]


Response = ApiResponse | WatchResponse | TakeOver


class RequestAttributes(msgspec.Struct, frozen=True):
    """What an authorizer decides about and an observer counts.

    Attributes:
        verb: get, list, watch, create, update, patch, delete or deletecollection; for a path
            that is no resource, the method in lower case.
        path: Set when the path is no resource's, else "".
    """

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    user: str = "system:admin"
    path: str = ""
    groups: tuple[str, ...] = ()


def json_response(
    status: int, body: Mapping[str, Any] | bytes, headers: Mapping[str, str] | None = None
) -> ApiResponse:
    """Compact JSON and a newline, as a real server writes it.

    Args:
        body: A dict, or JSON that is encoded already, without the newline.
    """
    encoded = body if isinstance(body, bytes) else codecs.encode(body)
    return ApiResponse(status, {**_COMMON_HEADERS, "Content-Type": JSON, **(headers or {})}, encoded + b"\n")


def text_response(status: int, text: str, headers: Mapping[str, str] | None = None) -> ApiResponse:
    """A `text/plain` answer: unknown paths and health checks have those."""
    common = {**_COMMON_HEADERS, "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    return ApiResponse(status, {**common, **(headers or {})}, text.encode())


def for_reader(request: ApiRequest, response: Response) -> Response:
    """The answer; JSON is indented for who asks for it, or seems to be looking at it himself."""
    if not isinstance(response, ApiResponse) or not _wants_indentation(request):
        return response
    if response.headers.get("Content-Type", "").partition(";")[0] != JSON:
        return response
    return structs.replace(response, body=codecs.indented(response.body))


def _wants_indentation(request: ApiRequest) -> bool:
    asked = request.option("pretty")
    return asked in _TRUE if asked else request.headers.get("user-agent", "").startswith(_OF_PEOPLE)
