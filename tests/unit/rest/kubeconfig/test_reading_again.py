"""A kubeconfig that somebody has rewritten is read again after a 401, and only then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.kubeconfig import load
from btcctl.testing import capture_logs
from tests.unit.rest.kubeconfig.test_kubeconfig import document


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config"


@pytest.fixture(autouse=True)
def logs():
    with capture_logs() as logs:
        yield logs


def write(path: Path, user: dict[str, Any], cluster: dict[str, Any] | None = None) -> None:
    """In a new file each time: a rewrite within one tick of the file system's clock counts, too."""
    new = path.with_suffix(".new")
    new.write_text(yaml.safe_dump(document(user, cluster)))
    new.replace(path)


def loaded(path: Path, user: dict[str, Any], cluster: dict[str, Any] | None = None) -> ClientConfig:
    write(path, user, cluster)
    return load([path])


def test_a_new_token_is_used_after_a_refusal_and_not_before(path: Path):
    credentials = loaded(path, {"token": "one"}).credentials
    write(path, {"token": "two"})
    assert credentials.authorization() == "Bearer one"
    assert credentials.rejected("Bearer one")
    assert credentials.authorization() == "Bearer two"


def test_a_refusal_of_what_has_been_replaced_meanwhile_is_worth_another_try(path: Path):
    credentials = loaded(path, {"token": "one"}).credentials
    write(path, {"token": "two"})
    credentials.rejected("Bearer one")
    assert credentials.rejected("Bearer one")
    assert not credentials.rejected("Bearer two")


def test_a_file_that_has_not_changed_is_not_read_again(path: Path, monkeypatch: pytest.MonkeyPatch):
    credentials = loaded(path, {"token": "one"}).credentials
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("read"))
    assert not credentials.rejected("Bearer one")


def test_new_certificates_are_used_too(path: Path):
    pair = {"client-certificate-data": "QQ==", "client-key-data": "Qg=="}
    config = loaded(path, pair)
    write(path, {**pair, "client-key-data": "Qw=="}, {"certificate-authority-data": "RA=="})
    assert config.credentials.rejected("")
    assert config.current_tls is not None
    assert (config.current_tls().client_data, config.current_tls().ca_data) == (b"A\nC", b"D")


def test_another_kind_of_login_may_take_its_place(path: Path, tmp_path: Path):
    (tmp_path / "token").write_text("of-file")
    credentials = loaded(path, {"username": "ann", "password": "pw"}).credentials
    write(path, {"tokenFile": "token"})
    assert credentials.rejected("Basic x")
    assert credentials.authorization() == "Bearer of-file"


@pytest.mark.parametrize("text", ["", "a: [", "users: 5", "current-context: gone"])
def test_while_it_is_half_written_the_last_one_serves(path: Path, text: str, logs: list[Any]):
    credentials = loaded(path, {"token": "one"}).credentials
    path.write_text(text)
    assert not credentials.rejected("Bearer one")
    assert [each["log_level"] for each in logs] == ["warning"]
    write(path, {"token": "two"})
    assert credentials.rejected("Bearer one")


def test_one_that_has_vanished_is_no_reason_to_stop(path: Path):
    credentials = loaded(path, {"token": "one"}).credentials
    path.unlink()
    assert not credentials.rejected("Bearer one")
    assert credentials.authorization() == "Bearer one"


@pytest.mark.parametrize(
    ("user", "cluster"),
    [
        ({"token": "two"}, {"server": "https://other.example"}),
        ({"token": "two"}, {"proxy-url": "http://proxy:1"}),
        ({"token": "two", "as": "ann"}, {}),
    ],
)
def test_credentials_for_another_server_or_person_are_not_sent_to_this_one(
    path: Path, user: dict[str, Any], cluster: dict[str, Any], logs: list[Any]
):
    credentials = loaded(path, {"token": "one"}).credentials
    write(path, user, cluster)
    assert not credentials.rejected("Bearer one")
    assert credentials.authorization() == "Bearer one"
    assert "start again to follow it" in logs[0]["event"]


def test_a_file_that_comes_into_being_before_the_others_counts(path: Path, tmp_path: Path):
    write(path, {"token": "one"})
    credentials = load([tmp_path / "first", path]).credentials
    write(tmp_path / "first", {"token": "two"})
    assert credentials.rejected("Bearer one")
    assert credentials.authorization() == "Bearer two"
