"""Has the threads of a test called before each instruction that they run of one module.

Python 3.11 traces, later ones monitor: from 3.12 on tracing has instructions only of code that was traced before,
so a first play would see none.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

_TOOL = 4  # 0, 1, 2 and 5 are for debuggers, coverage, profilers and optimizers
_thread = threading.local()


class Instructions:
    """The instructions of `module`, seen by the threads that say so, between `with instructions:` and its end."""

    def __init__(self, module: ModuleType) -> None:
        self._codes = set(_codes_of(module))

    @contextmanager
    def calling(self, before: Callable[[FrameType], None]) -> Iterator[None]:
        """Call `before` with the frame, in this thread."""
        if sys.version_info < (3, 12):
            sys.settrace(lambda frame, _event, _arg: self._trace_call(frame, before))
        _thread.before = before
        try:
            yield
        finally:
            del _thread.before
            if sys.version_info < (3, 12):
                sys.settrace(None)

    def _trace_call(self, frame: FrameType, before: Callable[[FrameType], None]) -> Any:
        if frame.f_code not in self._codes:
            return None

        def trace(frame: FrameType, event: str, arg: Any) -> Any:
            if event == "opcode":
                before(frame)
            return trace

        frame.f_trace_opcodes = True
        return trace

    def __enter__(self) -> None:
        if sys.version_info >= (3, 12):
            monitoring = sys.monitoring
            monitoring.use_tool_id(_TOOL, "instructions")
            monitoring.register_callback(_TOOL, monitoring.events.INSTRUCTION, _call_thread)
            for code in self._codes:
                monitoring.set_local_events(_TOOL, code, monitoring.events.INSTRUCTION)

    def __exit__(self, *_: object) -> None:
        if sys.version_info >= (3, 12):
            monitoring = sys.monitoring
            for code in self._codes:
                monitoring.set_local_events(_TOOL, code, monitoring.events.NO_EVENTS)
            monitoring.register_callback(_TOOL, monitoring.events.INSTRUCTION, None)
            monitoring.free_tool_id(_TOOL)


def _call_thread(_code: CodeType, _offset: int) -> None:
    before = getattr(_thread, "before", None)
    if before is not None:
        before(sys._getframe(1))


def _codes_of(module: ModuleType) -> Iterator[CodeType]:
    """The code of a module's functions and methods, and of what they define."""
    owners = [module, *(each for each in vars(module).values() if isinstance(each, type))]
    for owner in owners:
        for each in vars(owner).values():
            function = each.fget if isinstance(each, property) else each
            if isinstance(function, FunctionType) and function.__code__.co_filename == module.__file__:
                yield from _with_inner(function.__code__)


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _with_inner(each)
