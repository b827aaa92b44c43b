"""Every error btcctl raises on purpose.

* BtcctlError
    * ConfigError: what the user configured is missing, malformed or contradictory
    * ApiError: the API server answered with a failure
        * BadRequest (400) · Unauthorized (401) · Forbidden (403) · NotFound (404)
        * MethodNotAllowed (405) · Conflict (409) · AlreadyExists (409) · Gone (410)
        * Invalid (422) · TooManyRequests (429) · InternalError (500)
        * ServiceUnavailable (503) · ServerTimeout (504)
    * TransportError: the API server could not be reached, or went away
        * ConnectionRefused: nothing listens there
        * ConnectionSilent: it is open, and nothing came for longer than can be
            * CallTimedOut: a call has had its time, of itself; a DeadlineExceeded as well
        * Interrupted: we broke the call off ourselves, because we were asked to stop
    * DecodeError: bytes that are not what they must be
        * ObjectDecodeError: an API object
        * WatchDecodeError: a line of a watch stream
    * CacheSyncError: a cache could not be filled in time
    * DeadlineExceeded: the work under way has had its time, or a call
    * NotLeading: an effect was about to begin although we do not, or no longer, lead
    * LeaseLost: we led, and could not renew our lease in time
    * TerminalError: a reconcile failed in a way that retrying cannot mend
    * ComputingFailed: a process that computed for us ended, or its result cannot be brought back
    * Refused: what an admission webhook has against an object

The RPC errors of the operator live next to its RPC client.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, ClassVar, TypeGuard

_TOO_LARGE = "Too large resource version"
#: Of what a server, or a proxy before it, asks for: a longer one would be a way to switch a controller off.
MAX_RETRY_AFTER_SECONDS = 600.0
_NAME_OF_CLASS: Any = type.__dict__["__name__"].__get__  # as the interpreter has it
_MAX_TEXT_CHARACTERS = 4096  # characters of a message that is not ours


def describe_error(error: BaseException) -> str:
    """`Type: message` of any exception, for logs and messages; never raises.

    A foreign exception may have a `__str__` that raises, or a message of megabytes.
    """
    name = type_name(error)
    try:
        text = str.__str__(str(error))  # which may be of a class of its own, with methods that raise
    except BaseException as broken:
        return f"{name}: (its message cannot be shown: {type_name(broken)})"
    if len(text) > _MAX_TEXT_CHARACTERS:
        text = f"{text[:_MAX_TEXT_CHARACTERS]}… ({len(text)} characters)"
    return f"{name}: {text}" if text else name


def type_name(value: object) -> str:
    """The name of its class, also if a metaclass says otherwise, or raises when it is asked."""
    return str(_NAME_OF_CLASS(type(value)))


def is_of_program(error: BaseException) -> bool:
    """Whether it may be what ends the program: a Ctrl-C, or the SystemExit of a program's own handler of a signal.

    Signals are handled in the main thread. In any other, foreign code that was called has raised it.
    """
    is_one = issubclass(type(error), KeyboardInterrupt | SystemExit)
    return is_one and threading.current_thread() is threading.main_thread()


def retry_after_of(said: object) -> float | None:
    """The seconds that a server asks to wait; None if what it says is no such number. Never above the greatest."""
    if not _is_number(said) or not said >= 0:  # NaN is not, either
        return None
    return float(min(said, MAX_RETRY_AFTER_SECONDS))


class BtcctlError(Exception):
    """Base class: `except BtcctlError` catches ours and nothing else."""


class ConfigError(BtcctlError):
    """What the user configured is missing, malformed or contradictory: exit status 2."""


class ApiError(BtcctlError):
    """The API server answered with a failure.

    Attributes:
        code: HTTP status code.
        reason: Machine-readable CamelCase reason, "" if the body was no Status. Branch on
            this or on the type, never on the message.
        message: The server's own words.
        details: The Status' `details`, {} if it had none.
        retry_after: Seconds the server asked us to wait at least, or None; `MAX_RETRY_AFTER_SECONDS` at most.
    """

    status_code: ClassVar[int | None] = None
    status_reason: ClassVar[str | None] = None
    _by_code: ClassVar[dict[tuple[int, str | None], type[ApiError]]] = {}

    def __init_subclass__(cls) -> None:
        # Of ours alone: one that an author derives is raised by the author, and is not what a server's answer becomes.
        if cls.__module__ == __name__ and cls.status_code is not None:
            ApiError._by_code[cls.status_code, cls.status_reason] = cls

    def __init__(
        self,
        code: int,
        reason: str = "",
        message: str = "",
        *,
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{code} {reason}: {message}" if reason else f"{code}: {message}")
        self.code = code
        self.reason = reason
        self.message = message
        self.details = dict(details or {})
        self.retry_after = retry_after_of(retry_after)

    @classmethod
    def of(
        cls,
        code: int,
        reason: str = "",
        message: str = "",
        *,
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> ApiError:
        """The most specific subclass for this code and reason."""
        by_code = ApiError._by_code
        kind = by_code.get((code, reason)) or by_code.get((code, None)) or ApiError
        return kind(code, reason, message, details=details, retry_after=retry_after)

    @classmethod
    def from_status(cls, status: Mapping[str, Any], retry_after: float | None = None, *, code: int = 0) -> ApiError:
        """Build the most specific subclass for a decoded `v1.Status`.

        Args:
            status: The Status. Anybody may have sent it: what is missing, or has another type than it must have,
                counts as empty.
            retry_after: Seconds from a Retry-After header; without one,
                `details.retryAfterSeconds` is used.
            code: Of the answer, for a Status that has none.
        """
        details, said_code = status.get("details"), status.get("code")
        details = details if isinstance(details, Mapping) else {}
        said = details.get("retryAfterSeconds")
        if retry_after is None:
            retry_after = retry_after_of(said)
        return cls.of(
            said_code if isinstance(said_code, int) and 100 <= said_code < 600 else code,
            _text(status.get("reason")),
            _text(status.get("message")),
            details=details,
            retry_after=retry_after,
        )

    @property
    def is_version_too_large(self) -> bool:
        """The version asked for is newer than anything the server has: it lags, or was restored.

        Asking again for the same is no use. Servers before 1.17 send no cause, only the text,
        which client-go looks for, too.
        """
        for cause in self.causes:
            if cause.get("reason") == "ResourceVersionTooLarge" or cause.get("message") == _TOO_LARGE:
                return True
        return (self.code == 504 or self.reason == "Timeout") and _TOO_LARGE in self.message

    @property
    def is_namespace_terminating(self) -> bool:
        """The namespace is being deleted, or gone: nothing new can be made in it, and nothing that is there stays."""
        if self.code == 404:
            return self.details.get("kind") == "namespaces"
        return any(each.get("reason") == "NamespaceTerminating" for each in self.causes)

    @property
    def causes(self) -> list[Mapping[str, str]]:
        """The Status' `details.causes`: mappings with `reason`, `message` and `field`, as far as they are texts."""
        causes = self.details.get("causes")
        mappings = [each for each in causes if isinstance(each, Mapping)] if isinstance(causes, list) else []
        return [{name: text for name, text in each.items() if isinstance(text, str)} for each in mappings]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class BadRequest(ApiError):
    """The server cannot make sense of the request."""

    status_code = 400


