"""What clients see of it: `metadata.managedFields` in answers."""

from __future__ import annotations

from typing import Any

import pytest

from btcctl.apiserver.managedfields.types import DEDUCED
from tests.unit.apiserver.calls import CONFIG_MAPS, THINGS, thing

APPLY = "application/apply-patch+yaml"


def owners(body: dict[str, Any]) -> dict[str, Any]:
    return {each["manager"]: each["fieldsV1"] for each in body["metadata"].get("managedFields", [])}


def config_map(**data: str | None) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}


def test_a_create_is_its_managers(server):
    created = server.created(CONFIG_MAPS, config_map(k="v"))
    [entry] = created["metadata"]["managedFields"]
    assert entry.pop("time") == created["metadata"]["creationTimestamp"]
    assert entry == {
        "manager": "unknown",
        "operation": "Update",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {".": {}, "f:k": {}}},
    }


def test_who_changes_a_field_takes_it_over(server):
    server.created(CONFIG_MAPS, config_map(k="v", l="v"))
    body = server.patch(f"{CONFIG_MAPS}/a", {"data": {"k": "w"}}, fieldManager="two").body
    assert owners(body) == {"unknown": {"f:data": {".": {}, "f:l": {}}}, "two": {"f:data": {"f:k": {}}}}


def test_who_removes_a_field_leaves_it_to_nobody(server):
    server.created(CONFIG_MAPS, config_map(k="v"))
    body = server.patch(f"{CONFIG_MAPS}/a", {"data": None}, fieldManager="two").body
    assert owners(body) == {}


def test_an_update_adds_to_what_its_manager_has(server):
    server.created(CONFIG_MAPS, config_map(k="v"))
    body = server.patch(f"{CONFIG_MAPS}/a", {"data": {"l": "w"}}).body
    assert owners(body) == {"unknown": {"f:data": {".": {}, "f:k": {}, "f:l": {}}}}


def test_who_changes_again_what_he_has_has_it_at_a_later_time(server):
    created = server.created(CONFIG_MAPS, config_map(k="v"))
    server.clock.advance(60)
    [entry] = server.patch(f"{CONFIG_MAPS}/a", {"data": {"k": "w"}}).body["metadata"]["managedFields"]
    assert entry == {**created["metadata"]["managedFields"][0], "time": "2026-01-01T00:01:00Z"}


def test_a_write_that_changes_nothing_is_at_no_other_time(server):
    applied = server.patch(f"{CONFIG_MAPS}/a", config_map(k="v"), APPLY, fieldManager="one").body
    server.clock.advance(60)
    metadata = {"managedFields": [{**applied["metadata"]["managedFields"][0], "time": "2031-01-01T00:00:00Z"}]}
    assert server.patch(f"{CONFIG_MAPS}/a", {"metadata": metadata}).body == applied


def test_of_more_than_ten_updaters_the_oldest_become_one(server):
    server.created(CONFIG_MAPS, config_map(k="v"))
    for number in range(12):
        server.clock.advance(1)
        body = server.patch(f"{CONFIG_MAPS}/a", {"data": {f"k{number}": "v"}}, fieldManager=f"m{number}").body
    found = owners(body)
    assert sorted(found) == sorted(["ancient-changes", *(f"m{number}" for number in range(3, 12))])
    assert found["ancient-changes"] == {"f:data": {".": {}, "f:k": {}, "f:k0": {}, "f:k1": {}, "f:k2": {}}}


def test_entries_cannot_be_applied(server):
    sent = config_map(k="v")
    sent["metadata"]["managedFields"] = []
    answer = server.patch(f"{CONFIG_MAPS}/a", sent, APPLY, fieldManager="one")
    assert (answer.status, answer.message) == (400, "metadata.managedFields must be nil")


def test_status_has_an_entry_of_its_own(server):
    server.created(THINGS, thing())
    body = server.patch(f"{THINGS}/a/status", {"status": {"ready": 1}}).body
    assert [each.get("subresource") for each in body["metadata"]["managedFields"]] == [None, "status"]


def test_a_conflict_names_who_and_what(server):
    server.patch(f"{CONFIG_MAPS}/a", config_map(k="v"), APPLY, fieldManager="one")
    answer = server.patch(f"{CONFIG_MAPS}/a", config_map(k="w"), APPLY, fieldManager="two")
    assert (answer.status, answer.causes) == (409, [(".data.k", 'conflict with "one"')])
    assert answer.body["message"] == 'Apply failed with 1 conflict: conflict with "one": .data.k'


def test_what_is_dropped_and_nobody_elses_goes(server):
    path = f"{CONFIG_MAPS}/a"
    server.patch(path, config_map(k="v", l="v"), APPLY, fieldManager="one")
    server.patch(path, config_map(l="v"), APPLY, fieldManager="two")
    assert server.patch(path, config_map(), APPLY, fieldManager="one").body["data"] == {"l": "v"}


def test_force_takes_what_others_own(server):
    path = f"{CONFIG_MAPS}/a"
    server.patch(path, config_map(k="v"), APPLY, fieldManager="one")
    body = server.patch(path, config_map(k="w"), APPLY, fieldManager="two", force="true").body
    assert (body["data"], list(owners(body))) == ({"k": "w"}, ["two"])


@pytest.mark.parametrize("entries", [[], [{}]])
def test_entries_that_are_reset_stay_away_until_somebody_applies(server, entries):
    path = f"{CONFIG_MAPS}/a"
    server.created(CONFIG_MAPS, config_map(k="v"))
    assert owners(server.patch(path, {"metadata": {"managedFields": entries}}).body) == {}
    assert owners(server.patch(path, {"data": {"k": "w"}}).body) == {}
    applied = server.patch(path, config_map(l="x"), APPLY, fieldManager="one").body
    assert list(owners(applied)) == ["one", "before-first-apply"]


def test_entries_that_make_no_sense_are_not_taken(server):
    created = server.created(CONFIG_MAPS, config_map(k="v"))
    sent = {"metadata": {"managedFields": [{"manager": "x", "operation": "Update", "fieldsV1": {"odd": {}}}]}}
    body = server.patch(f"{CONFIG_MAPS}/a", sent).body
    assert body["metadata"]["managedFields"] == created["metadata"]["managedFields"]


def test_every_kind_that_is_stored_has_a_type(server):
    stored = [each for each in server.api.registry.resources() if "update" in each.verbs]
    assert [each.type.kind for each in stored if each.kind.target("").type is DEDUCED] == []


def test_a_null_in_a_map_of_texts_is_applied_as_an_empty_one(server):
    body = server.patch(f"{CONFIG_MAPS}/a", config_map(k=None, l="v"), APPLY, fieldManager="one").body
    assert body["data"] == {"k": "", "l": "v"}
    assert owners(body) == {"one": {"f:data": {"f:k": {}, "f:l": {}}}}


def test_a_null_that_may_not_be_is_refused_in_what_is_applied_to_a_custom_resource(server):
    answer = server.patch(f"{THINGS}/a", thing(color=None, image=None), APPLY, fieldManager="one")
    assert [field for field, _ in answer.causes] == ["spec.image"]  # the colour has a default


def test_a_label_that_is_null_is_applied_to_a_custom_resource_as_an_empty_one(server):
    body = server.patch(f"{THINGS}/a", thing(metadata={"labels": {"x": None}}), APPLY, fieldManager="one").body
    assert body["metadata"]["labels"] == {"x": ""}
