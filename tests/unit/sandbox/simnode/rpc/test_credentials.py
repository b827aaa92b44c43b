from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from btcctl.sandbox.simnode.rpc.credentials import Cookie, Credentials, RpcAuth


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


def test_a_plain_password_may_hold_colons_and_other_alphabets() -> None:
    credentials = Credentials(["user:a:b ü"], [])
    assert credentials.admit(basic("user:a:b ü"))
    assert not credentials.admit(basic("user:a:b"))
    assert not credentials.admit(basic("user"))


def test_a_salted_password_is_admitted_and_its_line_does_not_tell_it() -> None:
    auth = RpcAuth.of("user", "päss#word")
    credentials = Credentials([], [RpcAuth.parse(str(auth)), RpcAuth.of("other", "x")])
    assert credentials.admit(basic("user:päss#word"))
    assert credentials.admit(basic("other:x"))
    assert not credentials.admit(basic("other:päss#word"))
    assert "päss" not in str(auth)


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!!", "Bearer abc", "Basic /w==", "basic dTpw", "Basic ü"])
def test_what_is_no_login_is_refused(header: str) -> None:
    assert not Credentials(["u:p"], [RpcAuth.of("u", "p")]).admit(header)


@pytest.mark.parametrize("line", ["", "u", "u:s", "u:$d", ":s$d", "u:s$"])
def test_a_malformed_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="Invalid -rpcauth"):
        RpcAuth.parse(line)


def test_a_cookie_is_private_new_each_time_and_removed(tmp_path: Path) -> None:
    path = tmp_path / ".cookie"
    for _ in range(2):
        cookie = Cookie(path)
        cookie.write()
        assert path.read_text() == cookie.pair
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert cookie.pair != Cookie(path).pair
    cookie.remove()
    cookie.remove()
    assert not path.exists()
