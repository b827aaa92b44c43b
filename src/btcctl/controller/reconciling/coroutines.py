"""Keys whose reconcile is a coroutine function."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any, ClassVar, cast

from btcctl.clock import Clock
from btcctl.controller.reconciling.looping import SteppedLoop
from btcctl.controller.reconciling.processing import Processor, checked_result
from btcctl.controller.reconciling.result import Result
from btcctl.errors import DeadlineExceeded
from btcctl.objects import ObjectKey
from btcctl.rest.collection.written import recording_writes


class CoroutineProcessor(Processor):
    """What a task of a running loop does with a key: several may be under way."""

    is_async: ClassVar[bool] = True
    _loop: SteppedLoop | None = None

    def process(self, key: ObjectKey) -> None:
        """The same in a loop of the calling thread, with nothing beside it: for tests."""
        self._loop = self._loop or _loop_of(self, self._clock)  # one for all: what a reconcile keeps may belong to it
        self._loop.run_whole(self.process_async(key))

    async def process_async(self, key: ObjectKey) -> None:
        """Reconcile `key`, unless a cache does not show yet what the last reconcile of it has written."""
        if self._has_turn(key):
            try:
                await self._process_async(key)
            finally:
                self._end_turn(key)

    async def _process_async(self, key: ObjectKey) -> None:
        started_at = self._begin(key)
        if started_at is None:
            return
        try:
            result = await self._call_async(key)
        except BaseException as error:
            outcome: tuple[str, BaseException | None] = self._failed(key, error)
        else:
            outcome = self._succeeded(key, result)
        self._end(key, started_at, *outcome)

    async def _call_async(self, key: ObjectKey) -> Result:
        with recording_writes() as writes, self._limited():
            try:
                async with asyncio.timeout(self._timeout) as limit:
                    result = await cast("Any", self._reconcile)(key)
            except TimeoutError as error:
                if limit.expired():  # and not one of its own
                    raise DeadlineExceeded(f"not done within {self._timeout:g} s") from error
                raise
            finally:
                self.own_writes.record(key, writes)
        return checked_result(result)

    def _is_cancelled(self, kind: type[BaseException]) -> bool:
        return issubclass(kind, asyncio.CancelledError) and self.is_ending


def _loop_of(owner: object, clock: Clock) -> SteppedLoop:
    loop = SteppedLoop(clock)
    weakref.finalize(owner, loop.close)
    return loop
