"""What is printed for people and for programs, whoever has written what stands in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest

from btcctl.bitcoin.client.networks import Networks
from btcctl.bitcoin.crd import load_crd
from btcctl.cli.main import main
from btcctl.cli.network import screen, status, target, waiting
from btcctl.testing.fake_client import FakeClient
from tests.unit.bitcoin.builders import network_body


def test_what_others_have_written_gives_a_terminal_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    orders = "\x1b]0;title\x07 two\nlines\t\x9b2J"
    screen.console().print(screen.table(("A", "B"), [[orders, screen.good(orders, is_good=True)]]))
    said = capsys.readouterr().out
    assert said.count("two lines") == 2
    assert all(each.isprintable() for each in said.replace("\n", ""))


CRD = load_crd()
NODES = ("NODE", "STATE", "VERSION", "ADDRESS")
ROWS = [["0", "synced", "/Satoshi:29.4.3/Knots:20260508/", "127.149.0.12"], ["1", "behind", "/Satoshi:29.0.0/", ""]]


def drawn(width: int, header: Sequence[str], rows: Sequence[Sequence[str]], **how: Any) -> str:
    """A table on a terminal of so many columns."""
    from rich.console import Console  # noqa: PLC0415  late, as in `screen`

    paper = StringIO()
    Console(file=paper, width=width).print(screen.table(header, rows, room=width, **how))
    return paper.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_narrow_terminal_cuts_nothing_that_is_shown(width: int) -> None:
    message = "the Service and the StatefulSet are this network's own, and so on and on to the end of it"
    shown = drawn(width, ("CONDITION", "STATUS", "MESSAGE"), [["Conflict", "False", message]])
    assert "…" not in shown
    assert all(word in shown for word in ("CONDITION", "STATUS", "False", *message.split()))
    assert all(len(line) <= width for line in shown.splitlines())


def test_on_a_narrow_terminal_columns_that_can_be_done_without_go_first() -> None:
    wide = drawn(80, NODES, ROWS, folded="VERSION", spare=("ADDRESS",))
    assert "127.149.0.12" in wide
    narrow = drawn(40, NODES, ROWS, folded="VERSION", spare=("ADDRESS",))
    assert "ADDRESS" not in narrow
    assert "NODE" in narrow
    assert "synced" in narrow
    assert "…" not in narrow


def test_what_goes_to_no_terminal_has_all_columns_on_one_line() -> None:
    shown = drawn(10_000, NODES, ROWS, folded="VERSION", spare=("ADDRESS",))
    assert shown.splitlines()[1].split() == ROWS[0]


def with_networks(
    monkeypatch: pytest.MonkeyPatch, *networks: str | dict[str, Any], definitions: Sequence[dict[str, Any]] = (CRD,)
) -> None:
    """Commands find these, whatever cluster their flags mean."""
    bodies = [network_body(each) if isinstance(each, str) else each for each in networks]
    client = FakeClient(*bodies, types=definitions)

    @contextmanager
    def opened(args: object) -> Iterator[target.Place]:
        yield target.Place(Networks(client), "default")

    monkeypatch.setattr(target, "opened", opened)


@pytest.mark.parametrize("names", [(), ("a", "b")])
def test_names_are_a_line_each_and_none_is_no_line(
    names: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_networks(monkeypatch, *names)
    assert main(["get", "-o", "name"], {}) == 0
    assert capsys.readouterr().out.splitlines() == list(names)


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_watch_that_is_interrupted_has_ended_as_asked(
    output: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    with_networks(monkeypatch, "net")
    monkeypatch.setattr(status, "sleep", interrupt)
    assert main(["status", "net", "--watch", "-o", output], {}) == 0
    assert "net" in capsys.readouterr().out


@pytest.mark.parametrize("output", ["text", "json"])
def test_who_reads_a_watch_through_a_pipe_gets_each_look_when_it_is_made(
    output: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def look_and_interrupt(seconds: float) -> None:
        seen.append(capsys.readouterr().out)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with_networks(monkeypatch, "net")
    monkeypatch.setattr(status, "sleep", look_and_interrupt)
    assert main(["status", "net", "--watch", "-o", output], {}) == 0
    assert ["net" in each for each in seen] == [True, True]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"nodes": 5, "suspend": True}, "suspended, none of 5 nodes runs"),
        ({"nodes": 0}, "no nodes are asked for"),
        ({"nodes": 3}, "0 of 3 nodes answer"),
    ],
)
def test_a_network_without_nodes_says_why_and_draws_none(
    spec: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_networks(monkeypatch, network_body(**spec))
    assert main(["status", "net"], {}) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0] == f"default/net: {words}"
    assert "LINKS" not in said
    assert "CONDITION" in said


@pytest.mark.parametrize("command", ["mine", "tx", "rpc", "logs"])
def test_a_command_for_which_no_node_runs_has_failed_and_says_why(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = {"type": "Ready", "status": "False", "reason": "Suspended", "message": "spec.suspend is true"}
    resting = network_body(nodes=2, suspend=True)
    resting["status"] = {"conditions": [{**ready, "lastTransitionTime": "2026-01-01T00:00:00Z"}]}
    with_networks(monkeypatch, resting)
    more = ["getblockcount"] if command == "rpc" else []
    assert main([command, "net", *more], {}) == 1
    assert "no node of net runs: Suspended: spec.suspend is true" in capsys.readouterr().err


def test_a_partition_names_all_sides_and_one_side_is_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_networks(monkeypatch, network_body(nodes=4))
    assert main(["partition", "net", "0,2"], {}) == 0
    assert "net is to be split: 0 2 | 1 3." in capsys.readouterr().out
    assert main(["partition", "net", "0-3"], {}) == 2
    assert "leaves no node on another side" in capsys.readouterr().err


def test_an_address_that_is_empty_is_not_taken_for_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["mine", "net", "--to", ""], {})
    assert end.value.code == 2
    assert "--to: '' is no address" in capsys.readouterr().err


def refused(reason: str, observed: int) -> dict[str, Any]:
    """A network whose controller has seen that generation of it, and refused it."""
    body = network_body(nodes=2)
    ready = {"type": "Ready", "status": "False", "reason": reason, "message": "why", "lastTransitionTime": LONG_AGO}
    return {**body, "status": {"observedGeneration": observed, "conditions": [ready]}}


def leaving() -> dict[str, Any]:
    body = network_body(nodes=2)
    return {**body, "metadata": {**body["metadata"], "deletionTimestamp": LONG_AGO, "finalizers": ["a.b/c"]}}


LONG_AGO = "2026-01-01T00:00:00Z"
HOPELESS = {
    "suspended": (network_body(nodes=2, suspend=True), "spec.suspend is true"),
    "without nodes": (network_body(nodes=0), "spec.nodes is 0"),
    "on its way out": (leaving(), "it is being deleted"),
    "refused": (refused("InvalidSpec", 1), "InvalidSpec: why"),
}


@pytest.mark.parametrize("goal", ["ready", "synced", "height=3"])
@pytest.mark.parametrize("name", HOPELESS)
def test_a_wait_that_nothing_can_come_of_ends_at_once_and_says_why(
    name: str, goal: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, words = HOPELESS[name]
    with_networks(monkeypatch, network)
    monkeypatch.setattr(waiting, "sleep", lambda seconds: pytest.fail("it waits"))
    assert main(["wait", "net", "--for", goal], {}) == 1
    assert capsys.readouterr().err == f"btcctl wait: net will never {'have' if '=' in goal else 'be'} {goal}: {words}\n"


def test_what_the_controller_has_refused_before_the_last_change_is_waited_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_networks(monkeypatch, refused("InvalidSpec", 0))
    assert main(["wait", "net", "--timeout", "0"], {}) == 1
    assert "the controller has not seen the latest change yet" in capsys.readouterr().err


def test_a_wait_in_a_cluster_without_the_definition_ends_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_networks(monkeypatch, definitions=[])
    assert main(["wait", "net"], {}) == 1
    assert "is the CRD installed" in capsys.readouterr().err
