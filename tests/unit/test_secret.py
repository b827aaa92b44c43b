from __future__ import annotations

import copy
import traceback
from pathlib import Path

import pytest

import btcctl
from btcctl.errors import ConfigError
from btcctl.secret import Secret, SecretBytes, SecretMapping, hiding_frames

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


def test_what_is_wrong_with_a_kubeconfig_is_told_without_what_stands_in_it(tmp_path: Path):
    path = tmp_path / "config"
    path.write_text(f"users: [{{name: u, user: {{token: {PASSWORD}, as-groups: 5}}}}]")
    with pytest.raises(ConfigError) as caught:
        btcctl.load_config(environ={"KUBECONFIG": str(path), "PASSWORD": PASSWORD})
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "hunter" not in shown
