"""Starts the parts of an operator in order, and stops them in reverse."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import structlog

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.controller import Controller
from btcctl.threads import Runner, Stop

logger = structlog.get_logger(__name__)

_HEALTH_POLL_SECONDS = 1.0
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Service(Protocol):
    """Anything with threads of its own: an informer factory, an event recorder."""

    def start(self) -> None: ...

    def stop(self, timeout: float = ...) -> None: ...


class Manager:
    """An informer factory, controllers on it, and whatever else runs beside them.

    Args:
        factory: Started first, stopped last.
        controllers: Started once everything else is.
        recorder: An event recorder: its last events are sent after the controllers have ended.
        services: Further parts, started before the controllers.
        clock: What deadlines are measured with.
    """

    def __init__(
        self,
        factory: Service,
        controllers: Sequence[Controller],
        *,
        recorder: Service | None = None,
        services: Sequence[Service] = (),
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.factory = factory
        self.controllers = list(controllers)
        self.recorder = recorder
        self._clock = clock
        self._parts: list[Service] = [factory, *([] if recorder is None else [recorder]), *services, *self.controllers]
        self._running: list[Service] = []
        self._ended = Stop(clock)  # asked to stop, or something died
        for controller in self.controllers:
            controller.on_failure = lambda _: self._ended.set()

    @property
    def healthy(self) -> bool:
        """False once a thread has died."""
        return all(getattr(part, "healthy", True) for part in self._parts)

    def start(self) -> None:
        """Start caches, then recorder and services, then controllers. Idempotent.

        Returns at once: the controllers wait for the caches in threads of their own.
        """
        if self._running:
            return
        for part in self._parts:
            self._running.append(part)
            part.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Drain the controllers, send the last events, end the informers. Idempotent.

        Args:
            timeout: Seconds for all of it together.

        Raises:
            BaseException: The first failure of a part; the others are logged.
        """
        deadline = self._clock.now() + timeout
        failures: list[BaseException] = []
        while self._running:
            part = self._running.pop()
            try:
                part.stop(max(0.0, deadline - self._clock.now()))
            except BaseException as error:
                failures.append(error)
        for other in failures[1:]:
            logger.error("a part failed", error=f"{type(other).__name__}: {other}")
        if failures:
            raise failures[0]

    def run(self, stop: Stop, grace_seconds: float = 30.0) -> None:
        """Start, wait until `stop` is set or a part dies, stop.

        Args:
            stop: Asks to end.
            grace_seconds: How long stopping may take.

        Raises:
            BaseException: What killed a part.
        """
        unlink = stop.on_set(self._ended.set)
        try:
            self.start()
            while not self._ended.wait(_HEALTH_POLL_SECONDS) and self.healthy:
                pass
        finally:
            unlink()
            self.stop(grace_seconds)


def run_until_signal(manager: Manager, grace_seconds: float = 30.0) -> None:
    """Run until the first SIGTERM or SIGINT, drain, return. A second one exits at once.

    The exit status of the second is 128 + the signal's number: 143 or 130. Only for the main
    thread. The signal handlers are put back.

    Args:
        manager: What to run.
        grace_seconds: How long draining may take.

    Raises:
        RuntimeError: Not called in the main thread.
        BaseException: What killed a part of the manager.
    """
    stop = Stop()
    with catching_signals(lambda number: _on_signal(number, stop)):
        manager.run(stop, grace_seconds)


def _on_signal(number: int, stop: Stop) -> None:
    name = signal.Signals(number).name
    if stop.is_set():
        logger.error("second signal: exiting at once", signal=name)
        os._exit(128 + number)
    logger.info("stopping; a second signal exits at once", signal=name)
    stop.set()


@contextlib.contextmanager
def catching_signals(handle: Callable[[int], None], signals: Sequence[signal.Signals] = SIGNALS) -> Iterator[None]:
    """Call `handle` in a thread of its own for each signal that arrives while in the block.

    The interpreter writes the signal's number to a socket the moment it arrives, whatever the
    main thread is doing: nothing can be missed between a check and a wait.

    Raises:
        RuntimeError: Not called in the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("signals can only be caught in the main thread")
    inbox, outbox = socket.socketpair()
    outbox.setblocking(False)
    reader = Runner("signals", lambda stop: _read_signals(inbox, handle, {int(each) for each in signals}))
    with inbox, outbox:
        previous_fd = signal.set_wakeup_fd(outbox.fileno(), warn_on_full_buffer=False)
        previous = {each: signal.signal(each, lambda *_: None) for each in signals}
        try:
            reader.start()
            yield
        finally:
            for each, handler in previous.items():
                signal.signal(each, signal.SIG_DFL if handler is None else handler)
            signal.set_wakeup_fd(previous_fd)
            outbox.shutdown(socket.SHUT_RDWR)
            reader.stop()


def _read_signals(inbox: socket.socket, handle: Callable[[int], None], wanted: set[int]) -> None:
    """Ends when the other end is shut down."""
    while data := inbox.recv(64):
        for number in data:
            if number in wanted:
                handle(number)
