"""What an authorizer is asked, whether there is such a thing or not."""

from __future__ import annotations

from typing import Any

import pytest

from btcctl.apiserver.requests.messages import ApiRequest, RequestAttributes
from btcctl.apiserver.requests.request_info import attributes_of
from tests.unit.apiserver.calls import CONFIG_MAPS, THINGS, Server


@pytest.mark.parametrize(
    ("method", "path", "query", "asked"),
    [
        ("GET", "/api/v1/namespaces/a/pods", {}, ("list", "", "pods", "", "a", "")),
        ("GET", "/api/v1/namespaces/a/pods", {"watch": ["maybe"]}, ("watch", "", "pods", "", "a", "")),
        ("GET", "/api/v1/watch/pods", {}, ("watch", "", "pods", "", "", "")),
        ("GET", "/api/v1/pods", {"fieldSelector": ["metadata.name=p"]}, ("list", "", "pods", "", "", "p")),
        ("HEAD", "/api/v1/namespaces/a/pods/p", {}, ("get", "", "pods", "", "a", "p")),
        ("POST", "/api/v1/namespaces/a/pods/p/exec", {}, ("create", "", "pods", "exec", "a", "p")),
        ("PUT", "/apis/nowhere/v9/things/x/status", {}, ("update", "nowhere", "things", "status", "", "x")),
        ("DELETE", "/apis/nowhere/v9/things", {}, ("deletecollection", "nowhere", "things", "", "", "")),
        ("GET", "/api/v1/namespaces/a", {}, ("get", "", "namespaces", "", "a", "a")),
        ("PUT", "/api/v1/namespaces/a/finalize", {}, ("update", "", "namespaces", "finalize", "a", "a")),
        ("FLY", "/api/v1/pods", {}, ("", "", "pods", "", "", "")),
    ],
)
def test_a_path_is_taken_apart(method: str, path: str, query: dict[str, list[str]], asked: tuple[str, ...]) -> None:
    found = attributes_of(ApiRequest(method, path, query))
    assert (found.verb, found.group, found.resource, found.subresource, found.namespace, found.name) == asked


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1", "/apis/apps/v1", "/metrics", "/healthz/a/b"])
def test_another_path_is_only_a_path(path: str) -> None:
    found = attributes_of(ApiRequest("POST", path))
    assert (found.verb, found.path, found.resource) == ("post", path, "")


def refuse(_: RequestAttributes) -> str:
    return ""


@pytest.mark.parametrize("path", ["/api/v1/nothings", "/apis/nowhere.example.org/v1/things"])
def test_what_does_not_exist_is_forbidden_to_who_may_not_see_it(path: str) -> None:
    answer = Server(authorizer=refuse).get(path, user="alice")
    assert answer.status == 403
    assert 'User "alice" cannot list resource' in answer.message


def test_nobody_in_particular_may_nothing_even_without_an_authorizer(server: Server) -> None:
    answer = server.get(CONFIG_MAPS, user="system:anonymous")
    assert (answer.status, answer.body["details"]) == (403, {"kind": "configmaps"})


class TestCustomResources:
    @pytest.mark.parametrize(
        ("method", "path", "verb"),
        [("FLY", THINGS, ""), ("POST", f"{THINGS}/a/status", "create"), ("DELETE", f"{THINGS}/a/status", "delete")],
    )
    def test_a_verb_they_do_not_have_is_named(self, server: Server, method: str, path: str, verb: str) -> None:
        answer = server.call(method, path)
        why = f'{verb} is not supported on resources of kind "things.things.example.org"'
        assert (answer.status, answer.message) == (405, why)

    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    def test_without_a_name_they_are_not_changed(self, server: Server, method: str) -> None:
        answer = server.call(method, THINGS, {}, **content_type(method))
        assert (answer.status, answer.message) == (400, "name must be provided")

    def test_a_name_in_the_path_of_a_create_says_nothing(self, server: Server) -> None:
        body = {"apiVersion": "things.example.org/v1", "kind": "Thing", "metadata": {"name": "b"}, "spec": {"size": 1}}
        assert server.post(f"{THINGS}/a", body).body["metadata"]["name"] == "b"

    def test_a_watch_from_before_they_were_served_is_too_old(self, server: Server) -> None:
        [event] = server.watch(THINGS, resourceVersion="1").events
        assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


def content_type(method: str) -> dict[str, Any]:
    return {"content_type": "application/merge-patch+json"} if method == "PATCH" else {}


def test_an_answer_that_cannot_be_given_is_refused_before_anything_is_done(server: Server) -> None:
    body = {"metadata": {"name": "a"}}
    answer = server.post(CONFIG_MAPS, body, accept="text/html")
    available = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    assert (answer.status, answer.message) == (406, f"406: Not Acceptable\n\nAvailable representations: {available}")
    assert server.get(f"{CONFIG_MAPS}/a").status == 404
    assert "stream=watch" in server.get(CONFIG_MAPS, accept="text/html").message


def test_options_of_a_delete_are_read_in_what_a_server_understands(server: Server) -> None:
    server.created(CONFIG_MAPS, {"metadata": {"name": "a"}})
    assert server.call("DELETE", f"{CONFIG_MAPS}/a", b"x", content_type="text/plain").status == 415
    yaml = b"preconditions: {uid: other}"
    assert server.call("DELETE", f"{CONFIG_MAPS}/a", yaml, content_type="application/yaml").status == 409


def test_a_secret_is_measured_as_it_is_not_as_it_is_written(server: Server) -> None:
    path = CONFIG_MAPS.replace("configmaps", "secrets")
    fits, is_more = {"a": "x" * (1 << 20)}, {"a": "x" * (1 << 20), "b": "x"}
    assert server.post(path, {"metadata": {"name": "a"}, "stringData": fits}).status == 201
    assert server.post(path, {"metadata": {"name": "b"}, "stringData": is_more}).causes == [
        ("data", "Too long: may not be more than 1048576 bytes")
    ]
