"""A login that hangs must not hang the controller."""

from __future__ import annotations

from pathlib import Path

import pytest

from btcctl.clock import SYSTEM_CLOCK
from btcctl.errors import TransportError
from btcctl.rest import login as login_module
from btcctl.rest.login import Login
from btcctl.testing.clock import FakeClock

ANSWER = '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "one"}}'


def test_a_plugin_that_hangs_is_given_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    plugin = tmp_path / "plugin"
    plugin.write_text(f"#!/bin/sh\ncd {tmp_path}; test -e slow && sleep 1\necho '{ANSWER}'\n")
    plugin.chmod(0o700)
    clock = FakeClock()
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin)}}
    login = Login({"server": "https://x.example"}, user, "the test", clock=clock)
    (tmp_path / "slow").touch()
    clock.advance(60.0)
    monkeypatch.setattr(login_module, "_AGAIN_SECONDS", 0.2)
    began = SYSTEM_CLOCK.now()
    with pytest.raises(TransportError, match=r"the test: logging in again took more than 0\.2 s"):
        login.rejected("Bearer one")
    assert SYSTEM_CLOCK.now() - began < 0.9
    assert login.authorization() == "Bearer one"
