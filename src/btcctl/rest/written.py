"""What a thread has written to the API server, for whoever wants to see it come back in a cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from btcctl.objects import Object, ObjectKey
from btcctl.resources import ResourceType


@dataclass(frozen=True, slots=True)
class Written:
    """One write that the server has accepted."""

    type: ResourceType
    key: ObjectKey
    resource_version: str  #: what it made of the object; "" if it was deleted
    may_be_new: bool  #: it may have created the object

    @property
    def is_deletion(self) -> bool:
        return not self.resource_version

    def is_seen_in(self, cached: Object | None) -> bool:
        """Whether a cache with `cached` under the key has seen the write, or something later."""
        if cached is None:
            return not self.may_be_new
        if self.is_deletion:
            return cached.deletion_timestamp is not None
        return _is_at_least(cached.resource_version, self.resource_version)


_log: ContextVar[list[Written] | None] = ContextVar("written", default=None)


@contextmanager
def noting_writes() -> Iterator[list[Written]]:
    """Collect what this thread writes within."""
    written: list[Written] = []
    token = _log.set(written)
    try:
        yield written
    finally:
        _log.reset(token)


def note_write(type_: ResourceType, obj: Object, *, may_be_new: bool = False) -> None:
    """`obj` is what the server answered."""
    log = _log.get()
    if log is None or not obj.resource_version:  # without a version it was a dry run
        return
    # What loses its last finalizer while it is being deleted is gone.
    is_gone = obj.deletion_timestamp is not None and not obj.finalizers
    log.append(Written(type_, obj.key, "" if is_gone else obj.resource_version, may_be_new))


def note_deletion(type_: ResourceType, key: ObjectKey) -> None:
    log = _log.get()
    if log is not None:
        log.append(Written(type_, key, "", may_be_new=False))


def _is_at_least(version: str, wanted: str) -> bool:
    """Since Kubernetes 1.35 versions of one kind are numbers that grow; otherwise only equality says something."""
    if version.isdecimal() and wanted.isdecimal():
        return int(version) >= int(wanted)
    return version == wanted
