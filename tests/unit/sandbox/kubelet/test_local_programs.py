"""What a container runs whose image stands for a program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from btcctl.resources import SERVICE_ACCOUNTS
from btcctl.rest.loading import load_config
from btcctl.sandbox.kubelet.accounts import MOUNT, Accounts, ApiPlace
from btcctl.sandbox.kubelet.images import Program
from btcctl.sandbox.kubelet.local_programs import ROOT, SERVICE_ACCOUNT, ContainerPlace, LocalCommand, LocalPrograms
from btcctl.sandbox.kubelet.pods.env import EnvSources
from btcctl.testing.fake_client import Action, FakeClient

API = ApiPlace("https://127.0.0.1:6443", b"PEM")
PROGRAM = Program(("/bin/op", "--fixed"))
OURS = Program(("/bin/btcctl",), is_ours=True)


class Scene:
    """A pod that is about to start, with a volume `v` of each kind that a test asks for."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.client = FakeClient()
        self.client.reactors.append(self._token)
        self.container: dict[str, Any] = {"name": "c", "image": "op"}
        self.spec: dict[str, Any] = {"serviceAccountName": "default", "containers": [self.container]}
        self.env: dict[str, str] = {}
        self.claims: dict[str, Path] = {}

    @staticmethod
    def _token(action: Action) -> dict[str, Any] | None:
        return {"status": {"token": "secret-token"}} if action.subresource == "token" else None

    def mount(self, path: str, volume: dict[str, Any]) -> None:
        self.spec["volumes"] = [{"name": "v", **volume}]
        self.container["volumeMounts"] = [{"name": "v", "mountPath": path}]

    def command(self, program: Program = PROGRAM) -> LocalCommand:
        pod = {"metadata": {"name": "p", "namespace": "default", "uid": "u"}, "spec": self.spec}
        objects = EnvSources({}.get, {"c": {"data": {"key": "value"}}}.get)
        place = ContainerPlace(
            *(pod, self.container, self.env, "127.9.0.2", self.directory / "data"),
            *(self.directory, self.claims, objects, {}),
        )
        environ = {"PATH": "/bin", "SECRET_OF_OURS": "x"}
        return LocalPrograms(Accounts(self.client), API, environ).command(program, place)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_arguments_come_after_the_mapped_command(scene):
    scene.container["args"] = ["--name=$(NAME)", "$$(NAME)"]
    scene.env["NAME"] = "me"
    assert scene.command().argv == ("/bin/op", "--fixed", "--name=me", "$(NAME)")


def test_a_command_of_the_container_s_own_replaces_it(scene):
    scene.container |= {"command": ["/bin/other"], "args": ["x"]}
    assert scene.command().argv == ("/bin/other", "x")


def test_paths_below_a_mount_are_those_of_this_machine(scene):
    scene.mount("/etc/op", {"emptyDir": {}})
    scene.container["args"] = ["/etc/op", "--config=/etc/op/a.yaml", "/etc/opposite"]
    scene.env["CONFIG"] = "/etc/op/a.yaml"
    command, here = scene.command(), scene.directory / "volumes" / "v"
    assert command.argv[2:] == (str(here), f"--config={here}/a.yaml", "/etc/opposite")
    assert command.env["CONFIG"] == f"{here}/a.yaml"


def test_files_are_written_and_linked_from_a_root(scene):
    scene.mount("/etc/op", {"configMap": {"name": "c"}})
    command = scene.command()
    command.write_files()
    command.write_files()
    assert (Path(command.env[ROOT]) / "etc/op/key").read_text() == "value"


def test_a_claim_is_where_it_is(scene):
    scene.mount("/data", {"persistentVolumeClaim": {"claimName": "c"}})
    scene.claims["v"] = Path("/volumes/c")
    scene.container["args"] = ["/data/x"]
    assert scene.command().argv[-1] == "/volumes/c/x"


def test_of_our_environment_a_pod_has_little(scene):
    env = scene.command().env
    assert (env["PATH"], env["KUBERNETES_SERVICE_HOST"], env["KUBERNETES_SERVICE_PORT"]) == (
        *("/bin", "127.0.0.1"),
        "6443",
    )
    assert "SECRET_OF_OURS" not in env


def test_a_program_of_ours_finds_its_account_as_in_a_cluster(scene):
    command = scene.command(OURS)
    command.write_files()
    assert "KUBECONFIG" not in command.env
    config = load_config(environ=command.env)
    assert (config.source, config.host, config.namespace) == ("in-cluster", API.url, "default")
    assert config.credentials.authorization() == "Bearer secret-token"
    assert (Path(command.env[ROOT]) / MOUNT.lstrip("/") / "ca.crt").read_bytes() == b"PEM"


def test_other_programs_have_a_kubeconfig_too(scene):
    command = scene.command()
    command.write_files()
    config = load_config(environ=command.env)
    assert (config.host, config.credentials.authorization()) == (API.url, "Bearer secret-token")


def test_a_pod_that_wants_no_token_has_none(scene):
    scene.spec["automountServiceAccountToken"] = False
    command = scene.command()
    command.write_files()
    assert not {SERVICE_ACCOUNT, "KUBECONFIG"} & command.env.keys()
    assert not (scene.directory / "volumes").exists()


def test_a_service_account_may_want_none_for_its_pods(scene):
    accounts = scene.client.resource(SERVICE_ACCOUNTS)
    (key,) = [each.key for each in accounts.list()[0] if each.namespace == "default"]
    accounts.patch(key, {"automountServiceAccountToken": False})
    assert SERVICE_ACCOUNT not in scene.command().env
    scene.spec["automountServiceAccountToken"] = True
    assert SERVICE_ACCOUNT in scene.command().env


@pytest.mark.parametrize(
    ("said", "here"),
    [
        (":8080", "127.9.0.2:8080"),
        ("0.0.0.0:8080", "127.9.0.2:8080"),
        ("[::]:8080", "127.9.0.2:8080"),
        ("0.0.0.0", "127.9.0.2"),  # noqa: S104  nobody listens
        ("--metrics-bind-address=:8080", "--metrics-bind-address=127.9.0.2:8080"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("", ""),
        ("--name=", "--name="),
        ("web:8080", "web:8080"),
    ],
)
def test_what_is_told_to_listen_on_all_addresses_listens_on_the_pod_s(scene, said, here):
    scene.env["ADDRESS"], scene.container["args"] = said, [said]
    command = scene.command()
    assert (command.env["ADDRESS"], command.argv[-1]) == (here, here)


def test_webhooks_of_the_toolkit_listen_on_the_pod_s_address_unless_told_otherwise(scene):
    assert scene.command().env["BTCCTL_WEBHOOK_BIND_ADDRESS"] == "127.9.0.2:9443"
    scene.env["BTCCTL_WEBHOOK_BIND_ADDRESS"] = ":1"
    assert scene.command().env["BTCCTL_WEBHOOK_BIND_ADDRESS"] == "127.9.0.2:1"


def test_no_token_is_shown_by_a_command(scene):
    scene.env["PASSWORD"] = "hush"
    assert "hush" not in repr(scene.command())
