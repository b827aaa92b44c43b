from __future__ import annotations

import argparse

import pytest

from btcctl.cli.flags import Flags, Parser, parse_count, parse_duration
from btcctl.cli.main import build_parser


def parsed(environ: dict[str, str], *argv: str) -> argparse.Namespace:
    parser = Parser(prog="btcctl")
    flags = Flags(parser, environ)
    flags.value("--workers", parse=parse_count(1, 64), default=2, about="parallel reconciles")
    flags.value("--log-format", choices=("json", "console"), default="json", about="how to log")
    flags.switch("-v", "--verbose", about="more")
    return parser.parse_args(argv)


def test_the_command_line_wins_over_the_variable_and_the_variable_over_the_default():
    assert parsed({}).workers == 2
    assert parsed({"BTCCTL_WORKERS": "3"}).workers == 3
    assert parsed({"BTCCTL_WORKERS": "3"}, "--workers", "4").workers == 4


@pytest.mark.parametrize("word", ["--work=3", "--verb"])
def test_a_flag_is_not_abbreviated(word: str, capsys):
    with pytest.raises(SystemExit) as ended:
        parsed({}, word)
    assert ended.value.code == 2
    assert f"unrecognized arguments: {word}" in capsys.readouterr().err


def test_a_variable_that_does_not_parse_is_an_error_unless_the_flag_is_given(capsys):
    environ = {"BTCCTL_WORKERS": "many", "BTCCTL_VERBOSE": "maybe", "BTCCTL_LOG_FORMAT": "xml"}
    assert parsed(environ, "--workers=3", "-v", "--log-format=json").workers == 3
    with pytest.raises(SystemExit) as ended:
        parsed(environ, "-v", "--log-format=json")
    assert ended.value.code == 2
    assert "btcctl: error: BTCCTL_WORKERS='many': 'many' is no whole number" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"BTCCTL_NAMESPACE": "one,two"}, ["run"]),
        ({"BTCCTL_OUTPUT": "name"}, ["get"]),
        ({"BTCCTL_WORKERS": "many"}, ["doctor"]),
    ],
)
def test_a_variable_is_judged_by_the_command_that_asks_for_it_alone(environ: dict[str, str], words: list[str]):
    assert build_parser(environ).parse_args(words).command_name == words[0]
    with pytest.raises(SystemExit) as ended:
        build_parser(environ).parse_args(["--version"])
    assert ended.value.code == 0


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("no", False), ("", False)])
def test_a_switch_reads_true_and_false(text, value):
    assert parsed({"BTCCTL_VERBOSE": text}).verbose is value


@pytest.mark.parametrize(
    ("argv", "value"),
    [
        (["--verbose"], True),
        (["-v"], True),
        (["--verbose=true"], True),
        (["--verbose=1"], True),
        (["--verbose=T"], True),
        (["--verbose=false"], False),
        (["--verbose=False"], False),
        (["--verbose", "--verbose=0"], False),
        (["--verbose=false", "--verbose"], True),
        (["-v", "--workers", "3"], True),
        ([], False),
    ],
)
def test_a_switch_is_given_bare_or_with_a_value_and_the_last_one_counts(argv: list[str], value: bool):
    assert parsed({}, *argv).verbose is value
    assert parsed({"BTCCTL_VERBOSE": "true"}, *argv).verbose is (value or not argv)


@pytest.mark.parametrize("word", ["maybe", "", "2", "truefalse"])
def test_a_switch_with_another_value_is_a_usage_error(capsys, word: str):
    with pytest.raises(SystemExit):
        parsed({}, f"--verbose={word}")
    assert f"argument -v/--verbose: {word!r} is neither true nor false" in capsys.readouterr().err


def test_a_word_behind_a_switch_is_none_of_its_values(capsys):
    with pytest.raises(SystemExit):
        parsed({}, "--verbose", "false")
    assert "unrecognized arguments: false" in capsys.readouterr().err
    parser = Parser()
    Flags(parser, {}).switch("--json", about="as it is")
    parser.add_argument("what")
    assert parser.parse_args(["--json", "queue"]).what == "queue"


@pytest.mark.parametrize("argv", [["--leader-elect"], ["--leader-elect=true"], ["--leader-elect=false", "-v"]])
def test_commands_take_switches_with_values(argv: list[str]):
    args = build_parser({}).parse_args(["run", *argv])
    assert (args.leader_elect, args.verbose) == ("false" not in argv[0], "-v" in argv)


def test_whom_to_act_as_is_given_as_kubectl_has_it():
    args = build_parser({"BTCCTL_AS_GROUP": "c,d"}).parse_args(["run", "--as", "ann", "--as-uid=7"])
    assert (args.as_user, args.as_uid, args.as_group) == ("ann", "7", ("c", "d"))
    args = build_parser({}).parse_args(["run", "--as-group", "a", "--as-group=b"])
    assert (args.as_user, args.as_group) == ("", ("a", "b"))


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


@pytest.mark.parametrize("command", ["run", "doctor", "get", "status n", "rpc n getblockcount", "mine n", "logs n"])
def test_whatever_takes_a_kubeconfig_can_act_as_somebody_else(command: str):
    name, *words = command.split()
    args = build_parser({}).parse_args([name, "--kubeconfig", "file", "--as", "ann", "--as-group", "a", *words])
    assert (args.as_user, args.as_group) == ("ann", ("a",))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--node-image="], "--node-image: '' is no image"),
        (["--node-image", "a b"], "--node-image: 'a b' is no image"),
        (["--leader-elect-resource-name="], "--leader-elect-resource-name: '' is no object's name"),
        (["--leader-elect-resource-name", "../pods"], "'../pods' is no object's name"),
        (["--poll-min", "٣s"], "is no duration"),
    ],
)
def test_what_the_api_server_would_refuse_later_is_a_usage_error_of_run(words: list[str], said: str, capsys):
    with pytest.raises(SystemExit) as ended:
        build_parser({}).parse_args(["run", *words])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
