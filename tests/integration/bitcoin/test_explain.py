"""What `kubectl explain` has to say of a BitcoinNetwork: something of every field, however deep it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.network.kubeconfig import kubeconfig, write_kubeconfig
from btcctl.bitcoin.crd import load_crd
from btcctl.rest.client import ApiClient
from btcctl.rest.loading import load_config
from btcctl.sandbox.demonstration.manifests import Applier
from btcctl.testing.control_plane import ControlPlane
from tests.integration.kubectl import Kubectl
from tests.integration.support import eventually

KIND = "bitcoinnetwork"
SERVERS_OWN = {"apiVersion", "kind", "metadata"}
_FIELD = re.compile(r"( *)(\w+)\t<")


@pytest.fixture
def k(kubectl: Kubectl, real_one: ControlPlane | None) -> Iterator[Kubectl]:
    """On the embedded server, then on a real one: both know the definition."""
    with EmbeddedServer(Api()) as embedded:
        if real_one is None:
            write_kubeconfig(kubectl.kubeconfig, kubeconfig(embedded.url))
        else:
            kubectl.kubeconfig.write_bytes(real_one.kubeconfig().read_bytes())
        with ApiClient.from_config(load_config(kubectl.kubeconfig)) as client:
            Applier(client).apply(load_crd())
        eventually(lambda: kubectl.run("explain", f"{KIND}.spec").returncode == 0)
        yield kubectl


def paths(explained: str) -> list[str]:
    """All that `--recursive` lists, as `spec.nodes`; fields are two blanks deeper than what they belong to."""
    found: list[str] = []
    above: list[str] = []
    for match in filter(None, map(_FIELD.match, explained.partition("FIELDS:\n")[2].splitlines())):
        above = [*above[: len(match[1]) // 2 - 1], match[2]]
        found.append(".".join(above))
    return [path for path in found if path.partition(".")[0] not in SERVERS_OWN]


def described(explained: str) -> dict[str, str]:
    """By name, what is said of the fields on one level; "" if nothing is."""
    found: dict[str, str] = {}
    name = ""
    for line in explained.partition("FIELDS:\n")[2].splitlines():
        match = _FIELD.match(line)
        if match:
            name = match[2]
            found[name] = ""
        elif line.startswith("    ") and line.strip() != "<no description>":
            found[name] += line.strip()
    return found


@pytest.mark.kubectl
@pytest.mark.timeout(600)  # kubectl is started for each of some fifty levels
def test_every_field_is_explained(k: Kubectl) -> None:
    every = paths(k("explain", KIND, "--recursive"))
    levels = {path.rpartition(".")[0] for path in every}
    said = {level: described(k("explain", f"{KIND}.{level}".rstrip("."))) for level in levels}
    assert [path for path in every if not said[path.rpartition(".")[0]].get(path.rpartition(".")[2])] == []
    assert {"spec.nodes", "spec.affinity.podAffinity", "status.conditions.reason", "status.nodes.height"} <= {*every}


def test_a_field_of_which_nothing_is_said_is_found() -> None:
    text = "FIELDS:\n  one\t<string> -required-\n    Some words.\n\n  two\t<[]Object>\n    <no description>\n\n"
    assert described(text) == {"one": "Some words.", "two": ""}
    nested = (
        "FIELDS:\n  kind\t<string>\n  spec\t<Object>\n    one\t<Object>\n      two\t<string>\n    three\t<integer>\n"
    )
    assert paths(nested) == ["spec", "spec.one", "spec.one.two", "spec.three"]
