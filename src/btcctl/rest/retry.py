"""When a request is sent again because the server said when to come back."""

from __future__ import annotations

import msgspec

from btcctl.backoff import ExponentialBackoff, check_backoff
from btcctl.clock import check_seconds
from btcctl.errors import ApiError

# Refused before it was looked at: by flow control, so nothing has been done.
_NEVER_ACTED_ON = frozenset({429})
# The server, or what stands before it, was not ready; it may have acted all the same.
_MAY_HAVE_ACTED = frozenset({503, 504})


class RetryPolicy(msgspec.Struct, frozen=True):
    """Only answers that carry a Retry-After are retried: all else is the caller's back-off.

    client-go does the same, up to ten times (rest/with_retry.go). A version that is too large is
    the exception: the server has waited for it already.

    Attributes:
        attempts: Requests in all, the first included.
        total_seconds: What all waits together may take; a longer Retry-After is not waited for.
        backoff: Lengthens the waits that the server made too short.
    """

    attempts: int = 5
    total_seconds: float = 30.0
    backoff: ExponentialBackoff = ExponentialBackoff(base=0.1, cap=5.0, jitter=0.5)

    def __post_init__(self) -> None:
        if type(self.attempts) is not int or self.attempts < 1:
            raise ValueError(f"attempts is {self.attempts!r}, must be an int, 1 or more")
        check_seconds("total_seconds", self.total_seconds)
        check_backoff("backoff", self.backoff)

    def delay(self, error: ApiError, *, failures: int, waited: float, idempotent: bool) -> float | None:
        """Seconds to wait before the request is sent again, or None to give up.

        Args:
            error: What the server answered.
            failures: How many answers like this there have been, this one included.
            waited: Seconds waited so far.
            idempotent: Sending it twice does no more than sending it once.
        """
        if error.retry_after is None or failures >= self.attempts or error.is_version_too_large:
            return None
        if error.code not in _NEVER_ACTED_ON and not (idempotent and error.code in _MAY_HAVE_ACTED):
            return None
        delay = max(error.retry_after, self.backoff.delay(failures))
        return delay if waited + delay <= self.total_seconds else None
