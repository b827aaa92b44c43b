"""Who asks the nodes, and in which thread.

Rules of `BackgroundPasses`:
* a reconcile never waits for a node: it is told what the last pass saw, and is called again when there is more;
* a network has at most one pass under way;
* what a pass has seen is handed out once as new; asking again after that begins the next pass;
* the threads are few and shared: one that has a pass to make also makes calls of its own pass, so that none waits
  for another thread to become free.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Final, Protocol

from btcctl.bitcoin.mesh import Mesh, MeshGoal, MeshReport, one_after_the_other
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.logging import get_logger
from btcctl.objects import ObjectKey
from btcctl.threads import Runner, Stop

logger = get_logger(__name__)

#: Passes at once, and calls at once: sixteen of each mostly wait.
THREADS: Final = 16
_STOP_SECONDS = 0.5  # threads that wait for a node are left behind: they change nothing once the lease is gone


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a network's nodes.

    Attributes:
        report: Of the last pass; None if there was none for the nodes that there are now.
        is_new: Nobody was told of it before.
    """

    report: MeshReport | None
    is_new: bool


class Passes(Protocol):
    """Sees to it that the nodes are looked at."""

    def look(self, key: ObjectKey, goal: MeshGoal) -> Seen:
        """What is known of the nodes; has them looked at (again) if nothing new is."""

    def again(self, key: ObjectKey, gone: frozenset[str], suspects: frozenset[str]) -> bool:
        """Have the nodes looked at as last time, by what they are known by: see `MeshGoal`.

        Returns:
            False if there is nothing to repeat, or something to tell first.
        """

    def forget(self, key: ObjectKey) -> None:
        """The network is gone."""


