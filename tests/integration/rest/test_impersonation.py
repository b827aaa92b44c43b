"""Acting as somebody else: what goes over the wire, and what a server makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from btcctl.errors import Forbidden
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.config.impersonation import Impersonation
from btcctl.rest.http import HttpTransport
from btcctl.rest.loading import load_config
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request
from btcctl.testing.control_plane import ControlPlane
from tests.integration.rest.servers import SocketServer, always

ANN = Impersonation("ann", "7", ("a", "b, c"), {"scopes/x": ("é",)})
REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


def test_whom_to_act_as_stands_in_every_request_and_groups_one_by_one():
    with SocketServer([always()]) as server:
        transport = HttpTransport(ClientConfig(server.url, impersonation=ANN))
        transport.request(Request("GET", "/version"), timeout=5.0)
        transport.stream(Request("GET", "/x"), timeout=5.0, idle_timeout=5.0, breaker=Breaker()).close()
        transport.close()
    for received in server.requests:
        lines = [each for each in received.header_lines if each.startswith("Impersonate")]
        assert lines == [
            "Impersonate-User: ann",
            "Impersonate-Uid: 7",
            "Impersonate-Group: a",
            "Impersonate-Group: b, c",
            "Impersonate-Extra-scopes%2Fx: é",
        ]
    assert len(server.requests) == 2


@pytest.mark.real_server
def test_a_real_server_takes_us_for_whom_the_kubeconfig_says(lone_control_plane: ControlPlane, tmp_path: Path):
    path = lone_control_plane.kubeconfig()
    whole = yaml.safe_load(path.read_text())
    user = {"as": "ann", "as-uid": "7", "as-groups": ["a", "b"], "as-user-extra": {"scopes/x": ["1", "2"]}}
    whole["users"][0]["user"].update(user)
    acting = tmp_path / "config"
    acting.write_text(yaml.safe_dump(whole))
    with ApiClient.from_config(load_config(acting)) as client:
        answer = client.call(Request("POST", REVIEW, headers={"Content-Type": "application/json"}, body=b"{}"))
        info = json.loads(answer.body)["status"]["userInfo"]
        assert (info["username"], info["uid"], info["extra"]) == ("ann", "7", {"scopes/x": ["1", "2"]})
        assert info["groups"] == ["a", "b", "system:authenticated"]
        with pytest.raises(Forbidden, match="ann"):
            client.get_json("/api/v1/secrets")


@pytest.mark.real_server
def test_who_may_not_act_as_somebody_else_is_told_so(lone_control_plane: ControlPlane):
    config = load_config(lone_control_plane.kubeconfig("alice"))
    with (
        ApiClient.from_config(replace(config, impersonation=ANN)) as client,
        pytest.raises(Forbidden, match="cannot impersonate"),
    ):
        client.server_version()
