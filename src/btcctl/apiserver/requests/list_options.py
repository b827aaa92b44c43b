"""Query parameters of lists and watches, continue tokens, and what is wrong with them."""

from __future__ import annotations

import base64
import posixpath
import re
from dataclasses import dataclass
from typing import Any

import msgspec

from btcctl import codecs
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.integers import IntegerError, parse_uint
from btcctl.apiserver.requests.messages import ApiRequest
from btcctl.apiserver.requests.options import boolean, integer, unsupported

_MATCHES = ("Exact", "NotOlderThan", "")
_TOKEN_VERSION = "meta.k8s.io/v1"  # noqa: S105  # no secret
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9_-]")
_GO_KINDS = {list: "array", str: "string", bool: "bool", int: "number", float: "number"}


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Of a list or a watch."""

    version: int | None  #: resourceVersion; None if unset
    match: str = ""  #: resourceVersionMatch
    limit: int = 0  #: 0 for no limit
    continue_token: str = ""
    label_selector: str = ""
    field_selector: str = ""
    bookmarks: bool = False
    initial_events: bool | None = None  #: sendInitialEvents
    timeout_seconds: int = 0  #: 0 for the server's own choice; a watch of less is over at once


def list_options(request: ApiRequest, *, watch: bool) -> ListOptions:
    """
    Raises:
        StatusError: They contradict each other or cannot be read.
    """
    version = request.option("resourceVersion")
    initial = boolean(request, "sendInitialEvents")
    limit, seconds = (_number(request, name) for name in ("limit", "timeoutSeconds"))
    match, token = request.option("resourceVersionMatch"), request.option("continue")
    causes = _watch_causes(match, token, version, initial) if watch else _list_causes(match, token, version, initial)
    if causes:
        raise errors.invalid("meta.k8s.io", "ListOptions", "", causes)
    if not watch and token and version not in {"", "0"}:
        raise errors.bad_request("specifying resource version is not allowed when using continue")
    return ListOptions(
        _watch_version(version) if watch else _list_version(version),
        match,
        max(0, limit),
        token,
        request.option("labelSelector"),
        request.option("fieldSelector"),
        bool(boolean(request, "allowWatchBookmarks")),
        initial,
        _as_duration(seconds),
    )


def _number(request: ApiRequest, name: str) -> int:
    return integer(request.option(name)) if name in request.query else 0


def _as_duration(seconds: int) -> int:
    """As Go has it, in nanoseconds: a time of more than 292 years comes out as another, or as one that is over."""
    nanoseconds = (seconds * 10**9 + 2**63) % 2**64 - 2**63
    return nanoseconds // 10**9


def object_version(request: ApiRequest) -> int | None:
    """The resourceVersion that a GET of one object must have reached; None for any.

    Raises:
        StatusError: 500 without a reason: it is no number.
    """
    return _watch_version(request.option("resourceVersion"))


def encode_continue(revision: int, path: str) -> str:
    """A token for what comes after `path` in the snapshot of `revision`."""
    token = codecs.encode({"v": _TOKEN_VERSION, "rv": revision, "start": f"{path}\0"})
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()


def decode_continue(token: str) -> tuple[int, str]:
    """The revision (negative for the latest) and where to go on.

    Raises:
        StatusError: It is no token of ours.
    """
    try:
        return _read_token(token.encode())
    except ValueError as error:
        raise errors.bad_request(f"invalid continue token: continue key is not valid: {error}") from error


def _read_token(token: bytes) -> tuple[int, str]:
    odd = _NOT_BASE64.search(token)
    if odd is not None or len(token) % 4 == 1:
        raise ValueError(f"illegal base64 data at input byte {odd.start() if odd else len(token) - 1}")
    decoded = _decoded(base64.urlsafe_b64decode(token + b"=" * (-len(token) % 4)))
    revision, start = decoded.get("rv") or 0, decoded.get("start") or ""
    if decoded.get("v") != _TOKEN_VERSION:
        raise ValueError(f"server does not recognize this encoded version {decoded.get('v') or ''}")
    for name, value, wanted, go in (("rv", revision, int, "int64"), ("start", start, str, "string")):
        if type(value) is not wanted:
            found = _GO_KINDS.get(type(value), "object")
            raise ValueError(f"json: cannot unmarshal {found} into Go struct field continueToken.{name} of type {go}")
    if not revision:
        raise ValueError(f"incorrect encoded start resourceVersion (version {_TOKEN_VERSION})")
    if not start:
        raise ValueError(f"incorrect encoded start key (version {_TOKEN_VERSION})")
    path = start if start.startswith("/") else f"/{start}"
    if posixpath.normpath(path) != path:
        raise ValueError(start)
    return revision, start


def _decoded(data: bytes) -> dict[str, Any]:
    """Complains as Go's encoding/json does, where that can be told from the first character."""
    try:
        decoded = codecs.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        first = data.lstrip()[:1].decode("latin-1")
        if not first:
            raise ValueError("unexpected end of JSON input") from error
        if first not in '{["-0123456789tfn':
            shown = first if first.isprintable() and first.isascii() else f"\\u{ord(first):04x}"
            raise ValueError(f"invalid character '{shown}' looking for beginning of value") from error
        raise ValueError(str(error)) from error
    if decoded is None or isinstance(decoded, dict):
        return decoded or {}
    found = _GO_KINDS[type(decoded)]
    raise ValueError(f"json: cannot unmarshal {found} into Go value of type storage.continueToken")


def _list_version(text: str) -> int | None:
    complaint = _complaint(text)
    if complaint:
        raise errors.bad_request(f"invalid resource version: {complaint}")
    return int(text) if text else None


def _watch_version(text: str) -> int | None:
    complaint = _complaint(text)
    if complaint:
        raise errors.internal(complaint)
    return int(text) if text else None


def _complaint(text: str) -> str:
    if not text:
        return ""
    try:
        parse_uint(text)
    except IntegerError as error:
        return f'resourceVersion: Invalid value: "{text}": {error}'
    return ""


def _list_causes(match: str, token: str, version: str, initial: bool | None) -> list[Cause]:
    causes = []
    if match and not version:
        causes.append(_forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided"))
    if match and token:
        causes.append(_forbidden("resourceVersionMatch is forbidden when continue is provided"))
    if match not in _MATCHES:
        causes.append(unsupported("resourceVersionMatch", f'"{match}"', _MATCHES))
    if match == "Exact" and version == "0":
        causes.append(_forbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    if initial is not None:
        causes.append(_forbidden("sendInitialEvents is forbidden for list", "sendInitialEvents"))
    return causes


def _watch_causes(match: str, token: str, version: str, initial: bool | None) -> list[Cause]:
    causes = []
    begins_with_state = initial is None and not match and version in {"", "0"}  # a server then asks itself for both
    if initial is not None and match != "NotOlderThan":
        causes.append(_forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"))
    if match and initial is None:
        message = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        causes.append(_forbidden(message))
    if match and match != "NotOlderThan":
        causes.append(unsupported("resourceVersionMatch", f'"{match}"', ("NotOlderThan",)))
    if (match or begins_with_state) and token:
        causes.append(_forbidden("resourceVersionMatch is forbidden when continue is provided"))
    return causes


def _forbidden(message: str, field: str = "resourceVersionMatch") -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {message}", field)
