from __future__ import annotations

import argparse

import pytest

from btcctl.cli.flags import Flags, parse_count, parse_duration


def parsed(environ: dict[str, str], *argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="btcctl")
    flags = Flags(parser, environ)
    flags.value("--workers", parse=parse_count(1, 64), default=2, about="parallel reconciles")
    flags.value("--log-format", choices=("json", "console"), default="json", about="how to log")
    flags.switch("-v", "--verbose", about="more")
    return parser.parse_args(argv)


def test_the_command_line_wins_over_the_variable_and_the_variable_over_the_default():
    assert parsed({}).workers == 2
    assert parsed({"BTCCTL_WORKERS": "3"}).workers == 3
    assert parsed({"BTCCTL_WORKERS": "3"}, "--workers", "4").workers == 4


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("no", False), ("", False)])
def test_a_switch_reads_true_and_false(text, value):
    assert parsed({"BTCCTL_VERBOSE": text}).verbose is value


@pytest.mark.parametrize(
    ("variable", "text"),
    [("BTCCTL_WORKERS", "many"), ("BTCCTL_WORKERS", "0"), ("BTCCTL_LOG_FORMAT", "xml"), ("BTCCTL_VERBOSE", "maybe")],
)
def test_a_bad_variable_is_a_usage_error_that_names_it(capsys, variable, text):
    with pytest.raises(SystemExit) as exit_:
        parsed({variable: text})
    assert exit_.value.code == 2
    assert f"{variable}={text!r}" in capsys.readouterr().err


def test_help_names_the_variable_and_the_default(capsys):
    with pytest.raises(SystemExit):
        parsed({}, "--help")
    assert "[env BTCCTL_WORKERS, default 2]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0.0), ("30", 30.0), ("1.5s", 1.5), ("10m", 600.0), ("1h30m", 5400.0), ("250ms", 0.25)]
)
def test_durations_are_written_as_go_writes_them(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "10x", "-5s", "1h 30m", "5m30", "nan"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="no duration"):
        parse_duration(text)


def names(environ: dict[str, str], *argv: str) -> tuple[str, ...]:
    parser = argparse.ArgumentParser(prog="btcctl")
    Flags(parser, environ).names("--namespace", "-n", about="look there")
    return parser.parse_args(argv).namespace


def test_a_flag_that_can_be_repeated_collects_its_values_instead_of_the_variables():
    assert names({}) == ()
    assert names({}, "-n", "a", "--namespace", "b") == ("a", "b")
    assert names({"BTCCTL_NAMESPACE": "a, b,"}) == ("a", "b")
    assert names({"BTCCTL_NAMESPACE": "a,b"}, "-n", "c") == ("c",)


@pytest.mark.parametrize("text", ["9" * 400, "9300000000s", "3000000h"])
def test_a_duration_that_go_could_not_count_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="292 years"):
        parse_duration(text)
