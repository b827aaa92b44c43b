"""One collection of the store: its objects in order, and its bounded past."""

from __future__ import annotations

import bisect
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from btcctl import codecs
from btcctl.apiserver.storage.conversions import as_served
from btcctl.errors import BtcctlError
from btcctl.objects import ADDED, DELETED, ObjectKey

if TYPE_CHECKING:
    from btcctl.apiserver.storage.watches import Watch

#: Of the objects, as JSON, whose changes one collection remembers: large ones are forgotten sooner.
MAX_HISTORY_BYTES = 64 << 20
Body = Mapping[str, Any]
CollectionId = tuple[str, str]  #: group, plural


class Compacted(BtcctlError):
    """The past that was asked for is forgotten.

    Attributes:
        oldest: The oldest revision that can still be asked for.
    """

    def __init__(self, oldest: int) -> None:
        super().__init__(f"older than {oldest}")
        self.oldest = oldest


class Record:
    """One stored state of an object; neither it nor its body ever changes."""

    __slots__ = ("_derived", "_encoded", "_lines", "body", "revision")

    def __init__(self, body: Body, revision: int) -> None:
        self.body = body
        self.revision = revision
        self._encoded: tuple[str, bytes] | None = None
        self._lines: dict[tuple[str, str], bytes] = {}
        self._derived: dict[int, tuple[object, Record]] = {}

    def derived(self, by: object, make: Callable[[Body], Body]) -> Record:
        """What `make` makes of this state: made once for each `by`, which is known by its identity."""
        found = self._derived.get(id(by))
        if found is None:  # keeping `by` keeps its identity its own
            found = self._derived[id(by)] = (by, Record(make(self.body), self.revision))
        return found[1]

    def raw(self, api_version: str = "") -> bytes:
        """Compact JSON, as served in `api_version` ("" for the stored one)."""
        wanted = api_version or self.body.get("apiVersion", "")
        encoded = self._encoded
        if encoded is None or encoded[0] != wanted:
            encoded = self._encoded = (wanted, codecs.encode(as_served(self.body, wanted)))
        return encoded[1]

    def line(self, type_: str, api_version: str = "") -> bytes:
        """The line of a watch that tells of this state: the same bytes object on every call."""
        found = self._lines.get((type_, api_version))
        if found is None:
            found = self._lines.setdefault((type_, api_version), event_line(type_, self.raw(api_version)))
        return found


class Change(msgspec.Struct, frozen=True):
    """One step from one revision to the next.

    Attributes:
        record: The state after; of a DELETED object the last one, with the deletion's revision.
        previous: The state before; None if ADDED.
        at: Monotonic seconds.
    """

    collection: CollectionId
    type: str
    record: Record
    previous: Record | None
    at: float

    @property
    def revision(self) -> int:
        return self.record.revision


class Collection:
    """Not thread-safe: the Store holds its lock.

    Args:
        history: How many changes to remember.
        compacted: The revision up to which nothing is known.
        begun: The revision up to which there is nothing to watch: its resource was not served then.
    """

    def __init__(self, *, history: int, compacted: int) -> None:
        self.watches: list[Watch] = []
        self.changed = 0  #: the revision of its last change
        self.compacted = compacted
        self.begun = 0
        self._limit = history
        self._past: deque[Change] = deque()
        self._past_bytes = 0  # of their objects, as JSON
        self._records: dict[str, Record] = {}
        self._order: list[str] = []

    def get(self, key: ObjectKey) -> Record | None:
        return self._records.get(path_of(key))

    def put(self, key: ObjectKey, record: Record) -> None:
        self._put(path_of(key), record)

    def _put(self, path: str, record: Record) -> None:
        if path not in self._records:
            bisect.insort(self._order, path)
        self._records[path] = record
        self.changed = max(self.changed, record.revision)

    def apply(self, change: Change) -> None:
        """Take a change over, and remember it."""
        path = _path_in(change.record.body["metadata"])
        if change.type == DELETED:
            del self._records[path]
            del self._order[bisect.bisect_left(self._order, path)]
            self.changed = change.revision
        else:
            self._put(path, change.record)
        self._past.append(change)
        self._past_bytes += len(change.record.raw())
        while len(self._past) > self._limit or (self._past_bytes > MAX_HISTORY_BYTES and len(self._past) > 1):
            self._forget_oldest()

    def forget_before(self, at: float) -> None:
        """Forget the changes made before that monotonic instant."""
        while self._past and self._past[0].at < at:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        change = self._past.popleft()
        self._past_bytes -= len(change.record.raw())
        self.compacted = change.revision

    def records(self, namespace: str) -> list[Record]:
        return _select(self._order, self._records, namespace)

    def records_at(self, revision: int, namespace: str) -> list[Record]:
        """The state right after `revision`, found by undoing what came later.

        Raises:
            Compacted: Too much of that is forgotten.
        """
        records = dict(self._records)
        for change in reversed(self.changes_after(revision)):
            path = _path_in(change.record.body["metadata"])
            if change.previous is None:
                del records[path]
            else:
                records[path] = change.previous
        return _select(sorted(records), records, namespace)

    def changes_after(self, revision: int) -> list[Change]:
        """
        Raises:
            Compacted: Some of them are forgotten.
        """
        if revision < self.compacted:
            raise Compacted(self.compacted)
        past = self._past
        if not past or past[-1].revision <= revision:
            return []
        return [change for change in past if change.revision > revision]


def event_line(type_: str, encoded: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (type_.encode(), encoded)


def path_of(key: ObjectKey) -> str:
    """What collections are sorted by: etcd sorts whole paths, so `a-b/x` comes before `a/x`."""
    return f"{key.namespace}/{key.name}" if key.namespace else key.name


def _path_in(metadata: Mapping[str, Any]) -> str:
    namespace, name = metadata.get("namespace"), metadata["name"]
    return f"{namespace}/{name}" if namespace else name


def _select(order: list[str], records: Mapping[str, Record], namespace: str) -> list[Record]:
    if not namespace:
        return [records[path] for path in order]
    start = bisect.bisect_left(order, f"{namespace}/")
    end = bisect.bisect_left(order, f"{namespace}0")  # "0" is the character after "/"
    return [records[path] for path in order[start:end]]


def with_version(body: Body, revision: int) -> dict[str, Any]:
    """The same body under another resourceVersion; shares everything else."""
    return {**body, "metadata": {**body["metadata"], "resourceVersion": str(revision)}}


def matching_type(*, before: bool, after: bool) -> str | None:
    """The event somebody sees who only looks at matching objects; None for none."""
    if after:
        return "MODIFIED" if before else ADDED
    return DELETED if before else None
