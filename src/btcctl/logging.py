"""How btcctl logs: over the standard library, as any library does, and never a secret.

Modules write `logger = get_logger(__name__)` and log an event with key=value pairs. A line goes to the standard
logger of that name, below `btcctl`. A program that configures nothing therefore sees warnings, as text; one that
configures `logging` decides by level and handler as for everything else. `configure` is what our own commands use.

* A line below the level costs one look at it: nothing is rendered or copied before.
* A value is shown if it is a scalar, an exception, or has a `__str__` of its own; of a mapping, a dataclass or a
  Struct only the type is: it may be an object with a Secret in it.
* What `structlog.contextvars` has bound is part of each line: a reconcile's controller, key and reconcile_id are.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO

from btcctl.errors import describe_error, is_of_program, type_name

if TYPE_CHECKING:  # structlog loads rich, asyncio and more: only a program that renders lines with it pays for that
    from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["auto", "console", "json"]
LEVELS = ("debug", "info", "warning", "error")

REDACTED = "[redacted]"
_SECRET_KEYS = re.compile(r"passw|token|secret_data|authorization|credential|api_?key|private_?key", re.IGNORECASE)
_SECRET_TEXT = re.compile(r"(?i)(\b(?:bearer|basic)\s+)[^\s,'\"]+|(://[^/\s:@]*:)[^\s@/]+(?=@)")
_PLAIN_TEXT = re.compile(r"[^\s\"=\x00-\x1f\x7f]+")
_TRACEBACK = "exception"  # the field whose text is lines
_MAX_ITEMS = 100

# The library's own frames between a call and the standard logger: a record names the caller.
_FRAMES = 3


class Logger:
    """Logs an event with key=value pairs to a standard logger. Thread-safe, stateless.

    Attributes:
        is_enabled: Whether lines of a level go anywhere: where even to call is too much, or the fields cost something.
    """

    __slots__ = ("_logger", "is_enabled")

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self.is_enabled = logger.isEnabledFor

    def debug(self, event: str, **fields: Any) -> None:
        if self.is_enabled(logging.DEBUG):
            self._emit(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: Any) -> None:
        if self.is_enabled(logging.INFO):
            self._emit(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        if self.is_enabled(logging.WARNING):
            self._emit(logging.WARNING, event, fields)

    def error(self, event: str, **fields: Any) -> None:
        """Log it; `exc_info` may be True, an exception, or what `sys.exc_info` returns, as for any logger."""
        if self.is_enabled(logging.ERROR):
            self._emit(logging.ERROR, event, fields)

    def exception(self, event: str, **fields: Any) -> None:
        """An error with the traceback of the exception that is being handled."""
        if self.is_enabled(logging.ERROR):
            self._emit(logging.ERROR, event, {"exc_info": True, **fields})

    def log(self, level: int, event: str, **fields: Any) -> None:
        if self.is_enabled(level):
            self._emit(level, event, fields)

    def _emit(self, level: int, event: str, fields: dict[str, Any]) -> None:
        exc_info = fields.pop("exc_info", None)
        message = Message(event, {**bound_fields(), **fields})
        try:
            self._logger.log(level, message, exc_info=exc_info, stacklevel=_FRAMES)
        except BaseException as error:  # of a program's handler or filter: no line is worth the thread that writes it
            if is_of_program(error):
                raise
            _complain()


def _complain() -> None:
    """What `logging.Handler.handleError` does for handlers that catch what they raise."""
    if logging.raiseExceptions:
        with contextlib.suppress(BaseException):
            traceback.print_exc()


_PREFIX: Final = "structlog_"  # of the names that structlog gives its context variables
_variables: dict[str, ContextVar[Any]] = {}


def bind(**fields: Any) -> None:
    """As `structlog.contextvars.bind_contextvars`, which sees what is bound here, without loading structlog."""
    for name, value in fields.items():
        variable = _variables.get(name)
        if variable is None:
            variable = _variables.setdefault(name, ContextVar(_PREFIX + name))
        variable.set(value)


def bound_fields() -> dict[str, Any]:
    """What is bound to log lines here, whether by `bind` or by structlog."""
    context = copy_context()
    return {
        variable.name[len(_PREFIX) :]: value
        for variable, value in context.items()
        if variable.name.startswith(_PREFIX) and value is not Ellipsis
    }


def get_logger(name: str) -> Logger:
    """The logger of a module: over the standard library's of the same name."""
    return Logger(logging.getLogger(name))


