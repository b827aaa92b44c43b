"""What an error means for a reflector, and how long it waits after one. Pure."""

from __future__ import annotations

from btcctl.backoff import ExponentialBackoff
from btcctl.errors import (
    MAX_RETRY_AFTER_SECONDS,
    ApiError,
    BtcctlError,
    ConnectionRefused,
    Forbidden,
    ServerTimeout,
    ServiceUnavailable,
    TooManyRequests,
    TransportError,
    Unauthorized,
)
from btcctl.informers.options import RELIST_BACKOFF, UNREACHABLE_BACKOFF

# They say nothing about our version: it is still the one to watch from.
_LEAVES_VERSION_VALID = (
    TransportError,
    TooManyRequests,
    ServiceUnavailable,
    ServerTimeout,
    Unauthorized,
    Forbidden,
)
_MAY_ASK_TO_WAIT = frozenset({429, 503})
# Said by, or of, a server that is not there just now; or of a credential, which may be renewed at any moment.
_MAY_BE_BACK_SOON = frozenset({401, 502, 503, 504})
_MAY_PASS = frozenset({408, 410, 425, 429})  # of all 4xx, those that are not meant for good


class EndedAtOnce(TransportError):
    """The server took a watch, and ended it before it could be of use."""


def is_expired(error: BtcctlError) -> bool:
    """The version or continue token is older than what the server remembers."""
    return isinstance(error, ApiError) and (error.code == 410 or error.reason in {"Expired", "Gone"})


def is_too_large(error: BtcctlError) -> bool:
    """The version is newer than anything the server has: it lags, or was restored from a backup."""
    return isinstance(error, ApiError) and error.is_version_too_large


def is_refused_version(error: BtcctlError) -> bool:
    """Nothing but the latest can be had."""
    return is_expired(error) or is_too_large(error)


def is_unreachable(error: BtcctlError) -> bool:
    """There was no answer, or it broke off."""
    return isinstance(error, TransportError) and not isinstance(error, EndedAtOnce)


def is_refusal_for_good(error: BtcctlError) -> bool:
    """The server means it: asking again for the same is likely to be answered the same."""
    if not isinstance(error, ApiError) or is_refused_version(error):
        return False
    return (400 <= error.code < 500 and error.code not in _MAY_PASS) or error.code == 501


def leaves_version_valid(error: BtcctlError) -> bool:
    """The same request may be answered later."""
    if isinstance(error, ApiError) and error.code == 502:  # of a proxy on the way
        return True
    return isinstance(error, _LEAVES_VERSION_VALID) and not is_too_large(error)


def relist_reason(error: BtcctlError) -> str:
    """Why a failed watch makes a list necessary, or "": watch again from the same version."""
    if is_expired(error):
        return "expired"
    if is_too_large(error):
        return "too_large"
    return "" if leaves_version_valid(error) else "error"


def has_cost_the_server(error: BtcctlError) -> bool:
    """Whether a list that failed like this may have been worked for: it was not refused at the door."""
    return not isinstance(error, (ApiError, ConnectionRefused))


class RetryDelays:
    """How long to wait after each failure. A server that is away and one that refuses are counted apart.

    Args:
        backoff: The delays after answers that were failures, in a row.
        unreachable: The delays after no answer at all, in a row.
    """

    def __init__(
        self,
        backoff: ExponentialBackoff = RELIST_BACKOFF,
        unreachable: ExponentialBackoff = UNREACHABLE_BACKOFF,
    ) -> None:
        self._backoff = backoff
        self._unreachable = unreachable
        self._refused = 0
        self._away = 0

    def succeeded(self) -> None:
        """The next failure counts as the first."""
        self._refused = self._away = 0

    def after(self, error: BtcctlError) -> float:
        """Count a failure; return the seconds to wait, not less than what the server asked for."""
        if is_unreachable(error):
            self._away += 1
            return self._unreachable.delay(self._away)
        self._refused += 1
        delay = self._backoff.delay(self._refused)
        if isinstance(error, ApiError) and error.code in _MAY_BE_BACK_SOON:
            longest = self._unreachable.cap * (1 + self._unreachable.jitter)
            delay = min(delay, longest)
        return max(delay, _retry_after(error))


def _retry_after(error: BtcctlError) -> float:
    if not isinstance(error, ApiError) or error.code not in _MAY_ASK_TO_WAIT:
        return 0.0
    return min(error.retry_after or 0.0, MAX_RETRY_AFTER_SECONDS)
