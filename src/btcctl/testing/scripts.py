"""For tests of what reads a collection, and of what is told of it: sources with a script, handlers that write down.

source = ScriptedListerWatcher(ListPage([a], "1", ""), ScriptedWatch(changed, Gone(410, "Expired", "")))
informer = SharedInformer(source, name="pods")
...
assert source.calls == ["list at '0' limit 500", "watch from '1'"]
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

from btcctl.errors import Interrupted
from btcctl.informers.reflector.list_watch import WatchStream
from btcctl.informers.sharing.notifications import Deleted
from btcctl.objects import ListPage, Object, ObjectKey, WatchEvent
from btcctl.testing.clock import FakeClock
from btcctl.threads import Stop

_REAL_LIMIT_SECONDS = 10.0  # a test that waits in vain fails, it does not hang


class InstantClock(FakeClock):
    """Every wait is over at once, and time is then where it should be: for one thread whose pauses are of interest.

    Attributes:
        waits: How long each was, in seconds.

    Raises:
        AssertionError: In `wait`, if it has no limit: nobody would ever end it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """Write down how long it is, and move the time there."""
        if timeout is None:
            raise AssertionError("a wait without limit: nobody would ever end it")
        self.waits.append(round(timeout, 6))
        self.advance(timeout)
        return False


class Lasting:
    """In the script of a watch: so many seconds pass on the source's clock."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class Together:
    """In the script of a watch: these events come in one read."""

    def __init__(self, *events: WatchEvent) -> None:
        self.events = events


Step: TypeAlias = WatchEvent | Exception | Lasting | Together


class ScriptedWatch:
    """In a script: a watch that sends these events, raises those that are exceptions, and ends."""

    def __init__(self, *steps: Step) -> None:
        self.steps = steps


class ScriptedListerWatcher:
    """A `ListerWatcher` that answers calls from a script and writes them down; at its end it stops the caller.

    Args:
        script: What each call is answered: a page, a watch, or an error that it raises.

    Attributes:
        clock: For the caller: its pauses take no time.
        stop: Set at the script's end.
        calls: What was asked: "list at '0' limit 500", "list after TOKEN", "watch from '7'".
        timeouts: After how many seconds the server was asked to end each watch.
    """

    def __init__(self, *script: ListPage | Exception | ScriptedWatch) -> None:
        self.clock = InstantClock()
        self.stop = Stop(self.clock)
        self.calls: list[str] = []
        self.timeouts: list[int] = []
        self._script = list(script)

    def list_page(self, *, resource_version: str, limit: int, continue_token: str) -> ListPage:
        """The next answer.

        Raises:
            AssertionError: It is none to a list, or a token was sent with a version.
        """
        version = f"after {continue_token}" if continue_token else f"at {resource_version!r}"
        if continue_token and resource_version:
            raise AssertionError("a continue token names its own version")
        call = f"list {version}" + (f" limit {limit}" if limit else "")
        answer = self._answer(call)
        if not isinstance(answer, ListPage):
            raise AssertionError(f"{call}: the script has a watch here")  # noqa: TRY004  the test is wrong
        return answer

    def watch(self, *, resource_version: str, timeout_seconds: int) -> AbstractContextManager[WatchStream]:
        """Likewise, of a watch."""
        return self._stream(f"watch from {resource_version!r}", timeout_seconds)

    def interrupt(self) -> None:
        """Nothing here ever waits."""

    @contextmanager
    def _stream(self, call: str, timeout_seconds: int) -> Iterator[WatchStream]:
        answer = self._answer(call)
        if not isinstance(answer, ScriptedWatch):
            raise AssertionError(f"{call}: the script has a page here")  # noqa: TRY004  likewise
        self.timeouts.append(timeout_seconds)
        yield _Steps(answer.steps, self.clock)

    def _answer(self, call: str) -> ListPage | ScriptedWatch:
        if not self._script:
            self.stop.set()
            raise Interrupted("the script is over")
        self.calls.append(call)
        answer = self._script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class ScriptedStreams(ScriptedListerWatcher):
    """One that can also read what exists as the beginning of a watch (WatchList): "stream at '0'"."""

    def watch_list(self, *, resource_version: str, timeout_seconds: int) -> AbstractContextManager[WatchStream]:
        """As `watch`."""
        return self._stream(f"stream at {resource_version!r}", timeout_seconds)


class RecordingHandler:
    """A handler that writes down what it is told, holds its informer to what that promises, and can be waited for.

    Attributes:
        told: "add NAME VERSION", with " initially" of a first list; "update NAME OLD -> NEW"; "delete NAME", with
            " unseen" of one whose last state is not known.
        known: The objects that it knows of.

    Raises:
        AssertionError: It is told of an addition twice, or of a change from what it has not seen.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()  # guards the two below
        self.told: list[str] = []
        self.known: dict[ObjectKey, Object] = {}

    def on_add(self, obj: Object, in_initial_list: bool) -> None:
        """Note an addition."""
        if obj.key in self.known:
            raise AssertionError(f"{obj.key} added twice")
        self._note(f"add {obj.name} {obj.resource_version}" + (" initially" if in_initial_list else ""), obj)

    def on_update(self, old: Object, new: Object) -> None:
        """Note a change, which begins with what was told last."""
        seen = self.known[new.key]
        if not (seen.uid == old.uid == new.uid and seen.resource_version == old.resource_version):
            raise AssertionError(f"{new.key} changed from what was not told")
        self._note(f"update {new.name} {old.resource_version} -> {new.resource_version}", new)

    def on_delete(self, deleted: Deleted) -> None:
        """Note a deletion."""
        if deleted.last is None:
            raise AssertionError(f"{deleted.key} was deleted without having been known")
        with self._changed:
            del self.known[deleted.key]
            self.told.append(f"delete {deleted.key.name}" + ("" if deleted.final_state_known else " unseen"))
            self._changed.notify_all()

    def wait_until_told(self, count: int) -> list[str]:
        """Wait for so many notifications, ten real seconds at most; return all.

        Raises:
            AssertionError: There are fewer.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.told) >= count, _REAL_LIMIT_SECONDS):
                raise AssertionError(f"told {len(self.told)} times, not {count}: {self.told}")
            return list(self.told)

    def wait_until_knows(self, objects: Mapping[ObjectKey, Object]) -> None:
        """Wait until it knows these objects in these versions, and no others; ten real seconds at most.

        Raises:
            AssertionError: It does not.
        """
        wanted = {each: obj.resource_version for each, obj in objects.items()}
        with self._changed:
            if not self._changed.wait_for(lambda: self.versions() == wanted, _REAL_LIMIT_SECONDS):
                raise AssertionError(f"it knows {self.versions()}, not {wanted}")

    def versions(self) -> dict[ObjectKey, str]:
        """Of what it knows."""
        return {each: obj.resource_version for each, obj in self.known.items()}

    def _note(self, text: str, obj: Object) -> None:
        with self._changed:
            self.known[obj.key] = obj
            self.told.append(text)
            self._changed.notify_all()


class _Steps:
    def __init__(self, steps: tuple[Step, ...], clock: FakeClock) -> None:
        self._steps = list(steps)
        self._clock = clock

    def take(self) -> list[WatchEvent]:
        while self._steps:
            step = self._steps.pop(0)
            if isinstance(step, Exception):
                raise step
            if isinstance(step, Together):
                return list(step.events)
            if isinstance(step, WatchEvent):
                return [step]
            self._clock.advance(step.seconds)
        return []
