from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from btcctl.bitcoin.crd import crd_yaml, load_crd
from btcctl.bitcoin.types import BITCOIN_NETWORKS

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("copy", ["manifests/crd.yaml", "helm/btcctl/files/crd.yaml"])
def test_the_copy_is_the_same_file(copy: str) -> None:
    assert (ROOT / copy).read_text(encoding="utf-8") == crd_yaml()


def test_the_definition_names_the_same_resource_as_the_code() -> None:
    crd = load_crd()
    names, (version,) = crd["spec"]["names"], crd["spec"]["versions"]
    assert crd["metadata"]["name"] == str(BITCOIN_NETWORKS)
    assert (crd["spec"]["group"], version["name"]) == (BITCOIN_NETWORKS.group, BITCOIN_NETWORKS.version)
    assert (names["plural"], names["kind"]) == (BITCOIN_NETWORKS.plural, BITCOIN_NETWORKS.kind)


def test_the_first_controllers_own_example_fits_the_schema() -> None:
    seed = ROOT / "tests/integration/data/seeds/testNetwork.yaml"
    spec = yaml.safe_load(seed.read_text(encoding="utf-8"))["spec"]
    schema = load_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert spec.keys() <= schema["properties"].keys()


def test_every_field_that_users_meet_is_described() -> None:
    schema = load_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    for part in ("spec", "status"):
        assert all(field.get("description") for field in schema[part]["properties"].values())


def test_loading_twice_gives_two_dicts() -> None:
    load_crd()["spec"].clear()
    assert load_crd()["spec"]
