"""`btcctl debug` and `btcctl view --operator`: where an operator serves."""

from __future__ import annotations

import pytest

from btcctl.cli.debug import parse_where
from btcctl.cli.main import main


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (":8080", "127.0.0.1:8080"),
        ("localhost:1", "localhost:1"),
        ("btcctl-metrics.a.svc:8080", "btcctl-metrics.a.svc:8080"),
        ("[::1]:8080", "[::1]:8080"),
    ],
)
def test_an_operator_serves_at_a_host_and_a_port(text: str, where: str) -> None:
    assert parse_where(text) == where


@pytest.mark.parametrize("text", [" ", "localhost", "a b:1", "a/b:1", ":0", ":65536", ":0x50", "http://a:1", "[::1"])
@pytest.mark.parametrize("words", [("debug", "queue", "--address"), ("view", "--operator")])
def test_what_is_no_such_address_is_a_usage_error(words: tuple[str, ...], text: str, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, text], {})
    assert ended.value.code == 2
    assert f"{words[-1]}: {text!r} is no address; write 127.0.0.1:8080" in capsys.readouterr().err
