"""A definition from its beginning to its end, and what is none."""

from __future__ import annotations

import functools
from typing import Any

from tests.integration.conformance.harness import Body, Event, Talk, case

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
THING = f"{DEFINITIONS}/things.{{group}}"
THINGS = "/apis/{group}/v1/namespaces/{ns}/things"
NAMES: Body = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
#: Who set what is listed by the second it was set in: a case that compares that order waits for the next.
SECOND = 1.1
SPEC: Body = {"type": "object", "properties": {"a": {"type": "integer", "maximum": 5}, "b": {"type": "string"}}}


def schema(spec: Body | None = None, **more: Any) -> Body:
    return {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC if spec is None else spec}, **more}}


def definition(plural: str = "things", *, version: Body | None = None, names: Body | None = None, **spec: Any) -> Body:
    one = {"name": "v1", "served": True, "storage": True, "schema": schema(), **(version or {})}
    told = {"group": "{group}", "scope": "Namespaced", "names": NAMES if names is None else names, "versions": [one]}
    metadata = {"name": f"{plural}.{{group}}"}
    body = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata}
    return {**body, "spec": {**told, **spec}}


def thing(name: str = "a", **spec: Any) -> Body:
    return {"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": name}, "spec": spec}


def create(talk: Talk, body: Body | None = None) -> None:
    """Define things; wait until they are served."""
    talk.define(talk.fill((body or definition())["spec"]))


def conditions(event: Event) -> Any:
    status = event["object"].get("status") or {}
    return [
        {key: each[key] for key in ("type", "status", "reason", "message")} for each in status.get("conditions") or []
    ]


def is_judged(talk: Talk, place: str) -> bool:
    found = (talk.get(place).body.get("status") or {}).get("conditions") or []
    return any(each["reason"] in {"InitialNamesAccepted", "NotAccepted"} for each in found)


@case("crd lifecycle")
def names_are_accepted_then_it_is_established(talk: Talk) -> None:
    name = "things.{group}"
    talk.forget_later(talk.fill(name))
    with talk.hush():
        start = talk.get(DEFINITIONS, query={"limit": 1}).version
        query = {"resourceVersion": start, "fieldSelector": f"metadata.name={talk.fill(name)}"}
        found = talk.watch(DEFINITIONS, query, until=3, during=lambda: talk.post(DEFINITIONS, definition()))
    talk.note("conditions", [(event["type"], conditions(event)) for event in found.events])
    talk.note("status", [event["object"]["status"] for event in found.events])


@case("crd lifecycle")
def what_is_left_out_is_filled_in(talk: Talk) -> None:
    body = definition(names={"plural": "things", "kind": "Thing"}, version={"additionalPrinterColumns": [
        {"name": "A", "type": "integer", "jsonPath": ".spec.a"}]})  # fmt: skip
    talk.forget_later(talk.fill("things.{group}"))
    talk.post(DEFINITIONS, body)
    talk.eventually(lambda: is_judged(talk, THING))
    talk.get(THING)


@case("crd lifecycle", error=True)
def a_name_that_is_taken_is_not_accepted(talk: Talk) -> None:
    names = {**NAMES, "shortNames": ["th", "tg"]}
    create(talk, definition(names=names))
    taken: list[Body] = [
        {"singular": "thing"},
        {"kind": "Thing", "listKind": "ThingList", "shortNames": ["free"]},
        {"shortNames": ["x", "th", "things"]},
    ]
    for index, names in enumerate(taken):
        plural = f"others{index}"
        place = f"{DEFINITIONS}/{plural}.{{group}}"
        free = {"plural": plural, "singular": f"other{index}", "kind": f"Other{index}", "listKind": f"OtherList{index}"}
        with talk.hush():
            talk.forget_later(talk.fill(f"{plural}.{{group}}"))
            assert talk.post(DEFINITIONS, definition(plural, names={**free, **names})).status == 201
            talk.eventually(functools.partial(is_judged, talk, place))
            found = talk.get(place).body["status"]
        talk.note("conditions", conditions({"object": {"status": found}}))
        talk.note("accepted", found["acceptedNames"])
        talk.get(f"/apis/{{group}}/v1/namespaces/{{ns}}/{plural}")
        with talk.hush():
            talk.delete(place)
            talk.patch(place, {"metadata": {"finalizers": None}})  # a real server is slow to clean what never was


