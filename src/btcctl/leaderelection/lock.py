"""What an elector holds."""

from __future__ import annotations

from typing import Protocol

from btcctl.leaderelection.record import LeaseRecord
from btcctl.objects import ObjectKey


class Lock(Protocol):
    """`btcctl.leaderelection.lease_lock.LeaseLock` fits. Timeouts are seconds."""

    key: ObjectKey

    def get(self, timeout: float) -> LeaseRecord | None: ...

    def create(self, record: LeaseRecord, timeout: float) -> None: ...

    def update(self, record: LeaseRecord, timeout: float) -> None: ...
