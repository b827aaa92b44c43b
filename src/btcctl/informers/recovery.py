"""What a reflector does about an error. Pure."""

from __future__ import annotations

from btcctl.backoff import ExponentialBackoff
from btcctl.errors import (
    ApiError,
    BtcctlError,
    Forbidden,
    ServerTimeout,
    ServiceUnavailable,
    TooManyRequests,
    TransportError,
    Unauthorized,
)

# client-go tools/cache/reflector.go
RELIST_BACKOFF = ExponentialBackoff(base=0.8, cap=30.0, factor=2.0, jitter=1.0)
QUIET_SECONDS = 120.0
MAX_RETRY_AFTER_SECONDS = 600.0  # no answer may silence an informer for longer

# They say nothing about our version: it is still the one to watch from.
_VERSION_STILL_GOOD = (
    TransportError,
    TooManyRequests,
    ServiceUnavailable,
    ServerTimeout,
    Unauthorized,
    Forbidden,
)


def is_expired(error: BtcctlError) -> bool:
    """The version or continue token is older than what the server remembers."""
    return isinstance(error, ApiError) and (error.code == 410 or error.reason in {"Expired", "Gone"})


def is_too_large(error: BtcctlError) -> bool:
    """The version is newer than anything the server has: it lags, or was restored from a backup."""
    return isinstance(error, ApiError) and error.is_version_too_large


def is_refused_version(error: BtcctlError) -> bool:
    """Nothing but the latest can be had."""
    return is_expired(error) or is_too_large(error)


def says_nothing_of_version(error: BtcctlError) -> bool:
    """The same request may be answered later."""
    if isinstance(error, ApiError) and error.code == 502:  # of a proxy on the way
        return True
    return isinstance(error, _VERSION_STILL_GOOD) and not is_too_large(error)


def relist_reason(error: BtcctlError) -> str | None:
    """Why a failed watch makes a list necessary, or None: watch again from the same version."""
    if is_expired(error):
        return "expired"
    if is_too_large(error):
        return "too_large"
    return None if says_nothing_of_version(error) else "error"


class RetryDelays:
    """How long to wait after each failure.

    Args:
        backoff: The delays after failures in a row.
        quiet_seconds: Time without a failure after which the next counts as the first.
    """

    def __init__(self, backoff: ExponentialBackoff = RELIST_BACKOFF, *, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._backoff = backoff
        self._quiet_seconds = quiet_seconds
        self._failures = 0
        self._waited_until = 0.0

    def after(self, error: BtcctlError, now: float) -> float:
        """Seconds to wait, not less than what the server asked for.

        Args:
            now: Monotonic seconds.
        """
        if now - self._waited_until > self._quiet_seconds:
            self._failures = 0
        self._failures += 1
        delay = max(self._backoff.delay(self._failures), _retry_after(error))
        self._waited_until = now + delay
        return delay


def _retry_after(error: BtcctlError) -> float:
    asked = error.retry_after if isinstance(error, ApiError) else None
    return min(asked or 0.0, MAX_RETRY_AFTER_SECONDS)
