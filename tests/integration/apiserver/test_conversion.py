"""Conversion webhooks of the embedded server: what the conformance cases cannot show."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from btcctl.apiserver.api import Api, ApiRequest
from btcctl.apiserver.requests.messages import WatchResponse
from tests.integration.apiserver.test_webhooks import send
from tests.integration.hook_server import Hook, HookServer, hook_server

FIRST, SECOND = (f"/apis/example.org/{version}/namespaces/default/gadgets" for version in ("v1", "v2"))


@pytest.fixture(scope="module", autouse=True)
def hooks() -> HookServer:
    """Started before any test, since it stays."""
    return hook_server()


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.admission.close()


def moved(obj: dict[str, Any], api_version: str) -> dict[str, Any]:
    old, new = ("size", "width") if api_version.endswith("/v2") else ("width", "size")
    spec = {new if name == old else name: value for name, value in obj["spec"].items()}
    return {**obj, "apiVersion": api_version, "spec": spec}


def define(api: Api, meanwhile: Callable[[], object] = lambda: None) -> Hook:
    server, path = hook_server(), f"/{uuid.uuid4()}"

    def respond(request: dict[str, Any]) -> dict[str, Any]:
        meanwhile()
        objects = [moved(each, request["desiredAPIVersion"]) for each in request["objects"]]
        return {"result": {"status": "Success"}, "convertedObjects": objects}

    hook = server.hooks[path] = Hook(respond)
    client = {"url": f"{server.url}{path}", "caBundle": server.bundle}
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    versions = [
        {"name": each, "served": True, "storage": each == "v1", "schema": {"openAPIV3Schema": free}}
        for each in ("v1", "v2")
    ]
    names = {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"}
    conversion = {"strategy": "Webhook", "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]}}
    spec = {"group": "example.org", "scope": "Namespaced", "names": names, "versions": versions}
    body = {"metadata": {"name": "gadgets.example.org"}, "spec": {**spec, "conversion": conversion}}
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert send(api, "POST", path, body)[0] == 201
    return hook


def gadget(version: str, name: str = "a", **spec: Any) -> dict[str, Any]:
    return {"apiVersion": f"example.org/{version}", "kind": "Gadget", "metadata": {"name": name}, "spec": spec}


def test_a_conversion_may_ask_and_write_to_the_server_that_waits_for_it(api):
    numbers = iter(range(100))

    def meanwhile() -> None:
        body = {"metadata": {"name": f"noted-{next(numbers)}"}}
        assert send(api, "POST", "/api/v1/namespaces/default/configmaps", body)[0] == 201

    define(api, meanwhile)
    status, made = send(api, "POST", SECOND, gadget("v2", width=1))
    assert (status, made["spec"]) == (201, {"width": 1})
    assert send(api, "GET", FIRST)[1]["items"][0]["spec"] == {"size": 1}


def test_an_object_is_stored_as_the_storage_version_has_it_under_the_uid_it_was_converted_with(api):
    define(api)
    made = send(api, "POST", SECOND, gadget("v2", width=1))[1]
    stored = api.store.list(("example.org", "gadgets"))[0][0].body
    assert (stored["apiVersion"], stored["spec"]) == ("example.org/v1", {"size": 1})
    assert stored["metadata"]["uid"] == made["metadata"]["uid"]


def test_what_is_stored_is_converted_anew_each_time_it_is_read(api):
    hook = define(api)
    send(api, "POST", FIRST, gadget("v1", size=1))
    before = len(hook.asked)
    for _ in range(2):
        send(api, "GET", f"{SECOND}/a")
    assert len(hook.asked) == before + 2


def test_a_watch_that_cannot_be_converted_ends_with_an_error(api):
    define(api)
    answer = api.handle(ApiRequest("GET", SECOND, {"watch": ["1"]}))
    assert isinstance(answer, WatchResponse)
    lines: list[bytes] = []
    ended: list[bool] = []
    answer.watch.start(lines.append, lambda: ended.append(True))
    send(api, "POST", FIRST, gadget("v1", "good", size=1))
    hook_server().hooks.clear()
    send(api, "POST", FIRST, gadget("v1", "bad", size=1))
    assert [line[:15] for line in lines] == [b'{"type":"ADDED"', b'{"type":"ERROR"']
    assert b"conversion webhook for example.org/v1, Kind=Gadget failed" in lines[1]
    assert ended == [True]