class Message:
    """What a log record of ours has as its `msg`: as a text it is `event key=value …`, made when it is asked for.

    Attributes:
        event: What happened: a constant.
        fields: What it happened to, and what was bound; as they were given, so not for printing.
    """

    __slots__ = ("event", "fields")

    def __init__(self, event: str, fields: Mapping[str, Any]) -> None:
        self.event = event
        self.fields = fields

    def shown(self) -> dict[str, Any]:
        """The fields as they may be printed: scalars, texts and lists of them, without secrets."""
        return {key: _shown_field(key, value) for key, value in self.fields.items()}

    def __str__(self) -> str:
        shown = self.shown()
        lines = shown.pop(_TRACEBACK, None)
        text = " ".join([self.event, *(f"{key}={_quoted(value)}" for key, value in shown.items())])
        return text if lines is None else f"{text}\n{lines}"

    def __repr__(self) -> str:
        return f"<Message {self}>"


def configure(
    level: str = "info", format_: LogFormat = "auto", *, tracebacks: bool = False, stream: TextIO | None = None
) -> None:
    """Set logging up for the whole process. A program's entry point calls it; a library never does.

    Lines of ours are written from `level` on, those of other libraries from warnings on; lines of a program that
    logs with structlog come in the same form.

    Args:
        level: The least level that is written, one of LEVELS.
        format_: "auto" is console if the stream is a terminal, and JSON otherwise.
        tracebacks: Write whole tracebacks; otherwise an exception is one line.
        stream: Where to write; standard error by default.
    """
    import structlog  # noqa: PLC0415

    out = sys.stderr if stream is None else stream
    console = format_ == "console" or (format_ == "auto" and out.isatty())
    number = logging.getLevelNamesMapping()[level.upper()]
    processors: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
        structlog.processors.format_exc_info if tracebacks else one_line_exception,
        redact,
        _renderer(console, out),
    ]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *processors],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(_Formatter(processors))
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)
    logging.getLogger("btcctl").setLevel(number)


def unpack(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor that makes key=value pairs of a record of ours again.

    For programs that write all lines with structlog: the first of the `foreign_pre_chain` of a
    `structlog.stdlib.ProcessorFormatter`. Records of others stay as they are.
    """
    record = event.get("_record")
    if record is not None and isinstance(record.msg, Message):
        event.update(record.msg.shown(), event=record.msg.event)
    return event


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank the values of keys that name a secret, and credentials inside texts."""
    for key, value in event.items():
        event[key] = REDACTED if _SECRET_KEYS.search(key) and value is not None else scrub(value)
    return event


def scrub(value: Any) -> Any:
    """The value, with `Bearer …`, `Basic …` and `://user:…@` blanked if it is a text."""
    return _SECRET_TEXT.sub(rf"\1\2{REDACTED}", value) if isinstance(value, str) else value


def for_terminal(text: str) -> str:
    """A text scrubbed, without what a terminal would obey: a server, or a webhook behind it, may say anything."""
    lines = str(scrub(text)).replace("\r\n", "\n").split("\n")
    return "\n".join("".join(each if each.isprintable() else ascii(each)[1:-1] for each in line) for line in lines)


def one_line_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by `error="Type: message"`."""
    exc_info = event.pop("exc_info", None)
    if exc_info:
        error = exc_info if issubclass(type(exc_info), BaseException) else sys.exc_info()[1]
        if type(exc_info) is tuple:
            error = exc_info[1]
        if error is not None:
            event.setdefault("error", describe_error(error))
    return event


def _shown_field(key: str, value: Any) -> Any:
    if value is None or issubclass(type(value), (bool, int, float)):
        return value
    return REDACTED if _SECRET_KEYS.search(key) else scrub(_shown(value))


def _shown(value: Any) -> Any:
    kind: Any = type(value)  # and not its `__class__`: what that says is foreign code
    if value is None or issubclass(kind, (bool, int, float, str)):
        return value
    if issubclass(kind, BaseException):
        return describe_error(value)
    if issubclass(kind, (list, tuple, set, frozenset)):
        return [scrub(_shown(each)) for each in list(value)[:_MAX_ITEMS]]
    if kind.__str__ is object.__str__ or issubclass(kind, (bytes, bytearray)):
        return f"<{type_name(value)}>"
    try:
        return str(value)
    except BaseException as broken:
        return f"<{type_name(value)}: cannot be shown: {type_name(broken)}>"


def _quoted(value: Any) -> str:
    if isinstance(value, str):
        return value if _PLAIN_TEXT.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    return str(value)


def _renderer(console: bool, out: TextIO) -> Processor:
    import structlog  # noqa: PLC0415

    if console:
        return structlog.dev.ConsoleRenderer(colors=out.isatty(), pad_event_to=0, sort_keys=False)
    return structlog.processors.JSONRenderer(default=str)


class _Formatter(logging.Formatter):
    """Renders every record, ours and other libraries', as structlog would."""

    def __init__(self, processors: list[Processor]) -> None:
        super().__init__()
        self._processors = processors

    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record.msg, Message):
            event: Any = {"event": record.msg.event, **record.msg.shown()}
        else:
            event = {"event": record.getMessage()}
        if record.exc_info:
            event["exc_info"] = record.exc_info
        for processor in self._processors:
            event = processor(None, record.levelname.lower(), event)
        return str(event)