@case("crd lifecycle", error=True)
def a_definition_names_everything_and_rightly(talk: Talk) -> None:
    wrong = [
        definition("nothings"), definition(names={}), definition(scope="Global"), definition(scope=""),
        definition(group=""), definition(group="nodots"), definition(group="A.b"),
        definition(names={**NAMES, "kind": "thing_"}), definition(names={**NAMES, "listKind": "Thing"}),
        definition(names={**NAMES, "singular": "Thing"}), definition(names={**NAMES, "shortNames": ["A", "b_"]}),
        definition(names={**NAMES, "categories": ["All"]}), definition(preserveUnknownFields=True),
        definition(conversion={"strategy": "Nope"}), definition(version={"schema": None}),
        definition(version={"schema": {}}),
    ]  # fmt: skip
    for body in wrong:
        talk.post(DEFINITIONS, body, query={"dryRun": "All"})


@case("crd lifecycle", error=True)
def columns_fields_and_scale_lead_somewhere(talk: Talk) -> None:
    columns = [
        {"name": "", "type": "text", "jsonPath": ""},
        {"name": "x", "type": "", "format": "y", "jsonPath": "spec"},
    ]
    fields = ["", ".spec.nope", ".spec.a", ".spec.a", "spec.a", ".metadata.name", ".spec", ".spec['a']", ".spec."]
    scale = {"specReplicasPath": "spec.a", "statusReplicasPath": ".spec.a", "labelSelectorPath": ".x"}
    for version in (
        {"additionalPrinterColumns": columns},
        {"selectableFields": [{"jsonPath": each} for each in fields]},
        {"subresources": {"scale": scale}},
        {"subresources": {"scale": {}}},
        {"subresources": {"status": {}}, "schema": {"openAPIV3Schema": {"type": "string"}}},
    ):
        talk.post(DEFINITIONS, definition(version=version), query={"dryRun": "All"})


@case("crd lifecycle", error=True)
def a_schema_is_structural(talk: Talk) -> None:
    text = {"type": "string"}
    wrong: list[Body] = [
        {}, {"type": "text"}, {"type": "null"}, {"type": "array"}, {"type": "array", "items": {}},
        {"type": "array", "items": [text]}, {"type": "object", "properties": {"x": {}}},
        {"type": "object", "properties": {"x": text}, "additionalProperties": text},
        {"type": "object", "properties": {"x": text}, "additionalProperties": False},
        {"type": "array", "items": text, "uniqueItems": True}, {"type": "string", "pattern": "("},
        {"type": "integer", "anyOf": [{"type": "integer"}]}, {"type": "object", "oneOf": [{"properties": {"x": {}}}]},
        {"type": "object", "properties": {"x": text}, "allOf": [{"properties": {"x": {"description": "d"}}}]},
        {"type": "integer", "not": {"default": 1, "nullable": True, "x-kubernetes-preserve-unknown-fields": True}},
        {"type": "object", "additionalProperties": text, "anyOf": [{"additionalProperties": {"minLength": 1}}]},
        {"x-kubernetes-int-or-string": True, "x-kubernetes-preserve-unknown-fields": True},
        {"x-kubernetes-int-or-string": True, "type": "integer"},
        {"x-kubernetes-embedded-resource": True}, {"type": "object", "x-kubernetes-embedded-resource": True},
        {"type": "string", "x-kubernetes-embedded-resource": True},
        {"type": "object", "x-kubernetes-preserve-unknown-fields": False}, {"$ref": "#/x", "type": "string"},
        {"type": "string", "nullable": True, "enum": ["a"], "format": "nope"},
        {"type": "string", "pattern": "(?=a)"}, {"type": "string", "pattern": r"(a)\1"},
        {"type": "array", "items": text, "anyOf": [{"items": {"minLength": 1}}]},
    ]  # fmt: skip
    for each in wrong:
        body = definition(version={"schema": schema({"type": "object", "properties": {"f": each}})})
        talk.post(DEFINITIONS, body, query={"dryRun": "All"})


