"""The error answers of a Kubernetes API server, word for word.

Source: transcripts of kube-apiserver 1.36.2. Every function returns an error to raise.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

from btcctl.errors import BtcctlError
from btcctl.resources import ResourceType

#: What a real server can speak; this one speaks the first.
MEDIA_TYPES = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
SCHEME = "pkg/runtime/scheme.go:111"  # what Go's scheme of types says of where it was made
_SUMMARY_BYTES = 30
MODIFIED_MESSAGE = "the object has been modified; please apply your changes to the latest version and try again"
#: With more of them a request is refused without a list: one of 3 MB can be wrong in a million places.
MOST_CAUSES = 1_000
#: Likewise if those before a cause have more characters together: each may name a path, or quote a value, of a MB.
_MOST_CAUSE_CHARACTERS = 4_000_000
_MOST_WORDS = 10_000


class _CauseFields(NamedTuple):
    reason: str
    message: str
    field: str


class Cause(_CauseFields):
    """One entry of `details.causes`.

    Raises:
        StatusError: 422; the request whose causes are counted has more than enough.
    """

    __slots__ = ()

    def __new__(cls, reason: str, message: str, field: str) -> Self:
        if _left.causes is not None:
            if _left.causes == 0:
                raise too_many_causes()
            if _left.characters < 0:
                raise too_long_causes()
            _left.causes -= 1
            _left.characters -= len(message) + len(field)
        return super().__new__(cls, reason, message, field)


class _Left(threading.local):
    causes: int | None = None
    characters: int = 0
    words: int = 0


def spend_words(count: int) -> None:
    """Let the request under way have so many words of CEL compiled, for which a real server takes microseconds.

    Raises:
        StatusError: 501; they are more than this server compiles for one request.
    """
    if _left.causes is not None:
        _left.words -= count
        if _left.words < 0:
            raise not_implemented(f"expressions of CEL that have more than {_MOST_WORDS} words together")


_left = _Left()


class causes_counted:  # noqa: N801 - called as a function is
    """For as long as one request is answered, in one thread; a hook in it may make another one meanwhile."""

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = _left.causes, _left.characters, _left.words
        _left.causes, _left.characters, _left.words = MOST_CAUSES, _MOST_CAUSE_CHARACTERS, _MOST_WORDS

    def __exit__(self, *_: object) -> None:
        _left.causes, _left.characters, _left.words = self._before


class StatusError(BtcctlError):
    """A request that fails, and the whole answer to it.

    Attributes:
        status: The HTTP status.
        body: The Status; None if the answer is the plain text `text`.
        headers: Headers beyond the usual ones.
    """

    def __init__(
        self,
        status: int,
        message: str,
        reason: str = "",
        *,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason
        self.headers = dict(headers or {})
        body: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": dict(metadata or {})}
        body |= {"status": "Failure", "message": message}
        if reason:
            body["reason"] = reason
        if details is not None:
            body["details"] = dict(details)
        self.body: dict[str, Any] | None = body | {"code": status}


class PlainTextError(StatusError):
    """An error answered in plain text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, text)
        self.body = None


def details_of(type_: ResourceType, name: str = "", *, kind: str = "") -> dict[str, Any]:
    """`details` of an error about an object: the kind is the plural unless told otherwise."""
    details = {"name": name, "group": type_.group, "kind": kind or type_.plural}
    return {key: value for key, value in details.items() if value}


def path_not_found() -> StatusError:
    return PlainTextError(404, "404 page not found\n")


def resource_not_found() -> StatusError:
    """The group and version are known, the resource in it is not."""
    return StatusError(404, "the server could not find the requested resource", "NotFound", details={})


def not_found(type_: ResourceType, name: str) -> StatusError:
    return StatusError(404, f'{type_} "{name}" not found', "NotFound", details=details_of(type_, name))


def already_exists(type_: ResourceType, name: str, *, deleting: bool = False) -> StatusError:
    prefix = "object is being deleted: " if deleting else ""
    message = f'{prefix}{type_} "{name}" already exists'
    return StatusError(409, message, "AlreadyExists", details=details_of(type_, name))


def conflict(type_: ResourceType, name: str, why: str = MODIFIED_MESSAGE) -> StatusError:
    message = f'Operation cannot be fulfilled on {type_} "{name}": {why}'
    return StatusError(409, message, "Conflict", details=details_of(type_, name))


def precondition_failed(type_: ResourceType, name: str, why: str) -> StatusError:
    """A DELETE's preconditions do not hold: names the Kind, not the plural."""
    kind = f"{type_.kind}.{type_.group}" if type_.group else type_.kind
    message = f'Operation cannot be fulfilled on {kind} "{name}": {why}'
    return StatusError(409, message, "Conflict", details=details_of(type_, name, kind=type_.kind))


def invalid(group: str, kind: str, name: str, causes: Sequence[Cause]) -> StatusError:
    """422 with causes. The message lists each distinct cause once, `details.causes` all of them."""
    qualified = f"{kind}.{group}" if group else kind
    texts = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details: dict[str, Any] = {"name": name, "group": group, "kind": kind}
    details = {key: value for key, value in details.items() if value}
    details["causes"] = [cause._asdict() for cause in causes]
    return StatusError(422, f'{qualified} "{name}" is invalid: {listed}', "Invalid", details=details)


def too_many_causes() -> StatusError:
    message = f"the object is invalid in more than {MOST_CAUSES} places, which this server does not list"
    return StatusError(422, message, "Invalid")


def too_long_causes() -> StatusError:
    why = f"what is wrong with the object takes more than {_MOST_CAUSE_CHARACTERS} characters"
    return StatusError(422, f"{why}, which this server does not list", "Invalid")


