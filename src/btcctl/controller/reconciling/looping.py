"""Reconciles that are coroutines: one event loop in one thread, N of them at a time.

A thread takes keys from the queue, as many as may be under way, and hands them to the loop; each is a task there, with
a context of its own. A stop cancels what is left of them once their time is over.

What a coroutine has done in a thread (`asyncio.to_thread`) runs in a daemon of ours, so that a call that hangs keeps no
process from ending; it knows the deadline of the reconcile, and what it writes counts as the reconcile's.
"""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from btcctl.clock import Clock, sleep
from btcctl.logging import get_logger
from btcctl.objects import ObjectKey
from btcctl.threads import Latch, Runner, Stop
from btcctl.workqueue.queue import ShutDown, WorkQueue

logger = get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
Process = Callable[[ObjectKey], Awaitable[None]]

_END_SECONDS = 1.0  # for tasks to take note that they are cancelled


class LoopingWorkers:
    """Takes keys, and has coroutines process them.

    Args:
        name: The controller's.
        most: How many at a time.
        queue: Where keys come from.
        process: What is done with one; raises nothing.
        on_failure: Told the name of a thread that has died, and of what.
    """

    def __init__(
        self,
        name: str,
        most: int,
        queue: WorkQueue[ObjectKey],
        process: Process,
        clock: Clock,
        on_failure: Callable[[str, BaseException], None],
    ) -> None:
        self._queue = queue
        self._process = process
        self._on_failure = partial(on_failure, f"{name}-loop")
        self._failure: BaseException | None = None
        self._slots = threading.Semaphore(most)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_running = Latch(clock)
        self._tasks: set[asyncio.Task[None]] = set()  # the loop's thread owns it
        names = [f"{name}-loop", f"{name}-worker-0"]
        runs = [self._run_loop, self._feed]
        self._threads = [
            Runner(each, run, clock=clock, on_failure=partial(on_failure, each))
            for each, run in zip(names, runs, strict=True)
        ]

    def start(self) -> None:
        """Both threads."""
        for each in self._threads:
            each.start()

    def stop(self, timeout: float) -> None:
        """Cancel what is under way, and end. The queue is shut down by then, and nothing in it.

        Raises:
            TimeoutError: A coroutine does not heed that it is cancelled.
            BaseException: What has killed it.
        """
        loop, feeder = self._threads
        loop.request_stop()
        feeder.stop(timeout)
        loop.stop(timeout)
        if self._failure is not None:
            raise self._failure

    def _feed(self, _stop: Stop) -> None:
        self._is_running.wait()
        with contextlib.suppress(ShutDown):
            while True:
                self._slots.acquire()
                key = self._queue.get()
                if self._loop is not None:
                    self._loop.call_soon_threadsafe(self._begin, key)

    def _run_loop(self, stop: Stop) -> None:
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            loop.set_default_executor(_Daemons())
            _run_whole(loop, loop.create_task(self._live(stop)), SystemExit, KeyboardInterrupt)

    async def _live(self, stop: Stop) -> None:
        loop = self._loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def end() -> None:
            loop.call_soon_threadsafe(ended.set)

        unlink = stop.on_set(end)
        self._is_running.set()
        while not ended.is_set():
            with contextlib.suppress(asyncio.CancelledError):  # of a reconcile that cancels whatever runs beside it
                await ended.wait()
        unlink()
        while self._tasks:
            for each in self._tasks:
                each.cancel()
            await asyncio.wait(self._tasks, timeout=_END_SECONDS)

    def _begin(self, key: ObjectKey) -> None:
        task = asyncio.get_running_loop().create_task(self._whole(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _whole(self, key: ObjectKey) -> None:
        try:
            await self._process(key)
        except GeneratorExit:
            # What was awaited has raised that: the interpreter then ends all coroutines that wait for one another,
            # and `process`, which has taken it for the failure of its reconcile, has returned by now.
            return
        except BaseException as error:  # none of the reconcile's, which are its own failures
            self._failure = error
            self._on_failure(error)
        finally:
            self._queue.done(key)
            self._slots.release()


def _run_whole(loop: asyncio.AbstractEventLoop, task: asyncio.Future[None], *stray: type[BaseException]) -> None:
    """Run it to its end, though other tasks of the loop raise what is `stray`.

    asyncio lets SystemExit and KeyboardInterrupt out of the loop when a task raises them, for one that a reconcile has
    made; whoever awaits that task is told of them all the same, once the loop goes on. It goes on, too, after a
    reconcile has stopped it, in which all others of the controller run.
    """

    def end(done: asyncio.Future[None]) -> None:
        if done.cancelled() or not isinstance(done.exception(), SystemExit | KeyboardInterrupt):  # these end it anyway
            loop.stop()

    task.add_done_callback(end)
    while not task.done():
        try:
            loop.run_forever()
        except stray:
            if task.done():
                raise
        else:
            if not task.done():
                logger.warning("a coroutine has stopped the loop in which all of its controller run: it goes on")
    task.result()


def is_in_a_loop() -> bool:
    """Whether an event loop runs in this thread."""
    with contextlib.suppress(RuntimeError):
        asyncio.get_running_loop()
        return True
    return False


class SteppedLoop(asyncio.SelectorEventLoop):
    """An event loop in a test's thread: its time is a clock's, a pause moves that, and nothing runs beside it.

    Raises:
        AssertionError: What runs in it waits for something that nothing else can bring about.
        RuntimeError: Another loop runs in this thread: the test is a coroutine itself.
    """

    def __init__(self, clock: Clock) -> None:
        self._now = clock.now
        super().__init__(_JumpingSelector(clock))
        self.set_default_executor(_Inline())

    def time(self) -> float:
        return self._now()

    def run_whole(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run it to its end."""
        if is_in_a_loop():
            coroutine.close()
            raise RuntimeError(
                "reconciles that are coroutines run in an event loop of the bench, and another loop runs in this thread"
                " already: call the bench from a test that is no coroutine (def, not async def)"
            )
        task = asyncio.ensure_future(coroutine, loop=self)
        try:
            _run_whole(self, task, SystemExit)
        finally:
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    self.run_until_complete(task)


class _JumpingSelector(selectors.DefaultSelector):
    """Of a loop that has sockets of its own real seconds count, not the clock's."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[Any]:
        events = super().select(0)
        if events or timeout == 0:
            return events
        if len(self.get_map()) > 1:  # the first one wakes the loop itself
            return super().select(timeout)
        if timeout is None:
            raise AssertionError("a coroutine waits for what nobody will bring about: in a test nothing runs beside it")
        sleep(timeout, self._clock)
        return []


class _Calls(ThreadPoolExecutor):
    """What `asyncio.to_thread` goes to: an event loop takes no other kind of executor."""

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        self._run(lambda: _fulfil(future, lambda: function(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing is waited for."""

    def _run(self, call: Callable[[], None]) -> None:
        raise AssertionError("which?")


class _Daemons(_Calls):
    def _run(self, call: Callable[[], None]) -> None:
        Runner("to-thread", lambda _: call()).start()


class _Inline(_Calls):
    def _run(self, call: Callable[[], None]) -> None:
        call()


def _fulfil(future: Future[T], call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except StopIteration as error:  # which no future takes: its coroutine would wait for ever
        failure = RuntimeError("what was called in a thread has raised StopIteration")
        failure.__cause__ = error
        future.set_exception(failure)
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
