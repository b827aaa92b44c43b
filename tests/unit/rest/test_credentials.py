from __future__ import annotations

import asyncio
import dataclasses
import pprint
from collections.abc import Callable
from pathlib import Path

import pytest

from btcctl.errors import ConfigError, TransportError
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.config.tls import Tls
from btcctl.rest.credentials import StaticCredentials, TokenFile, rejected_within
from btcctl.rest.http import HttpTransport
from btcctl.rest.transport.transport import Request
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("one\n")
    return file


def test_a_token_is_sent_without_the_files_newline(path: Path):
    assert TokenFile(path).authorization() == "Bearer one"


def test_a_token_is_read_again_after_a_minute_and_not_before(path: Path):
    clock = FakeClock()
    token = TokenFile(path, clock=clock)
    token.authorization()
    path.write_text("two")
    clock.advance(59.0)
    assert token.authorization() == "Bearer one"
    clock.advance(1.0)
    assert token.authorization() == "Bearer two"


def test_a_refused_token_is_read_again_at_once(path: Path):
    token = TokenFile(path, clock=FakeClock())
    used = token.authorization()
    path.write_text("two")
    assert token.rejected(used)
    assert token.authorization() == "Bearer two"


def test_a_refused_token_that_is_still_the_newest_is_not_worth_another_try(path: Path):
    token = TokenFile(path, clock=FakeClock())
    assert not token.rejected(token.authorization())


def test_the_last_token_serves_on_while_the_file_cannot_be_read(path: Path):
    clock = FakeClock()
    token = TokenFile(path, clock=clock)
    token.authorization()
    path.unlink()
    clock.advance(60.0)
    with capture_logs() as logs:
        assert token.authorization() == "Bearer one"
    assert logs[0]["log_level"] == "warning"
    assert "No such file" in logs[0]["error"]


def test_an_emptied_file_keeps_the_last_token_too(path: Path):
    clock = FakeClock()
    token = TokenFile(path, clock=clock)
    token.authorization()
    path.write_text("")
    clock.advance(60.0)
    assert token.authorization() == "Bearer one"


def test_without_any_token_the_error_names_the_file_and_what_to_do(tmp_path: Path):
    token = TokenFile(tmp_path / "token", hint="mount one")
    with pytest.raises(ConfigError, match=r"token: No such file or directory; mount one"):
        token.authorization()


@pytest.mark.parametrize("content", ["", " \n", "a\nb", "tökén"])
def test_what_no_header_can_carry_is_refused_without_being_shown(path: Path, content: str):
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        TokenFile(path).authorization()
    assert "tökén" not in str(caught.value)


def test_fixed_credentials_show_no_secret():
    credentials = StaticCredentials.bearer("s3cret")
    assert credentials.authorization() == "Bearer s3cret"
    assert "s3cret" not in repr(credentials)
    assert not credentials.rejected("Bearer s3cret")


def test_no_object_of_a_configuration_shows_a_secret_however_it_is_looked_at():
    tls = Tls(client_data=b"s3cret")
    config = ClientConfig(
        "https://x", credentials=StaticCredentials("Bearer s3cret"), tls=tls, proxy_url="http://u:s3cret@p"
    )
    shown = (config, vars(config), dataclasses.asdict(config), dataclasses.astuple(tls), [tls.client_data[:3]])
    assert "s3cret" not in repr(shown)
    assert "s3cret" not in pprint.pformat(shown)


class OfAProgram:
    """Credentials of a program's own."""

    def __init__(self, give: Callable[[], str]) -> None:
        self.authorization = give

    def rejected(self, authorization: str) -> bool:
        raise KeyError("provider")


def missing() -> str:
    raise KeyError("provider")


def cancelled() -> str:
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("give", "error", "words"),
    [
        (missing, TransportError, "no credentials are to be had: KeyError: 'provider'"),
        (cancelled, TransportError, "no credentials are to be had: CancelledError"),
        (lambda: "Bearer a\nX: b", ConfigError, "what the credentials give contains characters"),
        (lambda: "Bearer \u20ac", ConfigError, "what the credentials give contains characters"),
    ],
)
def test_what_a_programs_own_credentials_do_is_the_failure_of_that_request(give, error, words):
    transport = HttpTransport(ClientConfig("http://127.0.0.1:9", credentials=OfAProgram(give)))
    with pytest.raises(error, match=words):
        transport.request(Request("GET", "/"), timeout=5.0)
    with pytest.raises(TransportError, match="no credentials"):
        rejected_within(OfAProgram(give), "Bearer a", 5.0, FakeClock())
