"""Starts the parts of an operator in order, and stops them in reverse."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import Protocol

import structlog

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.controller import Controller
from btcctl.controller.signals import catching_signals
from btcctl.errors import BtcctlError, CacheSyncError
from btcctl.threads import Stop

logger = structlog.get_logger(__name__)

_HEALTH_POLL_SECONDS = 1.0
_LEAST_SECONDS = 1.0  # for each part to stop, even if another has used all the time up


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
        """False once a thread of a controller or an informer has died."""
        informers = getattr(self.factory, "informers", ())
        return all(controller.healthy for controller in self.controllers) and not any(
            isinstance(informer.last_error, CacheSyncError) for informer in informers
        )

    def unsynced(self) -> list[str]:
        """The informers whose caches are not filled yet, and why."""
        informers = getattr(self.factory, "informers", ())
        return [f"{each.name} ({each.why_unsynced()})" for each in informers if not each.has_synced()]

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
            BaseException: What killed a part. Of several, one, with the others as its context.
        """
        self._stop_rest(self._clock.now() + timeout)

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
        if not stop.is_set():
            raise BtcctlError("a part of the manager ended before its time")

    def _stop_rest(self, deadline: float) -> None:
        """The last one first; one that fails does not keep the others from being stopped."""
        if not self._running:
            return
        part = self._running.pop()
        try:
            part.stop(max(_LEAST_SECONDS, deadline - self._clock.now()))
        finally:
            self._stop_rest(deadline)


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