@case("crd lifecycle", error=True)
def lists_and_maps_are_of_a_known_type(talk: Talk) -> None:
    item = {"type": "object", "properties": {"k": {"type": "string"}, "o": {"type": "object"}}}
    a_list = {"type": "array", "items": item}
    a_map = {**a_list, "x-kubernetes-list-type": "map"}
    needed = {**item, "required": ["k"]}
    wrong: list[Body] = [
        {"type": "string", "x-kubernetes-list-type": "set"}, {**a_list, "x-kubernetes-list-type": "bag"},
        {**a_list, "x-kubernetes-list-type": "set"}, a_map, {**a_map, "x-kubernetes-list-map-keys": ["k"]},
        {**a_map, "items": needed, "x-kubernetes-list-map-keys": ["k", "k", "z"]},
        {**a_map, "items": {**item, "required": ["o"]}, "x-kubernetes-list-map-keys": ["o"]},
        {**a_map, "items": {"type": "string"}, "x-kubernetes-list-map-keys": ["k"]},
        {**a_list, "x-kubernetes-list-map-keys": ["k"]},
        {**a_list, "x-kubernetes-list-type": "set", "x-kubernetes-list-map-keys": ["k"]},
        {**a_map, "items": {**needed, "nullable": True}, "x-kubernetes-list-map-keys": ["k"]},
        {"type": "string", "x-kubernetes-map-type": "atomic"}, {"type": "object", "x-kubernetes-map-type": "loose"},
        {"type": "array", "x-kubernetes-list-type": "set", "items": {**a_list, "x-kubernetes-list-type": "set"}},
    ]  # fmt: skip
    for each in wrong:
        body = definition(version={"schema": schema({"type": "object", "properties": {"f": each}})})
        talk.post(DEFINITIONS, body, query={"dryRun": "All"})


@case("crd lifecycle", error=True)
def the_root_of_a_schema_is_an_object(talk: Talk) -> None:
    text: Body = {"type": "string"}
    labels = {"type": "object", "properties": {"labels": {"type": "object"}}}
    name = {"type": "object", "properties": {"name": {**text, "default": "x"}}}
    wrong: list[Body] = [
        {}, {"type": "string"}, {"type": "object", "nullable": True}, {"type": "object", "additionalProperties": text},
        {"type": "object", "properties": {"metadata": text, "kind": {"type": "integer"}}},
        {"type": "object", "properties": {"metadata": labels}}, {"type": "object", "properties": {"metadata": name}},
        {"type": "object", "properties": {"kind": {**text, "default": "x"}}},
        {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    ]  # fmt: skip
    for each in wrong:
        talk.post(DEFINITIONS, definition(version={"schema": {"openAPIV3Schema": each}}), query={"dryRun": "All"})


@case("crd lifecycle", error=True)
def a_default_fits_its_schema(talk: Talk) -> None:
    number = {"type": "integer", "maximum": 5}
    wrong: list[Body] = [
        {**number, "default": 6}, {**number, "default": "x"}, {**number, "default": 5},
        {"type": "object", "properties": {"a": number}, "default": {"a": 9, "b": 1}},
        {"type": "array", "items": {**number, "default": 7}, "default": [1, 8]},
        {"type": "string", "enum": ["a"], "default": "b"}, {"type": "string", "nullable": True, "default": None},
        {"type": "object", "required": ["a"], "properties": {"a": number}, "default": {}},
        {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"a": number}, "default": {}},
    ]  # fmt: skip
    for each in wrong:
        body = definition(version={"schema": schema({"type": "object", "properties": {"f": each}})})
        talk.post(DEFINITIONS, body, query={"dryRun": "All"})


