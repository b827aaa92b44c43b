"""The only module that creates threads.

A component is written as a blocking `run(stop)`, which a test can call directly. A `Runner`
gives it a thread.
"""

from __future__ import annotations

import contextlib
import errno
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Protocol, Self

from btcctl.clock import SYSTEM_CLOCK, Clock, bounded, ends_at
from btcctl.errors import is_of_program
from btcctl.logging import get_logger

logger = get_logger(__name__)


class Latch:
    """Something that happens once: it can be waited for by an injected clock, and it calls back.

    Args:
        clock: What `wait` measures its timeout with.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._changed = threading.Condition()  # guards the two below
        self._is_set = False
        self._callbacks: list[Callable[[], None]] = []

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        """It has happened. Idempotent. Callbacks run here, once, in the caller's thread; all of them, if one raises."""
        with self._changed:
            self._is_set = True
            callbacks, self._callbacks = self._callbacks, []
            self._changed.notify_all()
        _call_all(iter(callbacks))

    def on_set(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when it happens, or now if it has already.

        It must be quick and must not raise.

        Returns:
            A function that takes the callback back; calling it late or twice does nothing.
        """
        with self._changed:
            if not self._is_set:
                self._callbacks.append(callback)
                return lambda: self._forget(callback)
        callback()
        return lambda: None

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it happens, or for `timeout` seconds; return whether it has.

        Raises:
            ValueError: `timeout` is NaN, and it has not happened.
        """
        deadline = None if timeout is None else ends_at(self._clock, timeout)
        with self._changed:
            while not self._is_set:
                left = None if deadline is None else deadline - self._clock.now()
                if left is not None and left <= 0:
                    break
                self._clock.wait(self._changed, left)
            return self._is_set

    def _forget(self, callback: Callable[[], None]) -> None:
        with self._changed:
            self._callbacks = [each for each in self._callbacks if each is not callback]


def _call_all(callbacks: Iterator[Callable[[], None]]) -> None:
    for callback in callbacks:
        try:
            callback()
        except BaseException as error:  # a daemon's or a service's own: whoever asks them to end has others to ask
            logger.exception("what was to be called at a stop has failed")
            if is_of_program(error):
                _call_all(callbacks)  # those that are left
                raise


class Stop(Latch):
    """Asks loops to end: `set` asks, `wait` is a pause that ends early then, `on_set` breaks off a blocking call."""


class Runner:
    """Owns one thread for one `run(stop)` callable.

    An exception that escapes `run` is kept and raised from `stop()`: a thread must not die
    unnoticed.

    Args:
        name: The thread's name.
        run: Blocks until done or until the Stop it is given is set.
        clock: What the Stop's waits are measured with.
        on_failure: Called in the dying thread with what escaped `run`.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[Stop], None],
        *,
        clock: Clock = SYSTEM_CLOCK,
        on_failure: Callable[[BaseException], None] | None = None,
    ) -> None:
        self.name = name
        self._run = run
        self._stop = Stop(clock)
        self._on_failure = on_failure
        # A daemon, because a resolver that hangs must not keep the process alive.
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Start the thread. A Runner runs once; a second start is a RuntimeError.

        Raises:
            OSError: The system gives no thread, as it may give no descriptor: there are too many, or no memory.
        """
        try:
            self._thread.start()
        except RuntimeError as error:
            if self._thread.ident is not None:
                raise
            raise OSError(errno.EAGAIN, f"no thread can be had for {self.name}: {error}") from error

    def request_stop(self) -> None:
        """Ask `run` to return, without waiting for it."""
        self._stop.set()

    def stop(self, timeout: float = 10.0) -> None:
        """Ask `run` to return and wait for it. Safe to call twice, and before `start`.

        Called from the Runner's own thread it only asks: a thread cannot wait for itself.

        Args:
            timeout: Real seconds to wait.

        Raises:
            TimeoutError: The thread is still alive after `timeout`.
            ValueError: `timeout` is NaN: nothing was asked.
            BaseException: Whatever escaped `run`; raised once.
        """
        timeout = bounded(timeout)
        self._stop.set()
        if self._thread.ident is None or self._thread is threading.current_thread():
            return
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise TimeoutError(f"{self.name} did not stop within {timeout} s")
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _main(self) -> None:
        try:
            self._run(self._stop)
        except BaseException as error:
            self._failure = error
            # What writes the line may raise, too, for example because of the error's own text.
            with contextlib.suppress(BaseException):
                logger.exception("thread stopped unexpectedly", thread=self.name)
            if self._on_failure is not None:
                self._on_failure(error)


class Stopped(Protocol):
    def stop(self, timeout: float) -> None: ...


def stop_all(parts: Iterable[Stopped], deadline: float, clock: Clock) -> None:
    """Stop each part in the time that is left, the last first; one that fails does not keep the others from it.

    Args:
        deadline: By `clock`. Later than that, parts are given 0 seconds.

    Raises:
        BaseException: Of the part that failed last; the failures before are its context.
    """
    with contextlib.ExitStack() as stack:
        for part in parts:
            stack.callback(_stop_by, deadline, clock, part)


def _stop_by(deadline: float, clock: Clock, part: Stopped) -> None:
    part.stop(max(0.0, deadline - clock.now()))


def stack_of(thread: int) -> list[str]:
    """Where a thread is, innermost last: file, line and function of each frame; [] if it has ended.

    Args:
        thread: As `threading.get_ident` has it.
    """
    frame = sys._current_frames().get(thread)  # noqa: SLF001  documented, in spite of its name
    summary = [] if frame is None else traceback.extract_stack(frame)
    return [f"{each.filename}:{each.lineno} {each.name}" for each in summary]
