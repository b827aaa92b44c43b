"""CustomResourceDefinitions: what is accepted, and when it is served."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.apiserver.calls import DEFINITIONS, GROUP, SPEC, THINGS, Server, definition, thing

ROOT = "spec.validation.openAPIV3Schema"


def with_spec_schema(**changes: Any) -> dict[str, Any]:
    body = definition()
    schema = {"type": "object", "properties": {"spec": {**SPEC, **changes}}}
    body["spec"]["versions"][0]["schema"] = {"openAPIV3Schema": schema}
    return body


@pytest.fixture
def empty() -> Server:
    return Server()


def test_its_conditions_appear_one_after_the_other(empty):
    seen = empty.watch(DEFINITIONS)
    created = empty.created(DEFINITIONS, definition())
    assert (created["status"]["conditions"], created["status"]["storedVersions"]) == (None, ["v1"])
    conditions = [
        [(each["type"], each["status"], each["reason"]) for each in event["object"]["status"]["conditions"] or ()]
        for event in seen.events
    ]
    assert conditions == [
        [],
        [("NamesAccepted", "True", "NoConflicts"), ("Established", "False", "Installing")],
        [("NamesAccepted", "True", "NoConflicts"), ("Established", "True", "InitialNamesAccepted")],
    ]
    assert created["spec"]["names"] == {
        "plural": "things",
        "kind": "Thing",
        "singular": "thing",
        "listKind": "ThingList",
    }


def test_its_objects_are_served_as_soon_as_it_is_answered(empty):
    assert empty.send("GET", THINGS).status == 404
    empty.created(DEFINITIONS, definition())
    assert empty.get(THINGS).status == 200


def test_a_kind_that_is_taken_is_accepted_and_never_served(server):
    names = {"plural": "others", "kind": "Thing"}
    server.created(DEFINITIONS, definition(names=names))
    status = server.get(f"{DEFINITIONS}/others.{GROUP}").body["status"]
    assert [(each["status"], each["reason"]) for each in status["conditions"]] == [
        ("False", "ListKindConflict"),
        ("False", "NotAccepted"),
    ]
    assert server.get(f"/apis/{GROUP}/v1/others").status == 404


def bad(**changes: Any) -> dict[str, Any]:
    body = definition()
    body["spec"]["versions"][0].update(changes)
    return body


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        (
            {**definition(), "metadata": {"name": f"x.{GROUP}"}},
            "metadata.name",
            f'Invalid value: "x.{GROUP}": must be spec.names.plural+"."+spec.group',
        ),
        (bad(schema=None), "spec.versions[0].schema.openAPIV3Schema", "Required value"),
        (
            definition(preserveUnknownFields=True),
            "spec.preserveUnknownFields",
            "cannot set to true, set x-kubernetes-preserve",
        ),
        (definition(versions=[]), "spec.versions", "must have exactly one version marked as storage version"),
        (definition(scope="Galaxy"), "spec.scope", 'Unsupported value: "Galaxy"'),
        (
            with_spec_schema(properties={"zz": {}}),
            f"{ROOT}.properties[spec].properties[zz].type",
            "Required value: must not be empty for specified object fields",
        ),
        (
            with_spec_schema(properties={"n": {"type": "integer", "maximum": 10, "default": 50}}),
            f"{ROOT}.properties[spec].properties[n].default",
            "Invalid value: 50:  in body should be less than or equal to 10",
        ),
        (with_spec_schema(type="thing"), f"{ROOT}.properties[spec].type", 'Unsupported value: "thing"'),
        (
            with_spec_schema(properties={"l": {"type": "array"}}),
            f"{ROOT}.properties[spec].properties[l].items",
            "Required value: must be specified",
        ),
        (
            with_spec_schema(properties={"p": {"type": "string", "pattern": "("}}),
            f"{ROOT}.properties[spec].properties[p].pattern",
            "must be a valid regular expression",
        ),
        (bad(schema={"openAPIV3Schema": {"type": "string"}}), f"{ROOT}.type", "must be object at the root"),
        (bad(subresources={"scale": {}}), "spec.subresources.scale.specReplicasPath", "Required value"),
        (
            definition(conversion={"strategy": "Webhook"}),
            "spec.conversion.webhookClientConfig",
            "required when strategy is set to Webhook",
        ),
    ],
)
def test_one_that_cannot_be_is_422(empty, body, field, message):
    answer = empty.post(DEFINITIONS, body)
    assert (answer.status, answer.body["details"]["kind"]) == (422, "CustomResourceDefinition")
    assert any(at == field and message in text for at, text in answer.causes), answer.causes


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({"$ref": "#/x"}, ".properties[x].$ref"),
        ({"additionalItems": False}, ".properties[x].additionalItems"),
        ({"anyOf": [{"id": "y"}]}, ".properties[x].anyOf[0].id"),
        ({"$schema": "y"}, ""),
    ],
)
def test_of_what_is_beyond_structure_nothing_else_is_said(empty, schema, field):
    spec = {"type": "object", "properties": {"x": schema, "untyped": {}}}
    whole = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    answer = empty.post(DEFINITIONS, bad(schema=whole, selectableFields=None, subresources=None))
    assert [at for at, _ in answer.causes] == [f"{ROOT}.properties[spec]{field}" if field else ROOT], answer.causes


def test_what_would_silently_not_be_done_is_501(empty):
    rules = [{"rule": "uint(1) == uint(1)"}]
    answer = empty.post(DEFINITIONS, with_spec_schema(**{"x-kubernetes-validations": rules}))
    assert (answer.status, "does not support" in answer.message) == (501, True)


def test_a_wider_schema_is_in_force_at_once_and_counts_as_a_generation(server):
    path = f"{DEFINITIONS}/things.{GROUP}"
    body = server.get(path).body
    body["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["size"]["maximum"] = 99
    assert server.put(path, body).body["metadata"]["generation"] == 2
    assert server.created(THINGS, thing(size=50))["spec"]["size"] == 50


def test_a_new_storage_version_is_remembered(server):
    path = f"{DEFINITIONS}/things.{GROUP}"
    body = server.get(path).body
    first = body["spec"]["versions"][0]
    body["spec"]["versions"] = [{**first, "storage": False}, {**first, "name": "v2"}]
    server.put(path, body)
    assert server.get(path).body["status"]["storedVersions"] == ["v1", "v2"]


def test_deleting_it_waits_for_the_finalizers_of_its_objects(server):
    server.created(THINGS, thing("plain"))
    server.created(THINGS, thing("held", metadata={"finalizers": ["x.example.org/f"]}))
    answer = server.delete(f"{DEFINITIONS}/things.{GROUP}")
    assert answer.body["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    assert answer.body["status"]["conditions"][-1]["reason"] == "InstanceDeletionPending"
    server.collect()
    assert server.get(THINGS).names == ["held"]
    server.patch(f"{THINGS}/held", {"metadata": {"finalizers": None}})
    assert not server.exists(f"{DEFINITIONS}/things.{GROUP}")
    assert server.send("GET", THINGS).body == b"404 page not found\n"


def test_an_unused_definition_goes_without_a_collector(server):
    server.delete(f"{DEFINITIONS}/things.{GROUP}")
    server.collect()
    assert not server.exists(f"{DEFINITIONS}/things.{GROUP}")


def test_a_cluster_scoped_kind_has_no_namespace(empty):
    empty.created(DEFINITIONS, definition(scope="Cluster"))
    created = empty.created(f"/apis/{GROUP}/v1/things", thing())
    assert "namespace" not in created["metadata"]
    assert empty.get(THINGS).status == 404


class TestApproval:
    def defined(self, server, group, approval):
        body = definition()
        body["metadata"] = {"name": f"things.{group}", "annotations": {"api-approved.kubernetes.io": approval}}
        body["spec"]["group"] = group
        return server.call("POST", DEFINITIONS, body)

    def test_a_group_of_kubernetes_own_needs_one(self, server):
        assert "must have approval annotation" in self.defined(server, "x.k8s.io", "").message
        assert "a reason starting with" in self.defined(server, "kubernetes.io", "yes").message
        assert self.defined(server, "ak8s.io", "").status == 201

    @pytest.mark.parametrize(("approval", "status"), [("https://example.org/1", "True"), ("unapproved", "False")])
    def test_it_is_told_as_a_condition(self, server, approval, status):
        self.defined(server, "x.k8s.io", approval)
        found = server.get(f"{DEFINITIONS}/things.x.k8s.io").body["status"]["conditions"]
        assert ("KubernetesAPIApprovalPolicyConformant", status) in {(each["type"], each["status"]) for each in found}


def test_dependencies_are_refused_even_without_any(empty: Server) -> None:
    refused = empty.post(DEFINITIONS, with_spec_schema(dependencies={}))
    assert (f"{ROOT}.properties[spec].dependencies", "Forbidden: dependencies is not supported") in refused.causes


def test_selectable_fields_below_a_reference_are_refused_where_a_real_server_closes_the_connection(empty: Server):
    body = with_spec_schema(**{"$ref": "#/a"})
    refused = empty.post(
        DEFINITIONS, body | {"spec": {**body["spec"], "selectableFields": [{"jsonPath": ".spec.color"}]}}
    )
    assert (refused.status, f"{ROOT}.properties[spec].$ref" in str(refused.causes)) == (422, True)