@case("crd lifecycle", error=True)
def what_objects_are_stored_by_does_not_change(talk: Talk) -> None:
    create(talk)
    talk.pause(SECOND)
    for change in (
        {"scope": "Cluster"}, {"group": "other.example.org"}, {"names": {"kind": "Other"}},
        {"names": {"plural": "others"}},
        {"names": {"listKind": "Things", "shortNames": ["th"]}}, {"names": {"singular": "one"}},
    ):  # fmt: skip
        talk.patch(THING, {"spec": change}, query={"dryRun": "All"})


@case("crd lifecycle")
def a_change_is_in_force_and_ends_watches(talk: Talk) -> None:
    create(talk)
    talk.post(THINGS, thing(a=5))
    talk.post(THINGS, thing("b", a=6))
    wider = schema({"type": "object", "properties": {"a": {"type": "integer", "maximum": 9}}})
    one = {"name": "v1", "served": True, "storage": True, "schema": wider}
    with talk.hush():
        start = talk.get(THINGS).version
    talk.pause(SECOND)

    def change() -> None:
        with talk.hush():
            talk.patch(THING, {"spec": {"versions": [one]}})

    talk.watch(THINGS, {"resourceVersion": start}, during=change)
    talk.eventually(lambda: talk.post(THINGS, thing("b", a=6), query={"dryRun": "All"}).status == 201)
    talk.post(THINGS, thing("b", a=6))
    talk.note("generation", talk.get(THING).body["metadata"]["generation"])


@case("crd lifecycle")
def its_end_is_the_end_of_its_objects_and_watches(talk: Talk) -> None:
    create(talk)
    for name in ("a", "b"):
        talk.post(THINGS, thing(name))
    with talk.hush():
        start = talk.get(THINGS).version

    def delete() -> None:
        with talk.hush():
            answer = talk.delete(THING)
        talk.note("finalizers", answer.body["metadata"]["finalizers"])
        talk.note("conditions", conditions({"object": answer.body}))

    with talk.hush():
        found = talk.watch(THINGS, {"resourceVersion": start}, during=delete, timeout=60)
    talk.note("events", sorted((each["type"], each["object"]["metadata"]["name"]) for each in found.events))
    talk.note("ended", found.ended)
    talk.eventually(lambda: talk.get(THINGS).status == 404, 60)
    talk.eventually(lambda: talk.get("/apis/{group}").status == 404)
    talk.get(THINGS)
    talk.get(f"{THINGS}/a")
    talk.post(THINGS, thing("c"))
    talk.get("/apis/{group}/v1")
    talk.get("/apis/{group}")
    talk.get(THING)


@case("crd lifecycle", error=True)
def nothing_new_comes_while_it_is_going(talk: Talk) -> None:
    create(talk)
    held = thing()
    held["metadata"]["finalizers"] = ["example.org/hold"]
    talk.post(THINGS, held)
    with talk.hush():
        talk.delete(THING)
        talk.eventually(lambda: talk.post(THINGS, thing("probe"), query={"dryRun": "All"}).status != 201)
    talk.post(THINGS, thing("b"))
    with talk.hush():
        talk.patch(f"{THINGS}/a", {"metadata": {"finalizers": None}})


@case("crd lifecycle")
def fields_that_can_be_selected_are(talk: Talk) -> None:
    fields = [{"jsonPath": ".spec.a"}, {"jsonPath": ".spec.b"}]
    create(talk, definition(version={"selectableFields": fields}))
    for name, spec in (("a", {"a": 1, "b": "x"}), ("b", {"a": 2}), ("c", {"a": 1})):
        talk.post(THINGS, thing(name, **spec))
    for selector in ("spec.a=1", "spec.b=", "spec.a=1,spec.b!=x", "spec.c=1", "metadata.name=a,spec.a=1"):
        answer = talk.get(THINGS, query={"fieldSelector": selector})
        talk.note(selector, [each["metadata"]["name"] for each in answer.body.get("items", [])])
