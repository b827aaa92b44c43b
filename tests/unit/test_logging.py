from __future__ import annotations

import asyncio
import io
import json
import logging as stdlib_logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from btcctl import logging


@dataclass
class Secret:
    value: str


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def lines(stream: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_stream_that_is_no_terminal_gets_json(stream):
    logging.configure(stream=stream)
    structlog.get_logger().info("reconciled", key="n/a")
    [line] = lines(stream)
    assert (line["event"], line["key"], line["level"]) == ("reconciled", "n/a", "info")


@pytest.mark.parametrize("key", ["password", "rpc_password", "token", "Authorization", "api_key"])
def test_values_of_secret_keys_are_blanked(stream, key):
    logging.configure(stream=stream)
    structlog.get_logger().info("login", **{key: "hunter2"})
    assert "hunter2" not in stream.getvalue()


@pytest.mark.parametrize("text", ["Bearer hunter2", "Basic hunter2", "http://user:hunter2@host/"])
def test_credentials_inside_texts_are_blanked(stream, text):
    logging.configure(stream=stream)
    structlog.get_logger().info("failed", error=f"it said {text}")
    assert "hunter2" not in stream.getvalue()


@pytest.mark.parametrize("tracebacks", [False, True])
def test_an_exception_is_one_line_unless_tracebacks_are_wanted(stream, tracebacks):
    logging.configure(stream=stream, tracebacks=tracebacks)
    try:
        raise LookupError("lost")
    except LookupError:
        structlog.get_logger().exception("failed")
    [line] = lines(stream)
    assert ("Traceback" in line.get("exception", "")) is tracebacks
    assert (line.get("error") == "LookupError: lost") is not tracebacks


def test_levels_below_the_chosen_one_are_not_written(stream):
    logging.configure("warning", stream=stream)
    structlog.get_logger().info("chatter")
    assert stream.getvalue() == ""


def test_warnings_of_libraries_arrive_in_the_same_form(stream):
    logging.configure(stream=stream)
    stdlib_logging.getLogger("some.library").warning("careful: %s", "Bearer hunter2")
    [line] = lines(stream)
    assert line["event"] == f"careful: Bearer {logging.REDACTED}"


def test_an_address_with_a_port_is_no_secret(stream):
    logging.configure(stream=stream)
    structlog.get_logger().info("dialled", url="http://127.0.0.1:18443/wallet")
    assert lines(stream)[0]["url"] == "http://127.0.0.1:18443/wallet"


def test_a_program_that_configures_nothing_sees_warnings_as_text_and_nothing_else():
    program = (
        "from btcctl.logging import get_logger as get; log = get('btcctl.x'); log.info('no'); log.warning('so', n=1)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "so n=1\n")


def test_a_line_is_a_record_of_the_standard_library_with_what_is_bound_and_the_place_it_comes_from(caplog):
    with bound_contextvars(controller="net"):
        logging.get_logger("btcctl.x").warning("lost", key="a/b c", tries=3)
    [record] = caplog.records
    assert (record.name, record.levelname, record.filename) == ("btcctl.x", "WARNING", "test_logging.py")
    assert caplog.messages == ['lost controller=net key="a/b c" tries=3']


@pytest.mark.parametrize("value", [{"key": "hunter2"}, {"a": ["hunter2"]}.items(), b"hunter2", Secret("hunter2")])
def test_of_a_value_that_may_hold_anything_only_the_type_is_shown(caplog, value):
    logging.get_logger("btcctl.x").warning("failed", object=value, objects=[value])
    assert "hunter2" not in caplog.text
    assert type(value).__name__ in caplog.text


def test_a_value_that_cannot_be_shown_costs_no_line(caplog):
    class Broken:
        def __str__(self) -> str:
            raise SystemExit

    logging.get_logger("btcctl.x").warning("failed", value=Broken())
    assert "<Broken: cannot be shown: SystemExit>" in caplog.messages[0]


def test_a_program_that_writes_everything_with_structlog_gets_our_fields(stream):
    handler = stdlib_logging.StreamHandler(stream)
    renderer = structlog.processors.JSONRenderer()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(renderer, foreign_pre_chain=[logging.unpack]))
    stdlib_logging.getLogger().addHandler(handler)
    logging.get_logger("btcctl.x").warning("lost", key="a/b", token="hunter2")
    assert lines(stream) == [{"event": "lost", "key": "a/b", "token": logging.REDACTED}]


def test_what_the_programs_own_handler_or_filter_raises_ends_nobody_who_logs(capsys):
    def refuse(_: stdlib_logging.LogRecord) -> bool:
        raise OSError("the log has no room")

    logger = logging.get_logger("btcctl.of_a_test")
    standard = stdlib_logging.getLogger("btcctl.of_a_test")
    standard.addFilter(refuse)
    try:
        logger.warning("it goes on")
    finally:
        standard.removeFilter(refuse)
    assert "OSError: the log has no room" in capsys.readouterr().err


@pytest.mark.parametrize("raised", [SystemExit, KeyboardInterrupt, asyncio.CancelledError])
def test_no_thread_ends_by_what_a_programs_own_handler_raises_but_the_main_one_may(raised):
    class Odd(stdlib_logging.Handler):
        def emit(self, record: stdlib_logging.LogRecord) -> None:
            raise raised

    standard = stdlib_logging.getLogger("btcctl.of_a_test")
    standard.addHandler(handler := Odd())
    try:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(logging.get_logger("btcctl.of_a_test").warning, "it goes on").result()
        with pytest.raises(raised) if raised is not asyncio.CancelledError else nullcontext():
            logging.get_logger("btcctl.of_a_test").warning("it may be a Ctrl-C")
    finally:
        standard.removeHandler(handler)
