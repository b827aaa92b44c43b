"""What is printed for people and for programs, whoever has written what stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from btcctl.bitcoin.client.networks import Networks
from btcctl.bitcoin.crd import load_crd
from btcctl.cli.main import main
from btcctl.cli.network import screen, status, target
from btcctl.testing.fake_client import FakeClient
from tests.unit.bitcoin.builders import network_body


def test_what_others_have_written_gives_a_terminal_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    orders = "\x1b]0;title\x07 two\nlines\t\x9b2J"
    screen.console().print(screen.table(("A", "B"), [[orders, screen.good(orders, is_good=True)]]))
    said = capsys.readouterr().out
    assert said.count("two lines") == 2
    assert all(each.isprintable() for each in said.replace("\n", ""))


def with_networks(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Commands find these, whatever cluster their flags mean."""
    client = FakeClient(*map(network_body, names), types=[load_crd()])

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
