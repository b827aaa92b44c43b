"""Failed attempts to take or renew a lease: said aloud without a flood, and shown to a readiness check."""

from __future__ import annotations

import msgspec

from btcctl.clock import Clock
from btcctl.errors import Forbidden, describe_error
from btcctl.logging import get_logger
from btcctl.objects import ObjectKey

logger = get_logger(__name__)

AGAIN_SECONDS = 60.0  # a cause that lasts is said again as often
_MAX_CAUSES = 32  # whose texts are remembered: some texts never come twice


class _Failing(msgspec.Struct, frozen=True):
    """Replaced as a whole: readiness checks ask from other threads."""

    text: str
    since: float
    is_refused: bool


class Failures:
    """Of one candidate, since the last attempt that went well.

    Args:
        key: The lease.
        clock: The elector's.
        patience_seconds: For how long failures are not reported: a server may be restarting.
    """

    def __init__(self, key: ObjectKey, clock: Clock, patience_seconds: float) -> None:
        self._key = key
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._failing: _Failing | None = None
        self._said_at: dict[str, float] = {}

    @property
    def last(self) -> str:
        """The newest, "" if the last attempt went well."""
        return "" if self._failing is None else self._failing.text

    def note(self, error: Exception) -> None:
        """An attempt, or a part of one, has failed. A warning, once a minute for each cause."""
        now = self._clock.now()
        text = describe_error(error)
        is_refused = isinstance(error, Forbidden)
        if is_refused:
            text = f"{text}; grant get, create and update on leases (coordination.k8s.io) in {self._key.namespace}"
        since = now if self._failing is None else self._failing.since
        self._failing = _Failing(text, since, is_refused)
        said_at = self._said_at.get(text)
        is_due = said_at is None or now - said_at >= AGAIN_SECONDS
        if is_due:
            if len(self._said_at) >= _MAX_CAUSES:
                self._said_at.clear()
            self._said_at[text] = now
        log = logger.warning if is_due else logger.debug
        log("lease not taken or renewed", lease=str(self._key), error=text)

    def clear(self) -> None:
        """An attempt went well."""
        self._failing = None
        self._said_at.clear()

    def why_unready(self) -> str:
        """What keeps us from taking part, "" if nothing does or it has not lasted yet."""
        failing = self._failing
        if failing is None:
            return ""
        seconds = self._clock.now() - failing.since
        if not failing.is_refused and seconds < self._patience_seconds:
            return ""
        return f"lease {self._key}: no attempt has succeeded for {seconds:.0f} s: {failing.text}"