class Unauthorized(ApiError):
    """Our credentials are missing, wrong or expired."""

    status_code = 401


class Forbidden(ApiError):
    """We are known, and not allowed (or anonymous, which is never allowed anything)."""

    status_code = 403


class NotFound(ApiError):
    """There is no such object, or the server does not serve its kind."""

    status_code = 404


class MethodNotAllowed(ApiError):
    """The kind has no such verb."""

    status_code = 405


class Conflict(ApiError):
    """The resourceVersion we wrote against is no longer the latest: read again and retry."""

    status_code = 409


class AlreadyExists(Conflict):
    """An object of that name exists already."""

    status_code = 409
    status_reason = "AlreadyExists"


class Gone(ApiError):
    """The resourceVersion is older than the server remembers: list again."""

    status_code = 410


class Invalid(ApiError):
    """The object breaks its schema or a rule; `causes` says where."""

    status_code = 422


class TooManyRequests(ApiError):
    """The server is busy, or a budget allows no disruption now; `retry_after` says when to come back."""

    status_code = 429


class InternalError(ApiError):
    """The server has failed, or something that it asked has."""

    status_code = 500


class ServiceUnavailable(ApiError):
    """The server, or what it stands on, cannot answer now."""

    status_code = 503


class ServerTimeout(ApiError):
    """The server has not been done in time; what it has done by then is unknown."""

    status_code = 504


class TransportError(BtcctlError):
    """The API server could not be reached, or went away before it had answered."""


class ConnectionRefused(TransportError):
    """Nothing listens at that address."""


class ConnectionSilent(TransportError):
    """It is open, and nothing came for longer than can be."""


class Interrupted(TransportError):
    """We broke the call off ourselves, because we were asked to stop."""


class DecodeError(BtcctlError):
    """Bytes that are not what they must be."""


class ObjectDecodeError(DecodeError):
    """An API object is not JSON, is nested too deep, or lacks what every object has."""


class WatchDecodeError(DecodeError):
    """A line of a watch stream is not a watch event."""


class CacheSyncError(BtcctlError):
    """A cache could not be filled in time; the message names the resource and the cause."""


class NotLeading(BtcctlError):
    """An effect was about to begin although we do not, or no longer, lead: nothing was sent."""


class LeaseLost(BtcctlError):
    """We led, and could not renew our lease in time, or another process has it: the process must end."""


class DeadlineExceeded(BtcctlError):
    """The work under way has had its time: a call was not made, or was given up."""


class CallTimedOut(ConnectionSilent, DeadlineExceeded):
    """A call has had its time, and no whole answer has come, however much of one.

    Who retries on a TransportError retries on this, too. Who only wants to know whether time has run out
    catches DeadlineExceeded, which also comes when the work's deadline (`btcctl.deadline`) is over.
    """


class ComputingFailed(BtcctlError):
    """A process ended while it computed for us, or what it came to cannot be brought back."""


class Refused(BtcctlError):
    """What an admission webhook has against an object: raised or returned by it, said by the API server as `Invalid`.

    Attributes:
        message: What is wrong, for who has sent the object.
        field: Which field is to blame: "spec.replicas"; "" for the object as a whole.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.message = message
        self.field = field


class TerminalError(BtcctlError):
    """Retrying cannot mend this: a reconcile that raises it rests until its object changes."""
