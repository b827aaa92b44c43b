"""Who we say we are: the Authorization header, and where a fresh one comes from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.deadline import limited_to
from btcctl.errors import BtcctlError, ConfigError, TransportError, describe_error, is_of_program
from btcctl.logging import get_logger
from btcctl.named_files import read_file, shown_name
from btcctl.secret import Secret, hiding_frames

logger = get_logger(__name__)

# client-go's cachingTokenSource re-reads a token file once a minute (transport/token_source.go).
TOKEN_PERIOD_SECONDS = 60.0


class Credentials(Protocol):
    """Asked before each request. Thread-safe.

    What it waits for is limited by `btcctl.deadline`; what it raises is the failure of that request. One that never
    waits, and raises nothing but ours, may say so by an attribute `may_wait` that is False: the question is a little
    cheaper then.
    """

    def authorization(self) -> str:
        """The value of the Authorization header; "" to send none."""

    def rejected(self, authorization: str) -> bool:
        """Told that the server answered 401 to `authorization`.

        Returns:
            True if `authorization()` has something else to offer now, worth one more try.
        """


def authorization_within(credentials: Credentials, seconds: float, clock: Clock) -> str:
    """The header, if it can be had in so many seconds.

    Raises:
        DeadlineExceeded: It cannot.
        TransportError: Credentials of the program's own have raised something.
    """
    if not getattr(credentials, "may_wait", True):
        return credentials.authorization()
    with _asked_for(seconds, clock):
        return credentials.authorization()


def rejected_within(credentials: Credentials, authorization: str, seconds: float, clock: Clock) -> bool:
    """Tell that it was refused; whether there is something else to offer, if that is known in so many seconds.

    Raises:
        DeadlineExceeded: It is not.
        TransportError: Credentials of the program's own have raised something.
    """
    with _asked_for(seconds, clock):
        return bool(credentials.rejected(authorization))


@contextmanager
def _asked_for(seconds: float, clock: Clock) -> Iterator[None]:
    """What is raised in it is ours: an informer, and whoever else calls, waits and tries again."""
    try:
        with limited_to(seconds, clock):
            yield
    except BtcctlError:
        raise
    except BaseException as error:  # foreign code
        if is_of_program(error):
            raise
        raise TransportError(f"no credentials are to be had: {describe_error(error)}") from error


@dataclass(frozen=True, slots=True)
class StaticCredentials:
    """The same header for ever, or none."""

    may_wait: ClassVar[bool] = False
    value: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", Secret(self.value))

    @classmethod
    def bearer(cls, token: str) -> StaticCredentials:
        return cls(checked_header(Secret(f"Bearer {token}"), "the token"))

    def authorization(self) -> str:
        return self.value

    def rejected(self, authorization: str) -> bool:
        return self.value != authorization  # refused was what there was before us


def checked_header(value: Secret, what: str) -> Secret:
    """Return `value` if a header can carry it.

    Raises:
        ConfigError: It cannot; names `what` and not the value, which is secret.
    """
    if not value.isascii() or not value.isprintable():
        raise ConfigError(f"{what} contains characters that no HTTP header may have")
    return value


class _Reading(NamedTuple):
    header: Secret
    read_at: float


class TokenFile:
    """A bearer token in a file that another process rotates.

    Read at most once a minute, and after a 401. If it cannot be read, the last token serves on.

    Args:
        path: The file.
        hint: What a person can do if it is missing, for the error message.
        fallback: The token until it could be read; "" if it must be there from the start.
    """

    may_wait = False

    def __init__(self, path: Path, *, hint: str = "", fallback: str = "", clock: Clock = SYSTEM_CLOCK) -> None:
        self._path = path
        self._fallback = Secret(fallback)
        self._hint = hint
        self._clock = clock
        # Replaced as a whole and never changed, so that no lock is held while a file is read.
        self._last: _Reading | None = None

    def authorization(self) -> str:
        """The header.

        Raises:
            ConfigError: There never was a token to be read.
        """
        last = self._last
        if last is None or self._clock.now() - last.read_at >= TOKEN_PERIOD_SECONDS:
            last = self._refresh(last)
        return last.header

    def rejected(self, authorization: str) -> bool:
        self._refresh(self._last)
        return self.authorization() != authorization

    def _refresh(self, last: _Reading | None) -> _Reading:
        try:
            header = self._read()
        except ConfigError as error:
            if last is None and not self._fallback:
                raise
            logger.warning("token cannot be read again, keeping the last one", error=str(error))
            header = checked_header(Secret(f"Bearer {self._fallback}"), "the token") if last is None else last.header
        self._last = reading = _Reading(header, self._clock.now())
        return reading

    @hiding_frames
    def _read(self) -> Secret:
        hint = f"; {self._hint}" if self._hint else ""
        try:
            token = Secret(read_file(self._path).decode().strip())
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not text"
            raise ConfigError(f"token file {shown_name(self._path)}: {reason}{hint}") from error
        if not token:
            raise ConfigError(f"token file {self._path} is empty{hint}")
        return checked_header(Secret(f"Bearer {token}"), f"token file {self._path}")
