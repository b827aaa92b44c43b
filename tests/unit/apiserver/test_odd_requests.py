"""Writes that are seldom sent, and answered as a real server answers them."""

from __future__ import annotations

import json

from tests.unit.apiserver.calls import (
    CONFIG_MAPS,
    DEFINITIONS,
    GROUP,
    PODS,
    THINGS,
    Server,
    definition,
    pod,
    stateful_set,
    thing,
)


def test_a_put_of_what_is_missing_must_not_mean_another_object(server):
    path = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
    refused = server.put(f"{path}/l", {"metadata": {"name": "l", "uid": "other"}})
    assert (refused.status, refused.message.endswith("UID in precondition: other, UID in object meta: ")) == (409, True)
    assert server.put(f"{path}/l", {"metadata": {"name": "l", "resourceVersion": "x"}}).status == 500
    tried = server.put(f"{path}/l", {"metadata": {"name": "l", "resourceVersion": "7"}}, dryRun="All")
    assert (tried.status, tried.version, server.exists(f"{path}/l")) == (201, "7", False)


def test_a_dry_run_neither_binds_nor_evicts(server):
    server.created(PODS, pod())
    binding = {"metadata": {"name": "p"}, "target": {"name": "n"}}
    assert server.post(f"{PODS}/p/binding", binding, dryRun="All").status == 201
    assert server.post(f"{PODS}/p/eviction", {"metadata": {"name": "p"}}, dryRun="All").status == 201
    assert "nodeName" not in server.get(f"{PODS}/p").body["spec"]


def test_annotations_count_for_the_generation_of_a_deployment(server):
    path = "/apis/apps/v1/namespaces/default/deployments"
    server.created(path, stateful_set())
    body = server.patch(f"{path}/s", {"metadata": {"annotations": {"a": "b"}}}).body
    assert body["metadata"]["generation"] == 2
    assert server.patch(f"{path}/s", {"metadata": {"labels": {"a": "b"}}}).body["metadata"]["generation"] == 2


def test_owners_that_come_twice_are_one_and_warned_of(server):
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "o", "uid": "u"}
    answer = server.post(CONFIG_MAPS, {"metadata": {"name": "a", "ownerReferences": [owner, owner]}})
    assert answer.body["metadata"]["ownerReferences"] == [owner]
    assert "duplicate UID(s) observed: u" in answer.headers["Warning"]


def test_a_custom_resource_says_which_verb_it_has_not(server):
    server.created(THINGS, thing())
    answer = server.delete(f"{THINGS}/a/status")
    assert (answer.status, answer.message) == (405, f'delete is not supported on resources of kind "things.{GROUP}"')
    assert server.put(THINGS, thing()).message == "name must be provided"
    assert server.send("GET", f"/apis/{GROUP}/v1/things/a").body == b"404 page not found\n"


def test_a_collection_is_deleted_a_page_at_a_time(server):
    for name in "abc":
        server.created(THINGS, thing(name))
    answer = server.delete(THINGS, limit="2")
    assert (answer.names, answer.body["metadata"]["remainingItemCount"]) == (["a", "b"], 1)
    assert server.get(THINGS).names == ["c"]


def test_a_collection_is_deleted_only_if_its_options_make_sense(server):
    server.created(THINGS, thing())
    assert server.delete(THINGS, resourceVersion="abc").status == 400
    assert server.exists(f"{THINGS}/a")


def test_a_namespace_says_that_it_is_going_only_if_it_is(server):
    path = "/api/v1/namespaces/default/status"
    answer = server.patch(path, {"status": {"phase": "Terminating"}})
    assert (answer.status, [field for field, _ in answer.causes]) == (422, ["status.Phase"])


def test_a_definition_has_a_stored_version_whatever_is_said(server):
    path = f"{DEFINITIONS}/things.{GROUP}/status"
    assert server.patch(path, {"status": {"storedVersions": []}}).body["status"]["storedVersions"] == ["v1"]


def test_fields_of_versions_with_one_schema_are_selected_in_all_or_none():
    body = definition()
    first = body["spec"]["versions"][0]
    body["spec"]["versions"].append({**first, "name": "v2", "storage": False, "selectableFields": None})
    answer = Server().post(DEFINITIONS, body)
    assert answer.causes == [
        (
            "spec.versions[0].selectableFields",
            'Invalid value: "": may only be set when `version.schema.openAPIV3Schema` is not included',
        )
    ]


def test_media_types_are_read_without_regard_to_case_and_parameters(server):
    body = {"metadata": {"name": "a"}}
    assert server.send("POST", CONFIG_MAPS, body, "Application/JSON; charset=utf-8").status == 201
    assert server.send("POST", CONFIG_MAPS, body, "text/json").status == 415


def test_what_is_no_utf_8_is_replaced(server):
    answer = server.post(CONFIG_MAPS, b'{"metadata":{"name":"a"},"data":{"a":"\xff"}}')
    assert (answer.status, answer.body["data"]) == (201, {"a": "\ufffd"})


def test_integers_beyond_64_bits_are_floats(server):
    answer = server.post(THINGS, thing(free={"large": 12345678901234567890, "exact": 9007199254740993}))
    assert answer.body["spec"]["free"] == {"exact": 9007199254740993, "large": 12345678901234567000}


def test_all_that_is_wrong_with_the_options_of_a_patch_is_told(server):
    answer = server.patch(f"{CONFIG_MAPS}/a", {}, force="false", fieldManager="m" * 129)
    assert [field for field, _ in answer.causes] == ["force", "fieldManager"]


def test_keys_in_yaml_that_are_no_texts_become_texts(server):
    text = b"metadata: {name: a}\ndata: {on: 'x', 2: 'y', 1.5: 'z', time: '2001-01-01'}\n"
    response = server.send("POST", CONFIG_MAPS, text, "application/yaml")
    assert json.loads(response.body)["data"] == {"true": "x", "2": "y", "1.5": "z", "time": "2001-01-01"}


def test_an_empty_policy_is_none_that_there_is(server):
    answer = server.call("DELETE", f"{CONFIG_MAPS}/a", propagationPolicy="")
    assert (answer.status, 'Unsupported value: ""' in answer.message) == (422, True)


def test_a_watch_that_begins_with_the_state_takes_no_token(server):
    answer = server.call("GET", CONFIG_MAPS, **{"watch": "1", "continue": "abc"})
    assert (answer.status, "when continue is provided" in answer.message) == (422, True)
