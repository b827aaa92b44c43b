from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from btcctl.bitcoin.children import build_stateful_set
from btcctl.bitcoin.pod_template import ChildOptions
from btcctl.bitcoin.spec.from_spec import FROM_SPEC, is_same_part, settle
from btcctl.bitcoin.spec.model import NetworkSpec, Resources, Storage
from btcctl.bitcoin.types import BitcoinNetwork, NetworkMeta

META = NetworkMeta("net", "default", uid="u")


def stateful_set(**spec: Any) -> dict[str, Any]:
    return build_stateful_set(BitcoinNetwork(META, NetworkSpec(2, **spec)), ChildOptions("image:1"))


def pod_of(body: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = body["spec"]["template"]["spec"]
    return pod


def test_where_nothing_is_from_spec_nothing_is_touched() -> None:
    body = stateful_set()
    pod_of(body)["nodeSelector"] = {"by": "hand"}
    assert settle(stateful_set(), body) == stateful_set()
    assert pod_of(body)["nodeSelector"] == {"by": "hand"}


def test_what_spec_asks_for_no_longer_is_taken_out() -> None:
    body = stateful_set(node_selector={"a": "b"}, pod_labels={"team": "red"}, pod_annotations={"x/y": "z"})
    desired = settle(stateful_set(), body)
    assert "nodeSelector" not in pod_of(body)
    assert "team" not in body["spec"]["template"]["metadata"]["labels"]
    assert "x/y" not in body["spec"]["template"]["metadata"]["annotations"]
    assert desired["metadata"]["annotations"][FROM_SPEC] == ""


def test_what_is_taken_out_of_the_middle_of_a_part_goes_too() -> None:
    before, after = {"key": "a", "effect": "NoSchedule"}, {"key": "a"}
    body = stateful_set(tolerations=[before])
    desired = settle(stateful_set(tolerations=[after]), body)
    assert "tolerations" not in pod_of(body)
    assert pod_of(desired)["tolerations"] == [after]


def test_another_spelling_of_the_server_is_no_difference() -> None:
    limits = {"memory": "1Gi", "cpu": "1"}
    body = stateful_set(resources=Resources(limits={"memory": "1024Mi", "cpu": 1}))
    pod_of(body)["containers"][0]["resources"] = {"limits": limits}
    desired = settle(stateful_set(resources=Resources(limits={"memory": "1024Mi", "cpu": 1})), body)
    assert pod_of(desired)["containers"][0]["resources"] == {"limits": limits}


def test_another_spelling_of_a_volumes_size_is_no_other_volume() -> None:
    body = stateful_set(storage=Storage("1Gi"))
    assert settle(stateful_set(storage=Storage("1024Mi")), body) == body
    assert settle(stateful_set(storage=Storage("2Gi")), body) != body


def test_what_is_wanted_is_not_changed() -> None:
    desired = stateful_set(affinity={}, storage=Storage())
    before = deepcopy(desired)
    settle(desired, stateful_set(node_selector={"a": "b"}, storage=Storage("10240Mi")))
    assert desired == before


def test_what_is_about_to_be_made_is_made_as_it_is_wanted() -> None:
    assert settle(stateful_set(affinity={}), {"metadata": {"name": "net-sts"}}) == stateful_set(affinity={})


@pytest.mark.parametrize(
    ("one", "other"), [({}, None), ([{"a": ""}], [{}]), ({"limits": {"x": "1k"}}, {"limits": {"x": 1000}})]
)
def test_parts_that_mean_the_same_are_the_same(one: object, other: object) -> None:
    assert is_same_part(one, other)


@pytest.mark.parametrize(("one", "other"), [({"a": 1}, {"a": True}), ([1], [1, 2]), ({"labelSelector": {}}, None)])
def test_parts_that_do_not_are_not(one: object, other: object) -> None:
    assert not is_same_part(one, other)
