"""What btcctl logs, for tests: as events with fields. pytest's own `caplog` has the same lines as texts."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from btcctl.logging import Message


@contextlib.contextmanager
def capture_logs() -> Iterator[list[dict[str, Any]]]:
    """Collect every line that is logged below `btcctl`, of any level and thread; write none.

    Yields:
        A list that grows: for each line its fields as they were given, with `event`, `log_level` ("warning") and,
        if there is one, `exc_info`.
    """
    logger, handler = logging.getLogger("btcctl"), _Collector()
    before = logger.level, logger.propagate, logger.handlers
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.DEBUG)
    try:
        yield handler.entries
    finally:
        logger.propagate, logger.handlers = before[1:]
        logger.setLevel(before[0])


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.entries: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.msg if isinstance(record.msg, Message) else Message(record.getMessage(), {})
        entry = {**message.fields, "event": message.event, "log_level": record.levelname.lower()}
        if record.exc_info:
            entry["exc_info"] = record.exc_info
        self.entries.append(entry)