class InlinePasses:
    """Makes each pass at once, in the caller's thread: for tests, and for a dry run."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    def look(self, key: ObjectKey, goal: MeshGoal) -> Seen:
        """See `Passes.look`."""
        return Seen(self._mesh.sync(goal), is_new=True)

    def again(self, key: ObjectKey, gone: frozenset[str], suspects: frozenset[str]) -> bool:
        """See `Passes.again`: the caller waits for what comes of it, so it makes one itself."""
        return False

    def forget(self, key: ObjectKey) -> None:
        """See `Passes.forget`."""


@dataclass(slots=True)
class _Network:
    """Of one network; guarded by the lock of `BackgroundPasses`."""

    goal: MeshGoal | None = None  #: of the last pass, or of the one under way
    report: MeshReport | None = None
    is_new: bool = False
    is_running: bool = False


class ThreadPool:
    """A few threads for many short calls that wait for somebody else. `run_all` may be called in one of them."""

    def __init__(self, name: str, threads: int = THREADS, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._runners = [Runner(f"{name}-{number}", self._work, clock=clock) for number in range(threads)]

    def start(self) -> None:
        for runner in self._runners:
            runner.start()

    def stop(self, timeout: float = _STOP_SECONDS) -> None:
        """End; what is under way is not waited for longer than `timeout` seconds."""
        for _ in self._runners:
            self._tasks.put(None)
        for runner in self._runners:
            runner.request_stop()
        for runner in self._runners:
            try:
                runner.stop(timeout / len(self._runners))
            except TimeoutError:
                logger.debug("a call is still under way", thread=runner.name)

    def submit(self, task: Callable[[], None]) -> None:
        """Run it some time."""
        self._tasks.put(task)

    def run_all(self, tasks: Sequence[Callable[[], None]]) -> None:
        """Run them at once, as far as threads are free, and return when all have run. See `RunAll`.

        Raises:
            BaseException: What one of them raised: the first.
        """
        if len(tasks) < 2:
            one_after_the_other(tasks)
            return
        batch = _Batch(tasks)
        for _ in range(len(tasks) - 1):
            self._tasks.put(batch.help)
        batch.help_to_the_end()

    def _work(self, stop: Stop) -> None:
        while (task := self._tasks.get()) is not None and not stop.is_set():
            try:
                task()
            except Exception:  # that pass' failure, and not the thread's
                logger.exception("a look at nodes failed")


class _Batch:
    """Tasks that several threads take from, one at a time."""

    def __init__(self, tasks: Sequence[Callable[[], None]]) -> None:
        self._left = list(reversed(tasks))
        self._unfinished = len(tasks)
        self._changed = threading.Condition()  # guards the two above and the one below
        self._error: BaseException | None = None

    def help(self) -> None:
        """Run the next task; nothing if none is left."""
        with self._changed:
            if not self._left:
                return
            task = self._left.pop()
        error: BaseException | None = None
        try:
            task()
        except BaseException as raised:  # it is the caller's of `run_all`, in whichever thread that is
            error = raised
        with self._changed:
            self._error = self._error or error
            self._unfinished -= 1
            self._changed.notify_all()

    def help_to_the_end(self) -> None:
        while self._left:
            self.help()
        with self._changed:
            while self._unfinished:
                self._changed.wait()
        if self._error is not None:
            raise self._error


class BackgroundPasses:
    """Makes the passes in threads of its own. A Service of the Manager.

    Args:
        mesh: Makes a pass; with `pool.run_all`, if the nodes are to be asked at once.
        pool: Whose threads to use; started and stopped with this.
        notify: Called with the network's key after each pass, and must not raise.
    """

    def __init__(self, mesh: Mesh, pool: ThreadPool, notify: Callable[[ObjectKey], None]) -> None:
        self._mesh = mesh
        self._pool = pool
        self._notify = notify
        self._lock = threading.Lock()  # guards the one below and what is in it
        self._networks: dict[ObjectKey, _Network] = {}

    def start(self) -> None:
        """See `Service.start`."""
        self._pool.start()

    def stop(self, timeout: float = _STOP_SECONDS) -> None:
        """See `Service.stop`."""
        self._pool.stop(min(timeout, _STOP_SECONDS))

    def look(self, key: ObjectKey, goal: MeshGoal) -> Seen:
        """See `Passes.look`."""
        with self._lock:
            network = self._networks.setdefault(key, _Network())
            is_current = network.goal is not None and _same(network.goal, goal)
            if network.is_new and is_current:
                network.is_new = False
                return Seen(network.report, is_new=True)
            if not network.is_running:
                if not is_current:
                    network.report = None  # what refused other credentials, say, refuses nothing of these
                self._begin(key, network, goal)
            return Seen(network.report if is_current else None, is_new=False)

    def again(self, key: ObjectKey, gone: frozenset[str], suspects: frozenset[str]) -> bool:
        """See `Passes.again`."""
        with self._lock:
            network = self._networks.get(key)
            if network is None or network.goal is None or network.is_new or network.is_running:
                return False
            self._begin(key, network, replace(network.goal, gone=gone, suspects=suspects))
            return True

    def forget(self, key: ObjectKey) -> None:
        """See `Passes.forget`."""
        with self._lock:
            self._networks.pop(key, None)

    def _begin(self, key: ObjectKey, network: _Network, goal: MeshGoal) -> None:
        network.goal, network.is_running, network.is_new = goal, True, False
        self._pool.submit(lambda: self._make(key, network, goal))

    def _make(self, key: ObjectKey, network: _Network, goal: MeshGoal) -> None:
        report: MeshReport | None = None
        try:
            report = self._mesh.sync(goal)
        finally:
            with self._lock:
                network.report, network.is_new, network.is_running = report, report is not None, False
                is_known = self._networks.get(key) is network
            if is_known and report is not None:
                self._notify(key)


def _same(one: MeshGoal, other: MeshGoal) -> bool:
    """Whether what was seen for one goal is true of the other: who failed before makes no difference."""
    return _lasting(one) == _lasting(other)


def _lasting(goal: MeshGoal) -> tuple[object, ...]:
    return goal.members, goal.shape, goal.credentials, goal.rpc_port, goal.spelling, goal.chain, goal.has_utxo_snapshot
