from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from btcctl.apiserver.network.kubeconfig import kubeconfig, write_kubeconfig
from btcctl.cli.main import main
from btcctl.cli.network.desired import parse_groups
from btcctl.cli.network.target import NodeName, parse_name, parse_node
from btcctl.cli.network.tx import parse_rate
from btcctl.cli.network.waiting import parse_goal


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("0,1|2", [[0, 1], [2]]),
        ("0-2|3,4|5-5", [[0, 1, 2], [3, 4], [5]]),
        (" 2, 0 | 1 ", [[0, 2], [1]]),
        ("3", [[3]]),
    ],
)
def test_groups_of_nodes_are_ordinals_and_ranges(text: str, groups: list[list[int]]) -> None:
    assert parse_groups(text) == groups


def test_a_node_is_named_by_its_network_and_its_ordinal() -> None:
    assert parse_node("my-network") == NodeName("my-network", None)
    assert parse_node("my-network/12") == NodeName("my-network", 12)


@pytest.mark.parametrize(
    ("parse", "text", "words"),
    [
        (parse_groups, "", "names no groups"),
        (parse_groups, "0||1", "names no groups"),
        (parse_groups, "a|b", "names no groups"),
        (parse_groups, "0,1|1", "node 1 is in two groups"),
        (parse_groups, "3-1|0", "no range of nodes"),
        (parse_groups, "0-100000000|1", "no range of nodes"),
        (parse_groups, "0-99999999999999999999|1", "no range of nodes"),
        (parse_name, "a/b", "no network's name"),
        *((parse_name, text, "no network's name") for text in ("..", "a..b", "a.-b", "a" * 254)),
        (parse_node, "my-network/x", "neither NAME nor NAME/ORDINAL"),
        *((parse_node, text, "neither NAME nor NAME/ORDINAL") for text in ("n/", "n/٣", "n/" + "9" * 5000, "a..b/0")),
        (parse_groups, "٠|١", "names no groups"),
        (parse_node, "Üml/0", "neither NAME nor NAME/ORDINAL"),
        (parse_goal, "tall", "wait for ready, synced or height=N"),
        (parse_goal, "height=-1", "wait for ready, synced or height=N"),
        (parse_rate, "0", "more than 0"),
        (parse_rate, "nan", "more than 0"),
        *((parse_rate, text, "more than 0") for text in ("fast", "1_0", "٣", " 1", "1e3", "-1", "inf", ".")),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_does(parse: Callable[[str], Any], text: str, words: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=words):
        parse(text)


@pytest.mark.parametrize(
    "line",
    [
        *("status", "mine", "mine net none", "mine net 0", "partition net", "partition net x", "wait net --for tall"),
        *("logs net/x", "rpc net", "tx net --rate 0", "get -o yaml", "get --rpc-via smoke"),
        *(
            "get -n a/b",
            "status net -n ..",
            "run -n A",
            "view -n a/b",
            "doctor -n a_b",
            "mine a/b",
            "heal ../x",
            "get net/0",
            "mine net 1_0",
            "mine net ٣",
            "get --kubeconfig=",
            "view --token-file=",
            "sandbox --state=",
        ),
    ],
)
def test_bad_usage_ends_with_2_and_one_line_that_says_why(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(line.split(), {})
    assert caught.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"btcctl {line.split(maxsplit=1)[0]}: error: ")


def test_one_network_is_not_looked_for_in_all_namespaces(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["get", "net", "-A"], {}) == 2
    assert "net may be in several namespaces: say by -n which" in capsys.readouterr().err


def test_a_kubeconfig_that_is_not_there_is_bad_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["get", "--kubeconfig", "/nonexistent"], {}) == 2
    assert "/nonexistent" in capsys.readouterr().err


def test_a_namespace_of_the_kubeconfig_that_there_cannot_be_is_bad_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = kubeconfig("http://127.0.0.1:1")
    config["contexts"][0]["context"]["namespace"] = "a/b"
    write_kubeconfig(tmp_path / "config", config)
    assert main(["get", "--kubeconfig", str(tmp_path / "config")], {}) == 2
    assert "'a/b' is no namespace" in capsys.readouterr().err


def test_a_call_without_a_method_misses_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["rpc", "net"], {})
    assert end.value.code == 2
    assert capsys.readouterr().err.endswith("the following arguments are required: METHOD\n")
