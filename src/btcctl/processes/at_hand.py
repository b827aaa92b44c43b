"""What computes for long is called in the processes at hand, if there are any."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Processes(Protocol):
    """Where something is computed."""

    def call(self, function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T: ...


#: Those of the work under way.
processes_at_hand: ContextVar[Processes | None] = ContextVar("processes", default=None)


def compute(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that computes for long, in a process of the controller that reconciles.

        plan = compute(plan_for, db.spec)

    `ControllerOptions(processes=2)` says how many there are; without any it is called here. Unlike what computes here,
    it ends at the deadline of the reconcile. It and what it is given are pickled: it stands in a module, and has no
    caches and no client.

    Raises:
        DeadlineExceeded: The reconcile has had its time.
        ComputingFailed: The process ended.
        TypeError: Something cannot be pickled; where it is called here, only the function is looked at.
        BaseException: What the function raised.
    """
    processes = processes_at_hand.get()
    if processes is None:
        from btcctl.processes.pickling import check_named  # noqa: PLC0415  pickle is for who computes

        check_named(function)
        return function(*args, **kwargs)
    return processes.call(function, args, kwargs)
