"""What the API server says to specs, good and bad: on the embedded server, then on a real one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.errors import Invalid
from btcctl.objects import ObjectKey
from btcctl.rest.collection.resource import Resource
from btcctl.sandbox.demonstration.manifests import Applier
from tests.integration.api_servers import ApiServer
from tests.specs import COMBINATIONS, FIELDS, REFUSED

KEY = ObjectKey("default", "tried")


@pytest.fixture
def networks(api_server: ApiServer) -> Iterator[Resource]:
    client = api_server.client()
    Applier(client).apply(load_crd())
    networks = client.resource(BITCOIN_NETWORKS, KEY.namespace)
    yield networks
    for each in networks.list()[0]:
        networks.delete(each.key)


def body(spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": KEY.name, "namespace": KEY.namespace}
    return {
        "apiVersion": BITCOIN_NETWORKS.api_version,
        "kind": BITCOIN_NETWORKS.kind,
        "metadata": metadata,
        "spec": spec,
    }


def test_every_field_alone_and_the_combinations_are_taken_and_kept_whole(networks: Resource) -> None:
    for name, spec in {**FIELDS, **COMBINATIONS}.items():
        kept = networks.create(body(spec)).body()["spec"]
        assert {field: kept.get(field) for field in spec} == spec, name
        networks.delete(KEY)


def test_what_is_wrong_is_refused_with_words_that_say_what_is_right(networks: Resource) -> None:
    for name, (spec, words) in REFUSED.items():
        with pytest.raises(Invalid) as refusal:
            networks.create(body({"nodes": 3, **spec}))
        assert words in str(refusal.value), name


def test_what_cannot_change_is_refused_with_words_that_say_what_to_do(networks: Resource) -> None:
    networks.create(body({"nodes": 3, "network": "signet", "signetChallenge": "51"}))
    for patch in ({"network": "testnet4"}, {"storage": {}}, {"signetChallenge": "5151"}):
        with pytest.raises(Invalid, match="make another network"):
            networks.patch(KEY, {"spec": patch})
