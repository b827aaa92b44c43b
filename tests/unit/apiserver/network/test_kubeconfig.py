from __future__ import annotations

import base64
from pathlib import Path

import yaml

from btcctl.apiserver.network.kubeconfig import kubeconfig, write_kubeconfig


def test_it_leads_to_the_server_with_token_and_authority() -> None:
    config = kubeconfig("https://127.0.0.1:1", token="secret", authority=b"PEM", namespace="blue")
    assert config["clusters"][0]["cluster"] == {
        "server": "https://127.0.0.1:1",
        "certificate-authority-data": base64.b64encode(b"PEM").decode(),
    }
    assert config["users"][0]["user"] == {"token": "secret"}
    assert config["contexts"][0]["context"]["namespace"] == "blue"
    assert config["current-context"] == config["contexts"][0]["name"]


def test_it_is_replaced_in_one_step_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("old")
    config = kubeconfig("http://127.0.0.1:1")
    write_kubeconfig(path, config)
    assert yaml.safe_load(path.read_text()) == config
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
