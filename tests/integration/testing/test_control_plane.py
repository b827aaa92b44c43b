"""ControlPlane with the real programs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from btcctl.clock import SYSTEM_CLOCK
from btcctl.errors import BtcctlError, Forbidden, Gone, NotFound, TransportError, Unauthorized
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS, NAMESPACES, PODS, ROLE_BINDINGS, ROLES, STATEFUL_SETS
from btcctl.rest.client import ApiClient
from btcctl.rest.transport.transport import Request
from btcctl.testing.control_plane import (
    CONTROLLERS,
    ControlPlane,
    ControlPlaneError,
    ControlPlaneOptions,
    NotOurs,
    find_binaries,
    servers,
)
from btcctl.testing.control_plane.ports import free_ports
from btcctl.testing.pytest_plugin import NewControlPlane
from tests.integration.support import eventually

pytestmark = pytest.mark.real_server

WITHOUT_CONTROLLERS = ControlPlaneOptions(controllers=())
RBAC = "rbac.authorization.k8s.io"

#: Holds a control plane whose API server does not listen to SIGTERM either.
HOLDER = """
from btcctl.testing.control_plane import ControlPlane
control_plane = ControlPlane()
control_plane.start()
control_plane.pause()
print("ready", flush=True)
input()
"""


def config_map(name: str, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": {}}


@pytest.fixture
def client(control_plane: ControlPlane) -> ApiClient:
    return control_plane.client()


@pytest.fixture
def namespace(client: ApiClient) -> Iterator[str]:
    name = f"test-{uuid.uuid4().hex[:8]}"
    client.resource(NAMESPACES).create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    client.resource(NAMESPACES).delete(ObjectKey("", name))


def let_list_pods(client: ApiClient, namespace: str, subject: dict[str, str]) -> None:
    version = {"apiVersion": f"{RBAC}/v1", "metadata": {"name": "pods"}}
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    client.resource(ROLES, namespace).create({**version, "kind": "Role", "rules": [rule]})
    reference = {"apiGroup": RBAC, "kind": "Role", "name": "pods"}
    binding = {**version, "kind": "RoleBinding", "roleRef": reference, "subjects": [subject]}
    client.resource(ROLE_BINDINGS, namespace).create(binding)


def pods_of(client: ApiClient, namespace: str) -> list[str]:
    return sorted(each.key.name for each in client.resource(PODS, namespace).list()[0])


class TestTheSharedOne:
    def test_says_which_version_it_is(self, client):
        version = client.server_version()
        assert version["gitVersion"].startswith("v1.")
        assert version["major"] == "1"

    def test_a_user_nobody_allowed_anything_is_forbidden(self, control_plane, namespace):
        with pytest.raises(Forbidden, match='User "alice" cannot list'):
            control_plane.client("alice").resource(PODS, namespace).list()

    def test_a_user_may_what_a_role_allows(self, control_plane, client, namespace):
        let_list_pods(client, namespace, {"kind": "User", "name": "bob", "apiGroup": RBAC})
        alice, bob = control_plane.client("alice"), control_plane.client("bob")
        assert eventually(lambda: reads(bob, namespace))  # the authorizer follows the bindings by a watch
        assert not reads(alice, namespace)

    def test_a_user_may_what_its_group_may(self, control_plane, client, namespace):
        let_list_pods(client, namespace, {"kind": "Group", "name": "readers", "apiGroup": RBAC})
        carol = control_plane.client("carol", ["readers"])
        assert eventually(lambda: reads(carol, namespace))

    def test_a_service_account_has_a_kubeconfig_with_a_token(self, control_plane, client, namespace):
        eventually(lambda: has_account(client, namespace))
        let_list_pods(client, namespace, {"kind": "ServiceAccount", "name": "default", "namespace": namespace})
        robot = control_plane.client_from(control_plane.service_account_kubeconfig(namespace, "default"))
        assert eventually(lambda: reads(robot, namespace))

    def test_a_service_account_that_does_not_exist_has_none(self, control_plane, namespace):
        with pytest.raises(NotFound):
            control_plane.service_account_kubeconfig(namespace, "nobody")

    def test_kubectl_takes_its_kubeconfigs(self, control_plane):
        kubectl = find_binaries().kubectl
        assert kubectl
        command = [str(kubectl), "--kubeconfig", str(control_plane.kubeconfig()), "auth", "can-i", "*", "*"]
        assert subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout == "yes\n"

    def test_a_stateful_set_makes_its_pods(self, client, namespace):
        eventually(lambda: has_account(client, namespace))
        client.resource(STATEFUL_SETS, namespace).create(stateful_set(replicas=2))
        eventually(lambda: pods_of(client, namespace) == ["db-0", "db-1"])

    def test_what_an_owner_leaves_behind_is_collected(self, client, namespace):
        maps = client.resource(CONFIG_MAPS, namespace)
        owner = maps.create(config_map("owner"))
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.uid}
        child = maps.create(config_map("child", ownerReferences=[reference]))
        maps.delete(owner.key)
        eventually(lambda: child.key.name not in [each.key.name for each in maps.list()[0]])


def reads(client: ApiClient, namespace: str) -> bool:
    try:
        client.resource(PODS, namespace).list()
    except Forbidden:
        return False
    return True


def has_account(client: ApiClient, namespace: str) -> bool:
    try:
        client.get_json(f"/api/v1/namespaces/{namespace}/serviceaccounts/default")
    except NotFound:
        return False
    return True


def stateful_set(replicas: int) -> dict[str, Any]:
    labels = {"app": "db"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "db", "image": "db"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db"},
        "spec": {
            "replicas": replicas,
            "serviceName": "db",
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": labels},
            "template": template,
        },
    }


@pytest.fixture(scope="module")
def private() -> Iterator[ControlPlane]:
    """Without controllers, for what the shared one must be spared; each test leaves it serving."""
    with ControlPlane(WITHOUT_CONTROLLERS) as running:
        yield running


class TestOneOfOurOwn:
    def test_data_outlives_a_restart(self, private):
        maps = private.client().resource(CONFIG_MAPS, "default")
        maps.create(config_map("kept"))
        private.restart()
        assert maps.get(ObjectKey("default", "kept")).key.name == "kept"

    def test_an_old_watch_is_gone_after_compaction_and_restart(self, private):
        maps = private.client().resource(CONFIG_MAPS, "default")
        old = maps.create(config_map("watched")).resource_version
        maps.delete(ObjectKey("default", "watched"))
        private.compact()
        private.restart()
        with pytest.raises(Gone), maps.watch(resource_version=old, timeout_seconds=5) as events:
            list(events)

    def test_an_old_state_is_gone_once_the_server_knows_of_the_compaction(self, private):
        client = private.client()
        old = client.resource(CONFIG_MAPS, "default").create(config_map("early")).resource_version
        client.resource(CONFIG_MAPS, "default").create(config_map("late"))
        private.compact()
        exactly = {"resourceVersion": old, "resourceVersionMatch": "Exact"}
        eventually(lambda: is_gone(client, exactly), 60)  # it may take 15 s, see ControlPlane.compact

    def test_a_killed_server_refuses_and_comes_back(self, private):
        client = private.client()
        private.kill()
        with pytest.raises(TransportError):
            client.server_version()
        private.restart()
        assert client.server_version()

    def test_a_terminated_server_ends_its_watches_in_good_order(self, private):
        maps = private.client().resource(CONFIG_MAPS, "default")
        with maps.watch(resource_version=maps.list()[1], timeout_seconds=100) as events:
            private.terminate()
            assert [each.type for each in events if each.type != "BOOKMARK"] == []
        private.restart()

    def test_a_paused_server_is_silent_until_it_runs_on(self, private):
        client = private.client(timeout=0.5)
        private.pause()
        with pytest.raises(TransportError):
            client.server_version()
        private.resume()
        assert eventually(lambda: answers(client))

    def test_flags_reach_the_server(self, new_control_plane: NewControlPlane):
        flags = ["--runtime-config=batch/v1=false"]
        running = new_control_plane(ControlPlaneOptions(controllers=(), api_server_flags=flags))
        with pytest.raises(NotFound):
            running.client().discover("batch", "v1")

    def test_what_cannot_start_says_why_and_leaves_nothing(self, own_temp: Path):
        wrong = ControlPlane(ControlPlaneOptions(controllers=(), api_server_flags=["--no-such-flag"]))
        with pytest.raises(ControlPlaneError, match="unknown flag: --no-such-flag"):
            wrong.start()
        assert list(own_temp.iterdir()) == []

    @pytest.mark.parametrize("whose", ["kube-apiserver", "etcd"])
    def test_other_ports_are_taken_where_somebody_was_quicker(
        self, whose: str, own_temp: Path, monkeypatch: pytest.MonkeyPatch
    ):
        with socket.create_server(("127.0.0.1", 0)) as quicker:
            taken, (one, other) = quicker.getsockname()[1], free_ports(2)
            offers = [[taken, one, other] if whose == "kube-apiserver" else [one, taken, other]]
            monkeypatch.setattr(servers, "free_ports", lambda count: offers.pop() if offers else free_ports(count))
            with ControlPlane(WITHOUT_CONTROLLERS) as running:
                assert str(taken) not in running.url
                assert answers(running.client())
        assert list(own_temp.iterdir()) == []

    def test_starts_in_seconds_and_leaves_nothing(self, own_temp: Path):
        started = SYSTEM_CLOCK.now()
        with ControlPlane(WITHOUT_CONTROLLERS) as running:
            assert SYSTEM_CLOCK.now() - started < 30  # 3 to 5 on two idle cores
            assert answers(running.client())
            assert processes_in(own_temp) != []
        assert processes_in(own_temp) == []
        assert list(own_temp.iterdir()) == []

    def test_nothing_is_left_when_the_tests_are_killed(self, own_temp: Path):
        with subprocess.Popen(
            [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as holder:
            assert holder.stdout
            assert holder.stdout.readline() == "ready\n"
            assert len(processes_in(own_temp)) >= 4  # the keeper among them
            holder.send_signal(signal.SIGKILL)
        eventually(lambda: processes_in(own_temp) == [] and list(own_temp.iterdir()) == [])


@pytest.fixture
def own_temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder in which nobody else leaves anything."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def processes_in(directory: Path) -> list[int]:
    """Processes whose command line names the directory."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = each.read_bytes()
        except OSError:
            continue
        if os.fsencode(directory) in command:
            found.append(int(each.parent.name))
    return found


