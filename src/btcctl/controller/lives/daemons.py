"""A function that runs for each object in a thread of its own, as long as the object lives.

A controller looks which objects live, and which daemons run; what differs is started or asked to end. One that raises
begins again with back-off; one that returns has done its work, and is not started again for this object. At a stop, and
when its object goes, a daemon is asked to end by its Stop; a call to the API server that it waits for is broken off
after a moment, as those of reconciles are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias

from btcctl.clock import Clock, ends_at
from btcctl.controller.reconciling.result import Result
from btcctl.deadline import PendingCalls, limited_to
from btcctl.errors import describe_error
from btcctl.informers.clusters import ReadsOne
from btcctl.logging import bind, get_logger
from btcctl.mistakes import check_plain
from btcctl.objects import Object, ObjectKey
from btcctl.threads import Runner, Stop

logger = get_logger(__name__)

#: Called with the key of an object; returns when it is done, or soon after the Stop is set.
Daemon: TypeAlias = Callable[[ObjectKey, Stop], None]

_PATIENCE_SECONDS = 2.0  # with a call that is under way
_LOOK_SECONDS = 0.25


class DaemonRunner(Protocol):
    """What runs a daemon: a Runner, or on the bench what a test steps."""

    def start(self) -> None: ...

    def request_stop(self) -> None: ...

    def stop(self, timeout: float = ...) -> None: ...

    def is_alive(self) -> bool: ...


@dataclass(slots=True)
class _Life:
    """The daemon of one object."""

    uid: str
    runner: DaemonRunner
    calls: PendingCalls
    has_ended: bool = False
    failure: BaseException | None = None


class Daemons:
    """All daemons of one function: the reconcile of a controller, and a service that ends with it.

    Args:
        name: Of the controller: threads are called that and the object's key.
        function: What runs.
        lister: The cache of the objects.

    Attributes:
        runner: Makes what runs a daemon: of its name, and of what it does.
    """

    def __init__(self, name: str, function: Daemon, lister: ReadsOne[Object], clock: Clock) -> None:
        if not callable(function):
            raise TypeError(f"{name}: a daemon must be a function of a key and a Stop, is {function!r}")
        check_plain(f"{name}: a daemon", function, "key", "stop")
        self._name = name
        self._function = function
        self._lister = lister
        self._clock = clock
        self._lock = threading.Lock()  # guards what follows
        self._lives: dict[ObjectKey, _Life] = {}
        self._is_running = False
        self.wake: Callable[[ObjectKey], object] = lambda _: None  #: has a key looked at again
        self.runner: Callable[[str, Callable[[Stop], None]], DaemonRunner] = partial(Runner, clock=clock)

    def start(self) -> None:
        """From now on daemons are started."""
        with self._lock:
            self._is_running = True

    def begin_stop(self, timeout: float = 10.0) -> None:
        """Ask all to end; none is started any more."""
        with self._lock:
            self._is_running = False
            lives = [*self._lives.values()]
        for each in lives:
            each.runner.request_stop()

    def stop(self, timeout: float = 10.0) -> None:
        """Ask all to end, and wait for them. Idempotent.

        Raises:
            TimeoutError: One does not end.
        """
        deadline, patient_until = ends_at(self._clock, timeout), self._clock.now() + min(timeout, _PATIENCE_SECONDS)
        self.begin_stop(timeout)
        with self._lock:
            lives = dict(self._lives)
        for key, each in lives.items():
            while each.runner.is_alive() and self._clock.now() < deadline:
                if self._clock.now() >= patient_until:
                    each.calls.break_off(self._clock.now())
                _joined(each.runner, _LOOK_SECONDS)
            if each.runner.is_alive():
                raise TimeoutError(f"{self._name}: the daemon of {key} does not end")

    def reconcile(self, key: ObjectKey) -> Result:
        """Start or end the daemon of one object.

        Raises:
            BaseException: What it has raised: it begins again with the queue's back-off.
        """
        obj = self._lister.get(key)
        uid = "" if obj is None or obj.deletion_timestamp is not None else obj.uid
        with self._lock:
            life = self._lives.get(key)
            if life is None or (life.has_ended and life.uid != uid):
                self._lives.pop(key, None)
                life = self._begin(key, uid) if uid and self._is_running else None
            elif life.failure is not None:
                del self._lives[key]
        if life is None:
            return Result()
        if life.failure is not None:
            raise life.failure
        if life.uid != uid and not life.has_ended:
            life.runner.request_stop()
            life.calls.break_off(self._clock.now() - _PATIENCE_SECONDS)
            return Result(requeue_after=_LOOK_SECONDS)  # until it has ended; a namesake's begins only then
        return Result()

    def running(self) -> list[ObjectKey]:
        """The objects whose daemons run."""
        with self._lock:
            return sorted(key for key, each in self._lives.items() if not each.has_ended)

    def _begin(self, key: ObjectKey, uid: str) -> _Life:
        life = _Life(uid, self.runner(f"{self._name} {key}", partial(self._run, key)), PendingCalls(self._clock))
        life.runner.start()  # if no thread can be had, there is no life: the next try begins one
        self._lives[key] = life
        return life

    def _run(self, key: ObjectKey, stop: Stop) -> None:
        with self._lock:
            life = self._lives[key]
        bind(controller=self._name, key=str(key))
        try:
            with limited_to(None, self._clock, life.calls):
                self._function(key, stop)
        except BaseException as error:  # foreign code
            if stop.is_set():
                logger.info("a daemon ended", error=describe_error(error))
            else:
                life.failure = error
        with self._lock:
            life.has_ended = True
        self.wake(key)


def _joined(runner: DaemonRunner, seconds: float) -> None:
    try:
        runner.stop(seconds)
    except TimeoutError:
        return
