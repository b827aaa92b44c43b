"""The phases of a reflector, what can happen in them, and what is to be done about it: values only.

The phase says which request comes next. What came of that request is an event. `transitions.step` makes of a phase and
an event the next phase and its effects. All instants are monotonic seconds.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from btcctl.errors import BtcctlError, ObjectDecodeError, TooManyRequests, Unauthorized
from btcctl.informers.reflector.listing import ANY, LATEST, IncompleteList, NotStreamed, Snapshot
from btcctl.informers.reflector.recovery import (
    is_refusal_for_good,
    is_refused_version,
    is_unreachable,
    leaves_version_valid,
)

NEVER = float("-inf")
MAX_INCOMPLETE_LISTS = 2  #: streamed lists in a row that ended too early; then pages are read
#: So often in a row no watch may be had, for a reason that is meant for good, before lists are read in pages instead.
MAX_REFUSALS_FOR_GOOD = 2
MAX_REFUSALS = 4  #: the same for all other reasons, and only after ReflectorOptions.fallback_seconds


class Position(msgspec.Struct, frozen=True):
    """The version that has been read up to, and whether the server still knows it."""

    version: str = ANY
    is_refused: bool = False

    @property
    def is_ordered(self) -> bool:
        """Whether there is a version to resume a watch from."""
        return self.version not in {LATEST, ANY}

    @property
    def to_list_from(self) -> str:
        return LATEST if self.is_refused else self.version

    @property
    def to_stream_from(self) -> str:
        return LATEST if self.is_refused or not self.is_ordered else self.version


class StreamingPolicy(msgspec.Struct, frozen=True):
    """Whether lists are streamed.

    Attributes:
        supported: The source can do it.
        paged_until: It is not tried before.
        failures: Streamed lists in a row that may yet succeed.
    """

    supported: bool = False
    paged_until: float = NEVER
    failures: int = 0

    def allows(self, now: float) -> bool:
        return self.supported and now >= self.paged_until

    def after_failure(self, error: BtcctlError, now: float, paged_seconds: float) -> StreamingPolicy:
        """The same if it is to be tried again, else one that reads pages for `paged_seconds`."""
        if is_refused_version(error) or is_unreachable(error) or isinstance(error, TooManyRequests):
            return self
        failures = self.failures + 1
        if failures < _most_failures(error):
            return replace(self, failures=failures)
        return replace(self, failures=0, paged_until=now + paged_seconds)


def _most_failures(error: BtcctlError) -> int:
    """How often in a row a streamed list may fail like this before pages are read."""
    if isinstance(error, NotStreamed):
        return 1
    if isinstance(error, IncompleteList):
        return MAX_INCOMPLETE_LISTS
    if leaves_version_valid(error):
        return MAX_REFUSALS_FOR_GOOD if is_refusal_for_good(error) else MAX_REFUSALS
    return 1


class Refusals(msgspec.Struct, frozen=True):
    """How a server that answers has failed to give a watch, since it last gave one that was of use.

    Attributes:
        count: How often, in a row.
        first_at: Since when.
        error: The last one.
        patience: How many times as often it has to happen before lists are polled: more where lists are refused, too.
        are_of_watches: Though lists are answered, with the same credential.
    """

    count: int = 0
    first_at: float = 0.0
    error: BtcctlError | None = None
    patience: int = 1
    are_of_watches: bool = False

    @property
    def may_be_over(self) -> bool:
        """Whether it was the credential that was refused, which a list that is answered shows to be good again."""
        return isinstance(self.error, Unauthorized) and not self.are_of_watches

    def and_one_more(self, error: BtcctlError, now: float) -> Refusals:
        return replace(self, count=self.count + 1, first_at=self.first_at if self.count else now, error=error)

    def are_for_good(self, now: float, fallback_seconds: float) -> bool:
        """Whether to stop waiting for a watch."""
        if self.error is None:
            return False
        if is_refusal_for_good(self.error) and self.count >= MAX_REFUSALS_FOR_GOOD * self.patience:
            return True
        return self.count >= MAX_REFUSALS * self.patience and now - self.first_at >= fallback_seconds


class Memory(msgspec.Struct, frozen=True):
    """What goes from phase to phase.

    Attributes:
        listed_at: When the last list that has cost the server something was begun.
    """

    position: Position = Position()
    streaming: StreamingPolicy = StreamingPolicy()
    refusals: Refusals = Refusals()
    listed_at: float = NEVER


class Listing(msgspec.Struct, frozen=True):
    """Next, the collection is read in pages."""

    memory: Memory


class StreamingList(msgspec.Struct, frozen=True):
    """Next, the collection is read as the beginning of a watch; once it is read, the phase is Watching."""

    memory: Memory


class Watching(msgspec.Struct, frozen=True):
    """Next, or already, changes are followed.

    Attributes:
        relist: Why a list follows, however the watch ends; "" if it need not.
        suspect: After this version came something that could not be read.
        silent: After this version a whole stream was silent, for half a minute at least.
        short: Streams in a row that ended at once although something came.
    """

    memory: Memory
    relist: str = ""
    suspect: str | None = None
    silent: str | None = None
    short: int = 0

    @property
    def is_suspect(self) -> bool:
        """Whether what comes next could not be read before."""
        return self.suspect is not None and self.suspect == self.memory.position.version

    @property
    def is_brief(self) -> bool:
        """Whether the watch is to end soon, for a list may be needed."""
        return self.relist == "skipped" or self.is_suspect


class Checking(msgspec.Struct, frozen=True):
    """Next, the server is asked whether it knows our version: two streams in a row were silent.

    A server that does not send bookmarks may rightly be; one that was restored from a backup, and is behind, is, too.
    """

    memory: Memory


class Polling(msgspec.Struct, frozen=True):
    """Next, the collection is read in pages because no watch can be had.

    Attributes:
        watch_at: When a watch is tried again.
        has_listed: Lists are not refused as well.
    """

    memory: Memory
    watch_at: float
    has_listed: bool = False


Phase: TypeAlias = Listing | StreamingList | Watching | Checking | Polling


class Listed(msgspec.Struct, frozen=True):
    """The collection was read, or all of it that there was when a stream began."""

    snapshot: Snapshot
    began_at: float
    at: float


class Checked(msgspec.Struct, frozen=True):
    """The server knows our version."""


class Received(msgspec.Struct, frozen=True):
    """The first event, or bookmark, of a stream."""


class Unreadable(msgspec.Struct, frozen=True):
    """An event came whose object cannot be read, for the second time: it is left out, and the stream goes on."""

    error: ObjectDecodeError


class Ended(msgspec.Struct, frozen=True):
    """A watch has ended, or could not be had.

    Attributes:
        version: What has been stored up to.
        lasted: Seconds that it was open; None if the server did not open it.
        received: Anything had come.
        error: Why; None if it ended in good order.
    """

    at: float
    version: str
    lasted: float | None = None
    received: bool = False
    error: BtcctlError | None = None


class Failed(msgspec.Struct, frozen=True):
    """Any other request has failed."""

    error: BtcctlError
    began_at: float
    at: float


Event: TypeAlias = Listed | Checked | Received | Unreadable | Ended | Failed


class Replace(msgspec.Struct, frozen=True):
    """Store this as the whole collection."""

    snapshot: Snapshot


class CountRelist(msgspec.Struct, frozen=True):
    """A list has become necessary, for this reason."""

    reason: str


class ResetBackoff(msgspec.Struct, frozen=True):
    """The next failure is the first."""


class BackOff(msgspec.Struct, frozen=True):
    """Wait as long as one does after this error, and those before it."""

    error: BtcctlError


class Pause(msgspec.Struct, frozen=True):
    """Wait for a random time between these, in seconds."""

    least: float
    most: float


class NotBefore(msgspec.Struct, frozen=True):
    """Wait until this instant."""

    instant: float


class Say(msgspec.Struct, frozen=True):
    """Worth a line in the log."""

    text: str
    error: BtcctlError


Effect: TypeAlias = Replace | CountRelist | ResetBackoff | BackOff | Pause | NotBefore | Say
