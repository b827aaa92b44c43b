"""Plays a scene over and over, and does something to it at another place each time: at every line that it passes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType, ModuleType
from typing import Any

from btcctl.threads import Runner
from tests.properties import EFFORT

_STUCK_SECONDS = 0.05  # an act that takes longer waits for a lock of the thread that is held up
_REAL_LIMIT_SECONDS = 60.0  # a broken test fails, it does not hang

#: thread, file and line, and how often the thread has passed it before in this play
Place = tuple[str, str, int]


@dataclass
class Sweep:
    """All places in some modules, one per play.

    Args:
        modules: Whose lines count.
        passes: How many passes of a line by a thread are places of their own.
        is_alone: The scene has one thread. What is done is done in it, so that it is over when that goes on.
    """

    modules: tuple[ModuleType, ...]
    passes: int = EFFORT
    is_alone: bool = False
    places: set[Place] = field(default_factory=set)  #: where something was done so far
    _files: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._files = {str(each.__file__): each.__name__.rpartition(".")[2] for each in self.modules}

    def play(self, scene: Callable[[], None], act: Callable[[], None]) -> Place | None:
        """Play `scene` once, and hold up the first thread that comes to a new place while `act` is done.

        Threads that the scene starts are watched like the one that plays it.

        Returns:
            The place; None if there was no new one.
        """
        one = _Play(self, act)
        before = sys.gettrace()
        threading.settrace(one.trace)
        sys.settrace(one.trace)
        try:
            scene()
        finally:
            sys.settrace(before)
            threading.settrace(before)  # type: ignore[arg-type]  # None is what there was
            one.end()
        return one.place

    def name(self, frame: FrameType) -> str | None:
        return self._files.get(frame.f_code.co_filename)


class _Play:
    def __init__(self, sweep: Sweep, act: Callable[[], None]) -> None:
        self.place: Place | None = None
        self._sweep = sweep
        self._lock = threading.Lock()  # guards the counts, and who acts
        self._passed: dict[tuple[str, str], int] = {}
        self._act = act
        self._actor = Runner("actor", lambda _: act())
        self._is_over = False

    def trace(self, frame: FrameType, event: str, arg: Any) -> Any:
        if self.place is not None or self._is_over:
            return None
        if event == "line":
            self._pass(frame)
        return self.trace if self._sweep.name(frame) else None

    def end(self) -> None:
        """A thread that outlives the scene is no place."""
        self._is_over = True
        if self.place is not None and not self._sweep.is_alone:
            self._actor.stop(_REAL_LIMIT_SECONDS)

    def _pass(self, frame: FrameType) -> None:
        thread = threading.current_thread().name.rstrip("0123456789")  # some threads are numbered through
        line = f"{self._sweep.name(frame)}:{frame.f_lineno} {frame.f_code.co_name}"
        with self._lock:
            number = self._passed[thread, line] = self._passed.get((thread, line), -1) + 1
            place = (thread, line, number)
            if self.place is not None or number >= self._sweep.passes or place in self._sweep.places:
                return
            self.place = place
        self._sweep.places.add(place)
        if self._sweep.is_alone:
            self._act()
            return
        self._actor.start()
        with suppress(TimeoutError):  # it goes on as soon as this thread has let go of a lock
            self._actor.stop(_STUCK_SECONDS)


def sweep(
    modules: tuple[ModuleType, ...],
    scene: Callable[[], Any],
    *,
    passes: int = EFFORT,
    is_alone: bool = False,
    least: int,
) -> None:
    """Play `scene()` until no place is left.

    Args:
        scene: Makes a new one each time: it has `play`, `act` and `check`, which is told the place.
        passes, is_alone: As of `Sweep`.
        least: So many places there are at least, or the test would prove little.
    """
    all_ = Sweep(modules, passes, is_alone)
    place: Place | None = ("", "", 0)
    while place is not None:
        one = scene()
        place = all_.play(one.play, one.act)
        one.check(place)
    assert len(all_.places) >= least
