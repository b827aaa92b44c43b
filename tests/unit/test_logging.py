from __future__ import annotations

import io
import json
import logging as stdlib_logging
from collections.abc import Iterator

import pytest
import structlog

from btcctl import logging


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = stdlib_logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    yield
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level


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