def is_gone(client: ApiClient, query: dict[str, str]) -> bool:
    try:
        client.call(Request("GET", CONFIG_MAPS.path("default"), query))
    except Gone:
        return True
    return False


def answers(client: ApiClient) -> bool:
    try:
        client.server_version()
    except BtcctlError:
        return False
    return True


class TestAGivenCluster:
    @pytest.fixture
    def given(self, control_plane: ControlPlane) -> Iterator[ControlPlane]:
        environ = {"USE_EXISTING_CLUSTER": "true", "KUBECONFIG": str(control_plane.kubeconfig())}
        with ControlPlane(environ=environ) as running:
            yield running

    def test_is_used_as_it_is(self, given, control_plane):
        assert given.is_existing
        assert given.url == control_plane.url
        assert given.client().server_version() == control_plane.client().server_version()

    def test_mints_tokens_of_service_accounts(self, given):
        robot = given.client_from(given.service_account_kubeconfig("default", "default"))
        assert not reads(robot, "default")

    def test_has_its_own_signer_make_users(self, new_control_plane: NewControlPlane):
        controllers = [*CONTROLLERS, "certificatesigningrequest-signing-controller"]
        theirs = new_control_plane(ControlPlaneOptions(controllers=controllers))
        let_list_pods(theirs.client(), "default", {"kind": "Group", "name": "readers", "apiGroup": RBAC})
        environ = {"USE_EXISTING_CLUSTER": "true", "KUBECONFIG": str(theirs.kubeconfig())}
        with ControlPlane(environ=environ) as given:
            dave = given.client("dave", ["readers"])
            assert eventually(lambda: reads(dave, "default"))

    def test_keeps_its_admin(self, given, control_plane):
        with given.client_from(given.kubeconfig()) as client:
            assert reads(client, "default")

    @pytest.mark.parametrize("wish", ["restart", "kill", "terminate", "pause", "resume", "compact"])
    def test_is_not_ours_to_break(self, given, wish):
        with pytest.raises(NotOurs, match="USE_EXISTING_CLUSTER is set"):
            getattr(given, wish)()

    def test_outlives_its_user(self, given, control_plane):
        given.stop()
        assert answers(control_plane.client())


def test_with_another_key_every_token_that_was_given_out_is_refused(new_control_plane):
    plane = new_control_plane(ControlPlaneOptions(controllers=["serviceaccount-controller"]))
    old = plane.client_from(plane.service_account_kubeconfig("default", "default"))
    old.server_version()
    plane.renew_token_key()
    with pytest.raises(Unauthorized):
        old.server_version()
    plane.client_from(plane.service_account_kubeconfig("default", "default")).server_version()
