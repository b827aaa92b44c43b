from __future__ import annotations

import pytest

from btcctl.resources import NODES, PODS, STATEFUL_SETS, ResourceType


def test_paths_follow_group_namespace_name_and_subresource():
    assert PODS.path() == "/api/v1/pods"
    assert PODS.path("n", "a", "log") == "/api/v1/namespaces/n/pods/a/log"
    assert STATEFUL_SETS.path("n") == "/apis/apps/v1/namespaces/n/statefulsets"
    assert NODES.path(name="one") == "/api/v1/nodes/one"


@pytest.mark.parametrize("name", ["..", ".", "a/b", "a%2fb"])
def test_a_name_cannot_leave_its_path_segment(name):
    with pytest.raises(ValueError, match="API path"):
        PODS.path("n", name)


def test_scope_mistakes_are_refused():
    with pytest.raises(ValueError, match="cluster-scoped"):
        NODES.path("n")
    with pytest.raises(ValueError, match="needs a namespace"):
        PODS.path(name="a")


def test_group_resource_is_how_the_server_names_it():
    assert str(STATEFUL_SETS) == "statefulsets.apps"
    assert str(PODS) == "pods"


@pytest.mark.parametrize(("scope", "namespaced"), [("Namespaced", True), ("Cluster", False)])
def test_a_definition_says_of_each_of_its_versions_what_it_is(scope, namespaced):
    spec = {"group": "x.example", "names": {"plural": "gadgets", "kind": "Gadget"}, "scope": scope}
    assert ResourceType.defined_by(spec, "v2") == ResourceType("x.example", "v2", "gadgets", "Gadget", namespaced)
