"""The controller's image, as a kubelet runs it."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.network.kubeconfig import kubeconfig, write_kubeconfig
from btcctl.bitcoin.crd import load_crd
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.sandbox.demonstration.manifests import Applier
from tests.images.build import declared_requirements, version
from tests.images.container import Container, Image

MiB = 1 << 20
MakeContainer = Callable[..., Container]
#: What an attacker would like to find.
_TOOLS = ("pip", "pip3", "gcc", "cc", "make", "git", "curl", "wget", "ssh", "nc", "python3-config")


def python(container: Container, code: str) -> str:
    done = container.run("-c", code, entrypoint=("/opt/btcctl/bin/python3",))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_nobody_and_says_its_version(controller: Image, container: MakeContainer) -> None:
    assert controller.config["User"] == "65532:65532"
    assert container(controller).run("--version").stdout == f"btcctl {version()}\n"


def test_any_user_that_a_cluster_chooses_will_do(controller: Image, container: MakeContainer) -> None:
    done = container(controller, user=(1000660000, 0)).run("run", "--help")
    assert done.returncode == 0, done.stderr


def test_it_is_labelled_as_images_are(controller: Image) -> None:
    labels = {
        name.removeprefix("org.opencontainers.image."): value for name, value in controller.config["Labels"].items()
    }
    assert labels["version"] == version()
    assert labels["licenses"] == "Apache-2.0"
    assert labels["base.name"]
    assert labels["base.digest"].startswith("sha256:")
    assert re.fullmatch("[0-9a-f]{40}|unknown", labels["revision"])


def test_it_adds_less_than_120_mib_to_its_base(controller: Image) -> None:
    assert sum(controller.layers[1:]) < 120 * MiB
    assert sum(controller.layers) < 250 * MiB


def test_neither_server_nor_sandbox_nor_fakes_are_in_it_and_that_is_said(
    controller: Image, container: MakeContainer
) -> None:
    packages = next(controller.root.glob("opt/btcctl/lib/python3*/site-packages/btcctl"))
    assert {"bitcoin", "cli", "informers"} <= (there := {each.name for each in packages.iterdir()})
    assert there.isdisjoint({"apiserver", "sandbox", "testing"})
    done = container(controller).run("sandbox")
    assert (done.returncode, "pip install 'btcctl[sandbox]'" in done.stderr) == (2, True), done.stderr


def test_there_is_nothing_to_build_with_nor_to_fetch_with(controller: Image) -> None:
    folders = [
        controller.root / each for each in ("bin", "usr/bin", "usr/local/bin", "opt/btcctl/bin", "sbin", "usr/sbin")
    ]
    assert [folder / name for folder in folders for name in _TOOLS if (folder / name).exists()] == []
    assert list(controller.root.glob("usr/lib/python3*/ensurepip")) == []


def test_nothing_may_be_written_and_no_file_gives_more_rights(controller: Image, container: MakeContainer) -> None:
    code = (
        "for each in ('/', '/tmp', '/opt/btcctl'):\n"
        "    try: open(each + '/x', 'w')\n"
        "    except OSError as error: print(error.errno)"
    )
    assert python(container(controller), code).split() == ["30", "30", "30"]
    ours = [each for each in (controller.root / "opt").rglob("*") if each.is_file() and not each.is_symlink()]
    assert [each for each in ours if each.stat().st_mode & 0o6022] == []


def test_the_packages_are_those_that_are_declared_and_what_they_need(
    controller: Image, container: MakeContainer
) -> None:
    code = (
        "import importlib.metadata as m, json, platform\n"
        "found = {d.metadata['Name']: d.requires or [] for d in m.distributions()}\n"
        "print(json.dumps([platform.python_version(), found]))"
    )
    version, packages = json.loads(python(container(controller), code))
    found = {canonicalize_name(name): requires for name, requires in packages.items()}
    of_the_image = {"python_version": version.rpartition(".")[0], "python_full_version": version, "extra": ""}
    waiting = declared_requirements()
    needed = {"btcctl"}
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        if name not in needed and (requirement.marker is None or requirement.marker.evaluate(of_the_image)):
            needed.add(name)
            waiting += found[name]
    assert set(found) == needed
    assert "kubernetes" not in needed


def test_a_kubeconfig_that_needs_more_is_told_what(controller: Image, container: MakeContainer) -> None:
    code = (
        "from pathlib import Path; from btcctl.rest.kubeconfig.issued import auth_provider as a\n"
        "try: a.AuthProvider._imported(type('A', (), {'place': 'here'})(), 'kubernetes.config')\n"
        "except Exception as error: print(error)"
    )
    assert "pip install 'btcctl[oidc]'" in python(container(controller), code)


def test_as_the_first_process_it_works_and_ends_at_sigterm(
    controller: Image, container: MakeContainer, tmp_path: Path
) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    with EmbeddedServer(Api()) as server, ApiClient.from_config(ClientConfig(server.url)) as client:
        Applier(client).apply(load_crd())
        write_kubeconfig(folder / "config", kubeconfig(server.url))
        (folder / "config").chmod(0o644)
        options = {"env": {"KUBECONFIG": "/mounted/config"}, "writable": {"/mounted": folder}, "host_network": True}
        with container(controller, **options).started() as running:
            assert running.process.stderr is not None
            said = next(line for line in running.process.stderr if "controller started" in line)
            assert json.loads(said)["level"] == "info"
            running.process.send_signal(signal.SIGTERM)
            _, err = running.process.communicate(timeout=20.0)
    assert running.process.returncode == 0, err
    assert json.loads(err.splitlines()[-1])["event"]
