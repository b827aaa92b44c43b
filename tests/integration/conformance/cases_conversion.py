"""Conversion webhooks: custom resources stored in one version, written and read in another."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from tests.integration.conformance.harness import Body, Talk, case
from tests.integration.hook_server import Answer, Hook, hook_server

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
FIRST = "/apis/{group}/v1/namespaces/{ns}/gadgets"
SECOND = "/apis/{group}/v2/namespaces/{ns}/gadgets"


def moved(obj: Body, api_version: str) -> Body:
    """v1 has `spec.size`, v2 has `spec.width`."""
    found = copy.deepcopy(obj)
    spec = found.get("spec") or {}
    old, new = ("size", "width") if api_version.endswith("/v2") else ("width", "size")
    if old in spec:
        spec[new] = spec.pop(old)
    return {**found, "apiVersion": api_version}


def converting(change: Callable[[list[Body]], Any] = lambda objects: objects) -> Callable[[Body], Answer]:
    def respond(request: Body) -> Answer:
        objects = [moved(each, request["desiredAPIVersion"]) for each in request["objects"]]
        return {"result": {"status": "Success"}, "convertedObjects": change(objects)}

    return respond


def gadget(version: str, name: str = "a", **spec: Any) -> Body:
    return {"apiVersion": f"{{group}}/{version}", "kind": "Gadget", "metadata": {"name": name}, "spec": spec}


def define(talk: Talk, respond: Callable[[Body], Answer], **webhook: Any) -> Hook:
    """Gadgets in two versions, the first of which is stored."""
    server, path = hook_server(), f"/{talk.group}/convert"
    hook = server.hooks[path] = Hook(respond)
    client = {"url": f"{server.url}{path}", "caBundle": server.bundle}
    conversion = {
        "strategy": "Webhook",
        "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"], **webhook},
    }
    versions = []
    for version, name in (("v1", "size"), ("v2", "width")):
        spec = {"type": "object", "properties": {name: {"type": "integer"}, "color": {"type": "string"}}}
        status = {"type": "object", "properties": {"ready": {"type": "boolean"}}}
        schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": status}}}
        versions.append(
            {
                "name": version,
                "served": True,
                "storage": version == "v1",
                "schema": schema,
                "subresources": {"status": {}},
            }
        )
    names = {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"}
    talk.define(
        {"group": talk.group, "scope": "Namespaced", "names": names, "versions": versions, "conversion": conversion}
    )
    talk.eventually(lambda: talk.get(SECOND).status == 200)
    return hook


@case("conversion", error=True)
def a_conversion_must_make_sense(talk: Talk) -> None:
    names = {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"}
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    client = {"url": "https://127.0.0.1:1/{group}"}
    for conversion in (
        {"strategy": "Webhook"},
        {"strategy": "None", "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]}},
        {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"]}},
        {"strategy": "Webhook", "webhook": {"clientConfig": {}, "conversionReviewVersions": ["v2", "v2", "V"]}},
        {"strategy": "Webhook", "webhook": {"clientConfig": {"url": "http://a?b"}, "conversionReviewVersions": []}},
        {"strategy": "Webhook", "webhook": {"clientConfig": {"service": {"name": "", "namespace": "", "path": "a"}},
                                            "conversionReviewVersions": ["v1"]}},
        {"strategy": "Webhook", "webhook": {"clientConfig": {"service": {"name": "a", "namespace": "b"}},
                                            "conversionReviewVersions": ["v1", "v1beta1"]}},
    ):  # fmt: skip
        body = {"metadata": {"name": "gadgets.{group}"}, "spec": {
            "group": "{group}", "scope": "Namespaced", "names": names, "versions": [version], "conversion": conversion,
        }}  # fmt: skip
        talk.post(
            DEFINITIONS,
            {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", **body},
            query={"dryRun": "All"},
        )


@case("conversion")
def each_version_shows_what_was_written_in_another(talk: Talk) -> None:
    define(talk, converting())
    talk.post(FIRST, gadget("v1", "a", size=1, color="red"))
    talk.post(SECOND, gadget("v2", "b", width=2, size=3))
    for path in (FIRST, SECOND):
        for name in ("a", "b"):
            talk.get(f"{path}/{name}")
        talk.get(path)
    talk.get(f"{SECOND}/a", headers={"Accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"})


@case("conversion")
def writes_in_another_version_are_converted_both_ways(talk: Talk) -> None:
    define(talk, converting())
    made = talk.post(SECOND, gadget("v2", width=1))
    talk.patch(f"{SECOND}/a", {"spec": {"width": 2}})
    talk.patch(f"{SECOND}/a", [{"op": "test", "path": "/spec/width", "value": 2}], content_type="json")
    talk.put(f"{SECOND}/a", gadget("v2", width=3))
    talk.put(f"{SECOND}/a", {**gadget("v2", width=3), "metadata": {"name": "a", "resourceVersion": made.version}})
    talk.patch(f"{SECOND}/a/status", {"status": {"ready": True}})
    talk.patch(f"{FIRST}/a", {"spec": {"size": "x"}})
    talk.patch(f"{SECOND}/a", {"spec": {"size": 4}})
    talk.get(f"{FIRST}/a")
    talk.post(SECOND, gadget("v2", "c", width=1), query={"dryRun": "All"})
    talk.delete(f"{SECOND}/a")


@case("conversion")
def a_watch_is_converted_too(talk: Talk) -> None:
    define(talk, converting())
    talk.post(FIRST, gadget("v1", size=1))

    def during() -> None:
        talk.patch(f"{FIRST}/a", {"spec": {"size": 2}})
        talk.patch(f"{SECOND}/a", {"spec": {"width": 3}})
        talk.delete(f"{FIRST}/a")

    for path in (SECOND, FIRST):
        talk.watch(path, {"timeoutSeconds": "10"}, until=4, during=during)
        talk.post(FIRST, gadget("v1", size=1))


@case("conversion", error=True)
def a_conversion_that_fails_fails_the_request(talk: Talk) -> None:
    answers: list[Answer] = [
        {"result": {"status": "Failure", "message": "cannot"}}, {"result": {"status": "Failure"}}, {},
        {"result": {"status": "Success"}, "convertedObjects": []}, {"uid": "other", "result": {"status": "Success"}},
        (500, "it broke"), (404, ""), b"none", b"{}",
        json.dumps({"apiVersion": "apiextensions.k8s.io/v1", "kind": "Other"}).encode(),
    ]  # fmt: skip
    left = [None]
    define(talk, lambda request: converting()(request) if left[0] is None else left[0])
    talk.post(FIRST, gadget("v1", size=1))
    for each in answers:
        left[0] = each
        talk.post(SECOND, gadget("v2", "b", width=1))
        talk.get(f"{SECOND}/a")
    left[0] = None
    talk.get(f"{FIRST}/a")
    talk.get(f"{FIRST}/b")


@case("conversion", error=True)
def what_comes_back_must_be_the_same_object(talk: Talk) -> None:
    def changed(**metadata: Any) -> Callable[[list[Body]], list[Body]]:
        return lambda objects: [{**each, "metadata": {**each["metadata"], **metadata}} for each in objects]

    changes: list[Callable[[list[Body]], Any]] = [
        changed(name="other"), changed(namespace="other"), changed(uid="other"), changed(labels={"a b": "c"}),
        changed(labels={"a": 1}), changed(labels=[]),
        changed(labels={"new": "label"}, resourceVersion="7", finalizers=["x"]),
        lambda objects: [{**each, "apiVersion": "v1"} for each in objects],
        lambda objects: [{**each, "kind": "Other"} for each in objects],
        lambda objects: [{name: value for name, value in each.items() if name != "metadata"} for each in objects],
        lambda objects: [each | {"metadata": 1} for each in objects], lambda objects: objects * 2,
    ]  # fmt: skip
    left: list[Any] = [None]

    def change(objects: list[Body]) -> Any:
        return objects if left[0] is None else left[0](objects)

    define(talk, converting(change))
    talk.post(FIRST, gadget("v1", size=1))
    for each in changes:
        left[0] = each
        talk.post(SECOND, gadget("v2", "b", width=1), query={"dryRun": "All"})
    left[0] = None
    talk.get(f"{SECOND}/a")