def invalid_object(type_: ResourceType, name: str, causes: Sequence[Cause]) -> StatusError:
    return invalid(type_.group, type_.kind, name, causes)


def wrong_kind(type_: ResourceType, body: Mapping[str, Any]) -> StatusError:
    """A custom resource that says it is another kind: names what it says."""
    kind = str(body.get("kind"))
    cause = Cause("FieldValueInvalid", f'Invalid value: "{kind}": must be {type_.kind}', "kind")
    return invalid(type_.group, kind, str(body["metadata"].get("name") or ""), [cause])


def version_required(type_: ResourceType, name: str) -> StatusError:
    """PUT without a resourceVersion where one is a must: names the plural, unlike other 422s."""
    cause = Cause("FieldValueInvalid", "Invalid value: 0: must be specified for an update", "metadata.resourceVersion")
    return invalid(type_.group, type_.plural, name, [cause])


def bad_request(message: str) -> StatusError:
    return StatusError(400, message, "BadRequest")


def unauthorized() -> StatusError:
    return StatusError(401, "Unauthorized", "Unauthorized")


def forbidden(type_: ResourceType, name: str, why: str, causes: Sequence[Cause] = ()) -> StatusError:
    subject = f'{type_} "{name}"' if name else f"{type_}"
    details = details_of(type_, name)
    if causes:
        details["causes"] = [cause._asdict() for cause in causes]
    return StatusError(403, f"{subject} is forbidden: {why}", "Forbidden", details=details)


def method_not_allowed() -> StatusError:
    message = "the server does not allow this method on the requested resource"
    return StatusError(405, message, "MethodNotAllowed", details={})


def method_not_supported(type_: ResourceType, verb: str) -> StatusError:
    """405 of a custom resource: names the verb and the resource."""
    message = f'{verb} is not supported on resources of kind "{type_}"'
    return StatusError(405, message, "MethodNotAllowed", details=details_of(type_))


def not_acceptable(accepted: str = MEDIA_TYPES) -> StatusError:
    message = f"only the following media types are accepted: {accepted}"
    return StatusError(406, message, "NotAcceptable")


def unsupported_media_type(accepted: Sequence[str]) -> StatusError:
    listed = ", ".join(accepted)
    message = f"the body of the request was in an unknown format - accepted media types include: {listed}"
    return StatusError(415, message, "UnsupportedMediaType")


def unprocessable() -> StatusError:
    """422 without a word on what is wrong: a patch that does not fit the object."""
    return StatusError(422, "the server rejected our request due to an error in our request", "Invalid", details={})


def expired(message: str, *, continue_token: str = "") -> StatusError:
    """410: the resourceVersion is older than the server remembers."""
    return StatusError(410, message, "Expired", metadata={"continue": continue_token} if continue_token else None)


def too_large_request(why: str) -> StatusError:
    return StatusError(413, f"Request entity too large: {why}", "RequestEntityTooLarge")


def too_large_for_etcd() -> StatusError:
    return internal("etcdserver: request is too large")


def too_large_entity(limit_bytes: int) -> StatusError:
    message = f"Request entity too large: limit is {limit_bytes}"
    return StatusError(413, message, "RequestEntityTooLarge", headers={"Connection": "close"})


def too_large_version(asked: int, current: int) -> StatusError:
    """504: the client has seen a resourceVersion this server has not reached."""
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return StatusError(
        504,
        f"Timeout: Too large resource version: {asked}, current: {current}",
        "Timeout",
        details={"causes": causes, "retryAfterSeconds": 1},
        headers={"Retry-After": "1"},
    )


def timed_out() -> StatusError:
    """504: the request was given less time than it takes. The answer does not say that it is a Status."""
    message = "Timeout: request did not complete within the allotted timeout"
    error = StatusError(504, message, "Timeout", details={}, headers={"Content-Type": "text/plain; charset=utf-8"})
    error.body = {name: each for name, each in (error.body or {}).items() if name not in {"kind", "apiVersion"}}
    return error


def internal(message: str) -> StatusError:
    """500 without a reason, as the real server answers for what it did not foresee."""
    return StatusError(500, message)


def internal_error(why: str) -> StatusError:
    """500 with a reason, as the real server answers for what it knows to be wrong inside."""
    details = {"causes": [{"message": why}]}
    return StatusError(500, f"Internal error occurred: {why}", "InternalError", details=details)


def not_implemented(message: str) -> StatusError:
    """501: a real server could do this, this one cannot, and does not pretend."""
    return StatusError(501, f"the embedded API server does not support this: {message}", "NotImplemented")


def success(type_: ResourceType, name: str, uid: str) -> dict[str, Any]:
    """The answer to a DELETE after which the object is gone."""
    details = {**details_of(type_, name), "uid": uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def unhandled(kind: str, version: str, expected: str, why: str) -> StatusError:
    """A body that cannot be read as what it should be."""
    return bad_request(f'{kind} in version "{version}" cannot be handled as a {expected}: {why}')


def unrecognized(kind: str, why: str, raw: bytes) -> StatusError:
    """A body of which it cannot be told what it is."""
    return bad_request(f"the object provided is unrecognized (must be of type {kind}): {why} ({_summary(raw)})")


def other_version(sent: str, expected: str) -> StatusError:
    """A body in another version than its path has."""
    return bad_request(f"the API version in the data ({sent}) does not match the expected API version ({expected})")


def _summary(raw: bytes) -> str:
    """A few bytes of a body; in hex if it is no JSON object."""
    if not raw:
        return "<empty>"
    head = raw[:_SUMMARY_BYTES]
    shown = head.decode(errors="replace") if raw.startswith(b"{") else head.hex()
    return f"{shown} ..." if len(raw) > _SUMMARY_BYTES else shown
