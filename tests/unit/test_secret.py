from __future__ import annotations

import copy
import traceback
from pathlib import Path
from typing import Any

import pytest

import btcctl
from btcctl import Object, ObjectKey, create_or_update
from btcctl.errors import ConfigError, NotFound
from btcctl.resources import SECRETS
from btcctl.secret import Secret, SecretBytes, SecretMapping, hiding_bodies, hiding_frames
from btcctl.testing import FakeClient

PASSWORD = "hunter2"


@pytest.mark.parametrize("secret", [Secret("hunter2" * 50), SecretBytes(b"hunter2" * 50)])
def test_a_secret_is_what_it_holds_and_shows_nothing(secret):
    assert secret.startswith(secret[:3])
    assert len(secret) == 350
    for shown in (repr(secret), repr(secret[:80]), repr([secret]), repr({"a": secret}), f"{secret!r}"):
        assert "hunter" not in shown
    assert copy.deepcopy(secret) == secret


def test_a_byte_of_secret_bytes_is_a_number():
    assert SecretBytes(b"a")[0] == 97


def test_a_mapping_is_read_as_usual_and_shows_nothing():
    mapping = SecretMapping({"PASSWORD": "hunter2"})
    assert mapping["PASSWORD"] == "hunter2"
    assert (list(mapping), len(mapping), mapping.get("other")) == (["PASSWORD"], 1, None)
    assert "hunter" not in repr((mapping, dir(mapping)))


def test_an_error_leaves_without_the_frames_that_knew_the_secret():
    @hiding_frames
    def login() -> None:
        password = "hunter2"
        try:
            raise OSError(password)
        except OSError as error:
            raise ConfigError("login failed") from error

    with pytest.raises(ConfigError) as caught:
        login()
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "hunter" not in shown
    assert "login failed" in shown


def shown_with_values(error: BaseException) -> str:
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def body() -> dict[str, Any]:
    return {"metadata": {"name": "a"}, "stringData": {"key": PASSWORD}}


@pytest.mark.parametrize("error", [ZeroDivisionError("bug"), NotFound(404, "NotFound"), KeyboardInterrupt()])
def test_what_an_author_raises_keeps_the_authors_frames_and_no_others(error: BaseException) -> None:
    def mutate(body: dict[str, Any]) -> None:
        body.update(stringData={"key": PASSWORD})
        del body
        try:
            raise LookupError("why")
        except LookupError:
            raise error  # noqa: B904

    maps = FakeClient().resource(SECRETS, "default")
    with pytest.raises(type(error)) as caught:
        create_or_update(maps, ObjectKey("default", "a"), mutate, cached=None)
    shown = shown_with_values(caught.value)
    assert "raise error" in shown
    assert 'raise LookupError("why")' in shown
    assert "hunter" not in shown


def test_half_a_character_is_told_without_the_text_that_it_stands_in() -> None:
    with pytest.raises(ValueError, match="no Unicode: surrogates not allowed, at character 7") as caught:
        Object.from_body(body() | {"spec": PASSWORD + "\ud800"})
    assert type(caught.value) is ValueError  # a UnicodeEncodeError holds the text


def test_an_error_whose_causes_go_round_in_a_circle_ends() -> None:
    @hiding_bodies
    def take() -> None:
        one = ValueError("one")
        try:
            raise KeyError("two") from one
        except KeyError as two:
            raise one from two

    with pytest.raises(ValueError, match="one"):
        take()


def test_what_is_wrong_with_a_kubeconfig_is_told_without_what_stands_in_it(tmp_path: Path):
    path = tmp_path / "config"
    path.write_text(f"users: [{{name: u, user: {{token: {PASSWORD}, as-groups: 5}}}}]")
    with pytest.raises(ConfigError) as caught:
        btcctl.load_config(environ={"KUBECONFIG": str(path), "PASSWORD": PASSWORD})
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "hunter" not in shown
