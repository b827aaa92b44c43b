from __future__ import annotations

import socket
from typing import Any

from btcctl.bitcoin.children import NETWORK_LABEL
from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.doctor.nodes import check_images, check_reach, check_secrets, try_to_connect
from btcctl.testing.fake_client import FakeClient
from tests.unit.bitcoin.builders import network_body, secret_body
from tests.unit.bitcoin.doctor.test_rights import reviewed

GOOD = {"BC_RPC_USER": "u", "BC_RPC_PASSWORD": "p"}


def pod(name: str = "net-sts-0", address: str = "10.0.0.1", waiting: str = "") -> dict[str, Any]:
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    container = {"name": "bitcoind", "image": "i:1", "ports": [{"name": "rpc", "containerPort": 8332}]}
    status = {"phase": "Pending" if waiting else "Running", "podIP": address}
    status["containerStatuses"] = [{"name": "bitcoind", "image": "i:1", "state": state}]  # type: ignore[assignment]
    labels = {NETWORK_LABEL: "net"}
    meta = {"name": name, "namespace": "default", "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}, "status": status}


def with_network(secret: str | None, *others: dict[str, Any], refused: tuple[str, str] = ("", "")) -> FakeClient:
    client = FakeClient(*others, types=[load_crd()])
    body = network_body()
    if secret is not None:
        body["spec"]["secret"] = secret
    client.resource(client.type_of(body["apiVersion"], body["kind"]), "default").create(body)
    client.post_json = reviewed(refused).post_json  # type: ignore[method-assign]
    return client


def test_a_secret_that_is_there_is_good() -> None:
    (found,) = check_secrets(with_network("mine", secret_body("mine", **GOOD)), (), "home:sva")
    assert found.verdict == "ok"


def test_a_secret_that_may_not_be_read_is_mended_in_its_own_namespace() -> None:
    (found,) = check_secrets(with_network("mine", refused=("get", "secrets")), (), "home:sva")
    assert found.verdict == "error"
    assert "--resource-name=mine" in found.cure
    assert "--serviceaccount=home:sva" in found.cure


def test_a_secret_that_is_missing_or_lacks_a_key_is_said() -> None:
    (missing,) = check_secrets(with_network("mine"), (), "home:sva")
    (half,) = check_secrets(with_network("mine", secret_body("mine", BC_RPC_USER="u")), (), "home:sva")
    assert "there is no Secret" in missing.message
    assert "has no BC_RPC_PASSWORD" in half.message


def test_an_image_that_does_not_come_is_said_once_for_all_pods() -> None:
    pods = [pod(f"net-sts-{number}", waiting="ImagePullBackOff") for number in range(3)]
    (found,) = check_images(FakeClient(*pods), ())
    assert found.verdict == "error"
    assert found.message.startswith("ImagePullBackOff: i:1 (3 pods")


def test_images_that_are_there_are_good() -> None:
    (found,) = check_images(FakeClient(pod()), ())
    assert found.verdict == "ok"


def test_nodes_are_tried_at_the_port_that_their_pod_names() -> None:
    tried: list[tuple[str, int]] = []

    def connect(address: str, port: int) -> str:
        tried.append((address, port))
        return ""

    (found,) = check_reach(FakeClient(pod()), (), connect)
    assert tried == [("10.0.0.1", 8332)]
    assert found.message == "1 of 1 nodes tried, all answer; they have IPv4"


def test_a_node_that_cannot_be_reached_is_named_with_what_to_try() -> None:
    (found,) = check_reach(FakeClient(pod()), (), lambda *_: "timed out")
    assert found.verdict == "error"
    assert "default/net-sts-0 at 10.0.0.1 port 8332: timed out" in found.message
    assert "networkpolicies" in found.cure


def test_nodes_of_two_families_are_a_warning() -> None:
    found = check_reach(FakeClient(pod(), pod("net-sts-1", "fd00::1")), (), lambda *_: "")
    assert [each.verdict for each in found] == ["ok", "warning"]


def test_networks_of_one_family_each_and_nodes_that_share_one_are_good() -> None:
    other = pod("other-sts-0", "fd00::1")
    other["metadata"]["labels"] = {NETWORK_LABEL: "other"}
    both = pod("net-sts-1", "fd00::2")
    both["status"]["podIPs"] = [{"ip": "fd00::2"}, {"ip": "10.0.0.2"}]
    (found,) = check_reach(FakeClient(pod(), both, other), (), lambda *_: "")
    assert found.message == "3 of 3 nodes tried, all answer; they have IPv4 and IPv6"


def test_a_name_that_no_secret_can_have_is_in_no_command_that_somebody_copies() -> None:
    definition = load_crd()
    for version in definition["spec"]["versions"]:  # one from before names were checked
        version["schema"] = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    client = FakeClient(types=[definition])
    body = network_body()
    body["spec"]["secret"] = "$(reboot)"
    client.resource(client.type_of(body["apiVersion"], body["kind"]), "default").create(body)
    client.post_json = reviewed().post_json  # type: ignore[method-assign]
    (found,) = check_secrets(client, (), "home:sva")
    assert found.verdict == "error"
    assert "no Secret can be called '$(reboot)'" in found.message
    assert "reboot" not in found.cure


def test_a_port_that_nobody_listens_on_is_told_in_the_systems_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert "refused" in try_to_connect("127.0.0.1", taken.getsockname()[1])
