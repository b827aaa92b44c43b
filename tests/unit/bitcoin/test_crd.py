from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from btcctl.bitcoin.crd import crd_yaml, load_crd
from btcctl.bitcoin.definition import network
from btcctl.bitcoin.definition.network import BitcoinNetwork
from btcctl.bitcoin.spec.model import NetworkSpec
from btcctl.bitcoin.types import BITCOIN_NETWORKS, NetworkStatus
from btcctl.crds.definition import crd_for, to_yaml

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("copy", ["manifests/crd.yaml", "helm/btcctl/files/crd.yaml"])
def test_the_copy_is_the_same_file(copy: str) -> None:
    assert (ROOT / copy).read_text(encoding="utf-8") == crd_yaml()


def test_the_file_is_what_the_classes_say() -> None:
    made = to_yaml([crd_for(BitcoinNetwork)])
    assert crd_yaml() == made, "make crd writes it anew"


@pytest.mark.parametrize("part", [(network.NetworkSpec, NetworkSpec), (network.NetworkStatus, NetworkStatus)])
def test_the_operator_reads_all_that_the_definition_has(
    part: tuple[type[msgspec.Struct], type[msgspec.Struct]],
) -> None:
    defined, read = ({each.encode_name for each in msgspec.structs.fields(model)} for model in part)
    assert defined == read


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


def test_kubectl_explain_has_words_for_every_field() -> None:
    schema = load_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    # The API server describes the metadata itself, and refuses a definition that does.
    assert [path for path in _undescribed(schema, "") if path != ".metadata"] == []


def _undescribed(schema: dict[str, Any], path: str) -> Iterator[str]:
    if not schema.get("description"):
        yield path
    for name, field in schema.get("properties", {}).items():
        yield from _undescribed(field, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict) and schema[name].get("type") in {"object", "array"}:
            yield from _undescribed(schema[name], f"{path}.{name}")


def test_every_column_is_described() -> None:
    columns = load_crd()["spec"]["versions"][0]["additionalPrinterColumns"]
    assert all(each.get("description") for each in columns)
    narrow = [each["name"] for each in columns if not each.get("priority")]
    assert narrow == ["Nodes", "Ready", "Height", "Status", "Age"]
