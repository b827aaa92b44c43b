"""Corners of the API in which clients have seen two servers differ."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.cases_crd_lifecycle import DEFINITIONS, definition
from tests.integration.conformance.harness import Body, Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    SECRETS,
    STATEFUL_SETS,
    WIDGETS,
    config_map,
    define_widgets,
    deployment,
    secret,
    stateful_set,
    template,
    widget,
)

APPLY = "application/apply-patch+yaml"
_META = "v=v1;g=meta.k8s.io"
_DRY = {"dryRun": "All"}
_FORCED = {"fieldManager": "me", "force": "true"}
_STRING: Body = {"type": "string"}


def tried(talk: Talk, properties: Body) -> None:
    """Define things whose spec has these properties, for a try."""
    spec = {"type": "object", "properties": properties}
    whole = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    talk.post(DEFINITIONS, definition(version={"schema": whole}), query=_DRY)


@case("apply")
def null_in_a_map_is_what_its_type_makes_of_it(talk: Talk) -> None:
    for more in ({"data": {"k": None, "l": "v"}}, {"data": {"k": None}}, {"data": None}):
        talk.patch(f"{CONFIG_MAPS}/a", {**config_map(), **more}, content_type=APPLY, query=_FORCED)
    marked = config_map(labels={"x": None}, annotations={"y": None})
    talk.patch(f"{CONFIG_MAPS}/a", marked, content_type=APPLY, query=_FORCED)
    talk.patch(f"{CONFIG_MAPS}/b", {**config_map("b"), "binaryData": {"b": None}}, content_type=APPLY, query=_FORCED)
    for name, fields in {"a": {"stringData": {"k": None}}, "b": {"data": {"k": None}}}.items():
        talk.patch(f"{SECRETS}/{name}", secret(name, **fields), content_type=APPLY, query=_FORCED)
    labelled = {**template(nodeSelector={"x": None}), "metadata": {"labels": {"app": "a"}, "annotations": {"n": None}}}
    body = deployment(replicas=None, template=labelled)
    talk.patch(f"{DEPLOYMENTS}/a", body, content_type=APPLY, query={**_FORCED, **_DRY})


@case("apply", error=True)
def null_in_a_custom_resource_is_refused_where_it_may_not_be(talk: Talk) -> None:
    texts = {"type": "object", "additionalProperties": _STRING}
    nullable = {"type": "object", "additionalProperties": {**_STRING, "nullable": True}}
    filled = {**_STRING, "default": "d"}
    schema = {"m": texts, "n": nullable, "s": _STRING, "l": {"type": "array", "items": _STRING}, "d": filled}
    path = talk.crd(schema=schema)
    thing = {"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "a"}}
    specs: list[Any] = [
        {"m": {"k": None, "l": "v"}}, {"n": {"k": None, "l": "v"}}, {"s": None}, {"d": None}, {"l": [None]}, None,
    ]  # fmt: skip
    for spec in specs:
        talk.patch(f"{path}/a", {**thing, "spec": spec}, content_type=APPLY, query=_FORCED)
    for name in ("labels", "annotations"):
        body = {**thing, "metadata": {"name": "a", name: {"x": None}}, "spec": {}}
        talk.patch(f"{path}/a", body, content_type=APPLY, query=_FORCED)


@case("watches")
def a_watch_of_negative_time_is_over_at_once(talk: Talk) -> None:
    """It may still say that its time is up, or bring what is there: that depends on who is quicker."""
    define_widgets(talk)
    for path in (SECRETS, WIDGETS):
        for seconds in ("-1", "9999999999"):  # which is too much in nanoseconds
            with talk.hush():
                found = talk.watch(path, {"timeoutSeconds": seconds, "resourceVersion": "0"}, timeout=10)
            talk.note(seconds, [found.status, [each for each in found.types if each != "ERROR"], found.ended])
        talk.get(path, query={"timeoutSeconds": "-1"})
        for seconds in ("", "x", "1.5", "99999999999999999999"):
            talk.watch(path, {"timeoutSeconds": seconds}, timeout=1)


@case("scale")
def a_scale_may_be_a_table(talk: Talk) -> None:
    define_widgets(talk, scale=True)
    for path, body in ((DEPLOYMENTS, deployment(replicas=0)), (STATEFUL_SETS, stateful_set()), (WIDGETS, widget())):
        with talk.hush():
            talk.post(path, body)
        place = f"{path}/a/scale"
        for included in ("", "None", "Metadata", "Object", "Bogus"):
            talk.get(place, headers={"Accept": f"application/json;as=Table;{_META}"}, query={"includeObject": included})
        for form in ("PartialObjectMetadata", "PartialObjectMetadataList"):
            talk.get(place, headers={"Accept": f"application/json;as={form};{_META}"})
        unknown = "application/json;as=Table;v=v2;g=meta.k8s.io"
        for accept in (unknown, f"{unknown},application/json", "text/html"):
            talk.get(place, headers={"Accept": accept})
        table = {"Accept": f"application/json;as=Table;{_META}"}
        talk.patch(place, {"spec": {"replicas": 0}}, headers=table)
        talk.get(f"{path}/none/scale", headers=table)


@case("crd lifecycle", error=True)
def what_is_beyond_structure_is_told_of_alone(talk: Talk) -> None:
    reference: Body = {"$ref": "#/definitions/x"}
    schemas: list[Body] = [
        reference, {"$ref": ""}, {**reference, "type": "string"}, {"id": "x"},
        {"id": "x", "type": "string", "default": 1},
        {"$schema": "http://json-schema.org/draft-07/schema#"}, {"patternProperties": {"a": _STRING}},
        {"definitions": {"a": {"$ref": "b"}}}, {"dependencies": {"a": ["b"]}}, {"dependencies": {"a": {"id": "b"}}},
        {"type": "array", "additionalItems": True}, {"type": "array", "additionalItems": False, "items": _STRING},
        {"type": "object", "anyOf": [reference]}, {"type": "object", "not": {**reference, "type": "object"}},
        {"type": "object", "x-kubernetes-preserve-unknown-fields": False}, {"type": "array", "items": [_STRING]},
        {"type": "object", "allOf": [{"items": [_STRING]}]}, {"type": "object", "example": {"a": 1}, "title": "t"},
    ]  # fmt: skip
    for schema in schemas:
        tried(talk, {"x": schema})
        tried(talk, {"x": schema, "untyped": {}})
    tried(talk, {"x": reference, "y": {**_STRING, "x-kubernetes-validations": [{"rule": "self == 5"}]}})


@case("defaulting", error=True)
def a_default_of_a_number_or_a_text_is_as_free_as_its_schema(talk: Talk) -> None:
    either = [{"type": "integer"}, {"type": "string"}]
    for default in (1.5, 1, "x", 1.0, True, None, [], {}, 1e3):
        for more in ({}, {"anyOf": either}, {"nullable": True}, {"pattern": "^y$", "minimum": 3}):
            tried(talk, {"x": {"x-kubernetes-int-or-string": True, "default": default, **more}})
    for kind in ("integer", "number", "string", "boolean"):
        for default in (1.5, 1.0, "x", True):
            tried(talk, {"x": {"type": kind, "default": default}})
    bounds: Body = {"minimum": 3, "pattern": "^a", "maxLength": 2, "enum": [3, 4, "a", "abc"]}
    both = {"x-kubernetes-int-or-string": True}
    path = talk.crd(schema={"x": both, "y": {**both, **bounds}})
    thing = {"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "a"}}
    for value in (1.5, 1.0, 1, "a", "b", "abc", 3, 3.0, 2**64, True, 1e30):
        talk.post(path, {**thing, "spec": {"x": value, "y": value}}, query=_DRY)


@case("lists")
def large_answers_are_compressed_for_who_names_gzip(talk: Talk) -> None:
    define_widgets(talk, {"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    large = "x" * 140_000
    with talk.hush():
        talk.post(CONFIG_MAPS, config_map(data={"k": large}))
        talk.post(WIDGETS, widget(spec={"k": large}))
    for path in (CONFIG_MAPS, WIDGETS, f"{CONFIG_MAPS}/a", "/apis", "/version"):
        for encoding in (None, "gzip", "identity", "gzip;q=0", "br, gzip", "*"):
            with talk.hush():
                answer = talk.get(path, headers={} if encoding is None else {"Accept-Encoding": encoding})
            talk.note(f"{path} {encoding}", [answer.headers.get(name) for name in ("vary", "content-encoding")])
    table = {"Accept": f"application/json;as=Table;{_META}", "Accept-Encoding": "gzip"}
    with talk.hush():
        written = talk.put(f"{CONFIG_MAPS}/a", config_map(data={"k": f"{large}y"}), headers={"Accept-Encoding": "gzip"})
        shown = talk.get(CONFIG_MAPS, headers=table, query={"includeObject": "Object"})
    for answer in (written, shown):
        talk.note("of a write, of a table", [answer.headers.get(name) for name in ("vary", "content-encoding")])


@case("lists")
def people_are_answered_with_indented_json(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map())
    for path in (f"{CONFIG_MAPS}/a", WIDGETS, f"{CONFIG_MAPS}/none", "/api", "/apis/{group}"):
        for pretty in ("", "true", "0", "yes"):
            for agent in ("conformance/1.0", "curl/8", "Wget/1", "Mozilla/5.0 (X11)"):
                with talk.hush():
                    answer = talk.get(path, query={"pretty": pretty}, headers={"User-Agent": agent})
                talk.note(f"{path} {pretty} {agent}", [answer.raw[:12].decode(), answer.raw[-3:].decode()])


@case("lists", error=True)
def tokens_and_limits_are_read_as_go_reads_them(talk: Talk) -> None:
    define_widgets(talk)
    with talk.hush():
        for number in range(3):
            talk.post(
                SECRETS, {**secret(f"a{number}"), "metadata": {"name": f"a{number}", "labels": {"n": str(number)}}}
            )
            talk.post(WIDGETS, widget(f"a{number}"))
        token, other = (talk.get(path, query={"limit": 1}).body["metadata"]["continue"] for path in (SECRETS, WIDGETS))
    queries: list[Body] = [
        {"continue": other}, {"continue": token, "labelSelector": "n=2"}, {"continue": token, "limit": -1},
        {"continue": token, "limit": 0}, {"continue": token, "fieldSelector": "metadata.name=a0"}, {"limit": "abc"},
        {"limit": "1e3"}, {"limit": "99999999999999999999"}, {"limit": ""}, {"limit": "-1"}, {"timeoutSeconds": ""},
        {"resourceVersionMatch": "Exact", "resourceVersion": "0"}, {"continue": ""}, {"sendInitialEvents": ""},
    ]  # fmt: skip
    for query in queries:
        with talk.hush():
            answer = talk.get(SECRETS, query=query)
        names = [each["metadata"]["name"] for each in answer.body.get("items", ())]
        talk.note(str([*query]), [answer.status, names, answer.body.get("message")])
    with talk.hush():
        answer = talk.get(WIDGETS, query={"continue": token})
    talk.note("names", [each["metadata"]["name"] for each in answer.body["items"]])


@case("errors", error=True)
def no_object_is_called_as_a_folder_is(talk: Talk) -> None:
    for path in (f"{CONFIG_MAPS}/..", f"{CONFIG_MAPS}/.", "/api/v1/namespaces/..", f"{DEPLOYMENTS}/.."):
        talk.get(path)
    talk.delete(f"{CONFIG_MAPS}/..")
