"""What of a body is set, and who set it otherwise."""

from __future__ import annotations

import copy

import pytest

from btcctl.controller.writing.fields import differences, has_fields, manager_of, set_fields


@pytest.mark.parametrize(
    ("body", "desired", "expected"),
    [
        ({}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"theirs": 1}}, {"a": {"b": 1}}, {"a": {"theirs": 1, "b": 1}}),
        ({"a": None}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": "text"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": [{"b": 1, "default": 2}]}, {"a": [{"b": 1}]}, {"a": [{"b": 1, "default": 2}]}),
        ({"a": [{"b": 1, "default": 2}]}, {"a": [{"b": 3}]}, {"a": [{"b": 3}]}),
        ({"a": [1]}, {"a": [1, 2]}, {"a": [1, 2]}),
        ({"selector": {"x": "1", "y": "1"}}, {"selector": {"x": "1"}}, {"selector": {"x": "1"}}),
        (
            {"selector": {"matchLabels": {"x": "1", "y": "1"}}},
            {"selector": {"matchLabels": {"x": "1"}}},
            {"selector": {"matchLabels": {"x": "1"}}},
        ),
        ({"a": 1}, {"a": True}, {"a": True}),
        ({}, {"a": None}, {"a": None}),
    ],
)
def test_what_is_desired_is_put_over_what_is_there_and_the_rest_is_kept(body, desired, expected):
    wanted = copy.deepcopy(desired)
    set_fields(body, desired)
    assert repr(body) == repr(expected)
    assert has_fields(body, desired)
    assert desired == wanted


def test_setting_again_changes_nothing():
    body = {"a": [{"b": 1, "default": 2}], "selector": {"x": "1"}, "c": {"d": 1.0}}
    before = copy.deepcopy(body)
    set_fields(body, {"a": [{"b": 1}], "selector": {"x": "1"}, "c": {"d": 1}})
    assert repr(body) == repr(before)


@pytest.mark.parametrize("body", [{}, {"a": 1}, {"a": {"b": 2}}, {"a": []}, {"a": {"b": True}}, []])
def test_a_body_that_lacks_something_does_not_have_the_fields(body):
    assert not has_fields(body, {"a": {"b": 1}})


@pytest.mark.parametrize(
    ("before", "after", "paths"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, {"a.b": 2}),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, {"a[0].b": 2}),
        ({"a": [1]}, {"a": [1, 2]}, {"a": [1, 2]}),
        ({"a": 1}, {}, {"a": None}),
        ({"a": None}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": 1, "b": 1}, {"a": True, "b": 2}, {"a": True, "b": 2}),
    ],
)
def test_differences_are_named_by_their_deepest_paths(before, after, paths):
    assert dict(differences(before, after)) == paths


def managed(*entries: dict[str, object]) -> dict[str, object]:
    return {"metadata": {"managedFields": [*entries]}}


def entry(manager: str, fields: dict[str, object], time: str = "1", **more: object) -> dict[str, object]:
    return {"manager": manager, "fieldsV1": fields, "time": time, **more}


REPLICAS = {"f:spec": {"f:replicas": {}}}


@pytest.mark.parametrize(
    ("body", "manager"),
    [
        (managed(entry("a", REPLICAS), entry("b", REPLICAS, "2")), "b"),
        (managed(entry("us", REPLICAS, "9"), entry("a", REPLICAS)), "a"),
        (managed(entry("a", REPLICAS), entry("kubelet", REPLICAS, "2", subresource="status")), "a"),
        (managed(entry("a", REPLICAS), entry("autoscaler", REPLICAS, "2", subresource="scale")), "autoscaler"),
        (managed(entry("a", {"f:spec": {"f:other": {}}})), ""),
        (managed(entry("a", {"f:spec": {}})), "a"),
        (managed({"manager": "a"}), ""),
        (managed(entry("a", "f:spec"), entry("b", {"f:spec": ["f:replicas"]}), None, "c"), ""),
        ({"metadata": {"managedFields": "a"}}, ""),
        ({"metadata": {"managedFields": None}}, ""),
        ({"metadata": {}}, ""),
    ],
)
def test_who_wrote_a_field_last_is_told_by_the_managed_fields(body, manager):
    assert manager_of("spec.replicas", body, but="us") == manager
