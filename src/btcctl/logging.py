"""How btcctl logs: readable on a terminal, JSON otherwise, and never a secret.

Modules write `logger = structlog.get_logger(__name__)` and log an event with key=value pairs.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from btcctl.errors import describe_error

LogFormat = Literal["auto", "console", "json"]
LEVELS = ("debug", "info", "warning", "error")

REDACTED = "[redacted]"
_SECRET_KEYS = re.compile(r"passw|token|secret_data|authorization|credential|api_?key|private_?key", re.IGNORECASE)
_SECRET_TEXT = re.compile(r"(?i)(\b(?:bearer|basic)\s+)[^\s,'\"]+|(://[^/\s:@]*:)[^\s@/]+(?=@)")


def configure(
    level: str = "info", format_: LogFormat = "auto", *, tracebacks: bool = False, stream: TextIO | None = None
) -> None:
    """Set logging up for the whole process. A program's entry point calls it; a library never does.

    Args:
        level: The least level that is written, one of LEVELS.
        format_: "auto" is console if the stream is a terminal, and JSON otherwise.
        tracebacks: Write whole tracebacks; otherwise an exception is one line.
        stream: Where to write; standard error by default.
    """
    out = sys.stderr if stream is None else stream
    console = format_ == "console" or (format_ == "auto" and out.isatty())
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
            structlog.processors.format_exc_info if tracebacks else one_line_exception,
            redact,
            _renderer(console, out),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Forward()], level=max(number, logging.WARNING), force=True)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank the values of keys that name a secret, and credentials inside texts."""
    for key, value in event.items():
        event[key] = REDACTED if _SECRET_KEYS.search(key) and value is not None else scrub(value)
    return event


def scrub(value: Any) -> Any:
    """The value, with `Bearer …`, `Basic …` and `://user:…@` blanked if it is a text."""
    return _SECRET_TEXT.sub(rf"\1\2{REDACTED}", value) if isinstance(value, str) else value


def one_line_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by `error="Type: message"`."""
    exc_info = event.pop("exc_info", None)
    if exc_info:
        error = exc_info if isinstance(exc_info, BaseException) else sys.exc_info()[1]
        if isinstance(exc_info, tuple):
            error = exc_info[1]
        if error is not None:
            event.setdefault("error", describe_error(error))
    return event


def _renderer(console: bool, out: TextIO) -> Processor:
    if console:
        return structlog.dev.ConsoleRenderer(colors=out.isatty(), pad_event_to=0, sort_keys=False)
    return structlog.processors.JSONRenderer(default=str)


class _Forward(logging.Handler):
    """Hands what libraries log through the standard library to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger(record.name).log(record.levelno, record.getMessage(), exc_info=record.exc_info)
