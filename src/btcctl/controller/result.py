"""What a reconcile asks for next."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a reconcile that did not fail.

    To be tried again with back-off, raise; to be left alone until the next change although
    something is wrong, raise TerminalError.

    Attributes:
        requeue_after: Seconds after which to reconcile again even if nothing changes, or None.
    """

    requeue_after: float | None = None

    def __post_init__(self) -> None:
        if self.requeue_after is not None and not self.requeue_after >= 0:
            raise ValueError(f"requeue_after is {self.requeue_after}, must be 0 or more seconds")
