"""What the command says when it fails."""

from __future__ import annotations

import json

from btcctl.cli.main import main
from tests.integration.rest.servers import SocketServer

EVIL = {
    "kind": "Status",
    "status": "Failure",
    "reason": "Forbidden",
    "message": "\x1b[31m no\x1b]0;x\x07\r\nnext\u202e é",
}


def test_what_a_server_says_is_nothing_that_a_terminal_obeys(tmp_path, capsys):
    config = tmp_path / "config"
    with SocketServer([lambda peer: peer.read_request() and peer.respond(EVIL, status=403)]) as server:
        config.write_text(
            json.dumps(
                {
                    "clusters": [{"name": "a", "cluster": {"server": f"http://127.0.0.1:{server.port}"}}],
                    "contexts": [{"name": "a", "context": {"cluster": "a"}}],
                    "current-context": "a",
                }
            )
        )
        assert main(["get", "--kubeconfig", str(config)]) == 1
    said = capsys.readouterr().err
    assert r"Forbidden: \x1b[31m no\x1b]0;x\x07" in said
    assert said.endswith("next\\u202e é\n")
