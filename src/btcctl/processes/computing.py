"""Functions that compute for long, called in other processes: Python runs one thread at a time in each.

Each process works at one call at a time. It is started when it is first needed, and ends when the pipe to us closes,
however we end; one whose call has had its time is killed, which is the one way to end what computes.

Pickled are the function (by its name: it stands in a module), what it is given and what it returns or raises.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar, cast

from btcctl.deadline import pending_calls, time_left
from btcctl.errors import ComputingFailed, DeadlineExceeded
from btcctl.processes.pickling import answer, pickled, result, unpickled

T = TypeVar("T")

_FOREVER = 1_000_000.0
#: By how much they give way: where processors are few, what is computed would hold up threads that only have to react,
#: the Lease's among them. Among equals it costs nothing.
_NICENESS = 5
_spawning = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold


class _Child:
    """One process."""

    def __init__(self, name: str) -> None:
        self.pipe, theirs = _spawning.Pipe()
        self.process = _spawning.Process(target=_serve, args=(theirs,), name=name, daemon=True)
        self.process.start()
        theirs.close()

    def end(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


class ComputingProcesses:
    """Some processes that compute. Thread-safe.

    Args:
        name: What they are called.
        count: How many calls at a time.
    """

    def __init__(self, name: str, count: int) -> None:
        self._name = name
        self._lock = threading.Lock()  # guards what follows
        self._is_closed = False
        self._all: set[_Child] = set()
        self._free: queue.SimpleQueue[_Child | None] = queue.SimpleQueue()
        for _ in range(count):
            self._free.put(None)  # room for one

    def call(self, function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        """Call it in one of them, once one is free.

        Raises:
            DeadlineExceeded: The time of the work under way is over; the process is killed.
            Interrupted: That work is broken off.
            ComputingFailed: The process ended.
            TypeError: The function, or what it is given, cannot be pickled.
            BaseException: What the function raised.
        """
        question = pickled(function, args, kwargs)
        try:
            child = self._free.get(timeout=time_left(_FOREVER))
        except queue.Empty:
            raise DeadlineExceeded("no process was free in time") from None
        try:
            child = child or self._make()
            data = _ask(child, question)
        except BaseException:  # it may still be at work
            if child is not None:
                self._drop(child)
            self._free.put(None)
            raise
        self._free.put(child)
        return cast("T", result(data))

    def close(self) -> None:
        """End all of them. Idempotent."""
        with self._lock:
            self._is_closed = True
            children = [*self._all]
            self._all.clear()
        for each in children:
            each.end()

    def _make(self) -> _Child:
        with self._lock:
            if self._is_closed:
                raise ComputingFailed("the processes that compute have been ended")
            child = _Child(self._name)
            self._all.add(child)
            return child

    def _drop(self, child: _Child) -> None:
        with self._lock:
            is_ours = child in self._all
            self._all.discard(child)
        if is_ours:
            child.end()


def _ask(child: _Child, question: bytes) -> bytes:
    calls = pending_calls()
    breakable: contextlib.AbstractContextManager[None] = (
        contextlib.nullcontext() if calls is None else calls.breakable(child.process.kill)
    )
    with breakable:
        try:
            child.pipe.send_bytes(question)
            if not child.pipe.poll(time_left(_FOREVER)):
                time_left(_FOREVER)
                raise DeadlineExceeded("not computed in time")
            return child.pipe.recv_bytes()
        except (EOFError, OSError) as error:
            raise ComputingFailed("the process that computed has ended") from error


def _serve(pipe: Connection) -> None:
    """What a process does."""
    os.nice(_NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for those who hold the other end
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send_bytes(_answer(pipe.recv_bytes()))


def _answer(question: bytes) -> bytes:
    try:
        function, args, kwargs = unpickled(question)
        value, has_returned = function(*args, **kwargs), True
    except BaseException as error:  # foreign code
        value, has_returned = error, False
    return answer(has_returned, value)
