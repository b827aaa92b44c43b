"""Requests that every kind answers alike: paths, methods, forms, permissions."""

from __future__ import annotations

import json

import pytest

from btcctl.apiserver.api import ApiRequest, ApiResponse, RequestAttributes
from tests.unit.apiserver.calls import CONFIG_MAPS, GROUP, PODS, THINGS, Server, pod, thing

NO_METHOD = "the server does not allow this method on the requested resource"


@pytest.mark.parametrize("path", ["/nothing", "/apis/no.example.org/v1/things", f"/apis/{GROUP}/v2/things"])
def test_an_unknown_path_or_group_version_is_404_in_plain_text(server, path):
    response = server.send("GET", path)
    assert (response.status, response.body) == (404, b"404 page not found\n")
    assert response.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/nothing",
        f"{PODS}/p/nothing",
        "/api/v1/pods/p",
        "/api/v1/namespaces/d/nodes",
    ],
)
def test_an_unknown_resource_in_a_known_group_is_a_404_status_without_details(server, path):
    answer = server.get(path)
    assert (answer.status, answer.body["details"]) == (404, {})
    assert answer.message == "the server could not find the requested resource"


def test_an_unknown_resource_in_a_group_of_definitions_is_a_404_in_plain_text(server):
    assert server.send("GET", f"/apis/{GROUP}/v1/nothing").body == b"404 page not found\n"


@pytest.mark.parametrize(
    ("path", "message", "details"),
    [
        (f"{CONFIG_MAPS}/zz", 'configmaps "zz" not found', {"name": "zz", "kind": "configmaps"}),
        (f"{THINGS}/zz", f'things.{GROUP} "zz" not found', {"name": "zz", "group": GROUP, "kind": "things"}),
    ],
)
def test_a_missing_object_is_404_and_names_the_plural(server, path, message, details):
    for method in ("GET", "DELETE"):
        answer = server.call(method, path)
        assert (answer.status, answer.reason, answer.message) == (404, "NotFound", message)
        assert answer.body["details"] == details


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/api/v1/namespaces"),
        ("POST", "/api/v1/namespaces/default"),
        ("HEAD", CONFIG_MAPS),
        ("OPTIONS", CONFIG_MAPS),
        ("PUT", CONFIG_MAPS),
        ("POST", "/api/v1/pods"),
        ("DELETE", f"{PODS}/p/status"),
        ("POST", f"{PODS}/p/log"),
    ],
)
def test_a_method_that_means_nothing_there_is_405(server, method, path):
    answer = server.call(method, path, pod() if method == "POST" else None)
    assert (answer.status, answer.reason, answer.message) == (405, "MethodNotAllowed", NO_METHOD)


def test_a_built_in_list_says_what_it_is_once_and_not_in_each_item(server):
    server.created(CONFIG_MAPS, {"metadata": {"name": "a"}})
    answer = server.get(CONFIG_MAPS)
    assert list(answer.body) == ["kind", "apiVersion", "metadata", "items"]
    assert list(answer.body["items"][0]) == ["metadata"]
    assert list(answer.body["metadata"]) == ["resourceVersion"]


def test_a_custom_list_is_alphabetical_and_its_items_say_what_they_are(server):
    server.created(THINGS, thing())
    answer = server.get(THINGS)
    assert list(answer.body) == ["apiVersion", "items", "kind", "metadata"]
    assert list(answer.body["items"][0]) == ["apiVersion", "kind", "metadata", "spec"]
    assert answer.body["metadata"]["continue"] == ""


def test_answers_are_compact_json_and_a_newline(server):
    raw = server.get(CONFIG_MAPS).raw
    assert raw.endswith(b"]}\n")
    assert b": " not in raw


def test_keys_of_a_built_in_object_come_in_the_order_of_its_go_type(server):
    created = server.created(CONFIG_MAPS, {"data": {"k": "v"}, "metadata": {"labels": {"a": "b"}, "name": "a"}})
    assert list(created) == ["kind", "apiVersion", "metadata", "data"]
    order = ["name", "namespace", "uid", "resourceVersion", "creationTimestamp", "labels", "managedFields"]
    assert list(created["metadata"]) == order


def test_the_three_namespaces_and_their_accounts_are_there_at_the_start(server):
    assert server.get("/api/v1/namespaces").names == ["default", "kube-public", "kube-system"]
    assert server.get("/api/v1/serviceaccounts").names == ["default"] * 3


@pytest.mark.parametrize(
    ("accept", "status"),
    [("", 200), ("*/*", 200), ("application/vnd.kubernetes.protobuf, application/json", 200), ("text/html", 406)],
)
def test_the_first_form_that_can_be_served_is(server, accept, status):
    assert server.get(CONFIG_MAPS, accept=accept).status == status


def test_a_table_and_metadata_alone_are_served_on_demand(server):
    server.created(THINGS, thing())
    table = server.get(THINGS, accept="application/json;as=Table;v=v1;g=meta.k8s.io,application/json").body
    assert (table["kind"], table["rows"][0]["cells"][0]) == ("Table", "a")
    partial = server.get(f"{THINGS}/a", accept="application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io").body
    assert (partial["kind"], partial["metadata"]["name"], "spec" in partial) == ("PartialObjectMetadata", "a", False)


def test_an_unserved_version_of_the_table_falls_through_to_the_next_form(server):
    accept = "application/json;as=Table;v=v9;g=meta.k8s.io, application/json"
    assert server.get(THINGS, accept=accept).body["kind"] == "ThingList"


class TestAuthorizer:
    def refuse(self, attributes: RequestAttributes) -> str | None:
        return None if attributes.user == "system:admin" else ""

    @pytest.mark.parametrize(
        ("method", "path", "message", "details"),
        [
            (
                "GET",
                CONFIG_MAPS,
                (
                    'configmaps is forbidden: User "alice" cannot list resource "configmaps" in API group "" '
                    'in the namespace "default"'
                ),
                {"kind": "configmaps"},
            ),
            (
                "GET",
                "/api/v1/nodes",
                'nodes is forbidden: User "alice" cannot list resource "nodes" in API group "" at the cluster scope',
                {"kind": "nodes"},
            ),
            (
                "PATCH",
                f"{PODS}/q/status",
                (
                    'pods "q" is forbidden: User "alice" cannot patch resource "pods/status" in API group "" '
                    'in the namespace "default"'
                ),
                {"name": "q", "kind": "pods"},
            ),
            ("GET", "/metrics", 'forbidden: User "alice" cannot get path "/metrics"', {}),
        ],
    )
    def test_a_refusal_says_who_may_not_do_what_where(self, method, path, message, details):
        answer = Server(authorizer=self.refuse).call(method, path, user="alice")
        assert (answer.status, answer.reason, answer.message) == (403, "Forbidden", message)
        assert answer.body["details"] == details
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    def test_a_watch_is_refused_as_a_watch(self):
        answer = Server(authorizer=self.refuse).get(CONFIG_MAPS, watch="1", user="alice")
        assert 'cannot watch resource "configmaps"' in answer.message

    def test_an_access_review_asks_the_same_authorizer(self):
        server = Server(authorizer=self.refuse)
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        review = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}}
        assert server.post(path, review).body["status"] == {"allowed": True}

    def test_an_access_review_must_ask_about_one_thing(self, server):
        answer = server.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": {}})
        assert answer.status == 422

    def test_a_subject_review_says_who_asks(self, server):
        answer = server.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, user="bob")
        assert answer.body["status"]["userInfo"]["username"] == "bob"


def test_the_observer_is_told_of_every_request_and_its_status():
    seen: list[tuple[str, str, str, int]] = []
    server = Server(observer=lambda asked, status: seen.append((asked.verb, asked.resource, asked.subresource, status)))
    server.created(PODS, pod())
    server.patch(f"{PODS}/p/status", {"status": {}})
    server.get(f"{PODS}/zz")
    server.watch(PODS)
    assert seen == [
        ("create", "pods", "", 201),
        ("patch", "pods", "status", 200),
        ("get", "pods", "", 404),
        ("watch", "pods", "", 200),
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)"),
        (b'{"a":', 'couldn\'t get version/kind; json parse error: unexpected end of JSON input ({"a":)'),
        (b"[1]", "json: cannot unmarshal"),
        (b'{"metadata":{"name":"b"}}', "Object 'Kind' is missing in"),
        (b"\xff", "couldn't get version/kind"),
        (b"[" * 100_000, "couldn't get version/kind"),
    ],
)
def test_a_body_that_cannot_be_read_is_400(server, body, message):
    answer = server.post(THINGS, body)
    assert (answer.status, answer.reason) == (400, "BadRequest")
    assert message in answer.message


def test_another_content_type_is_415(server):
    response = server.send("POST", CONFIG_MAPS, b"x", "text/plain")
    assert response.status == 415
    assert b"application/json, application/yaml, application/vnd.kubernetes.protobuf" in response.body


def test_yaml_and_protobuf_are_understood(server):
    assert server.send("POST", CONFIG_MAPS, b"metadata: {name: a}", "application/yaml").status == 201
    assert server.send("POST", CONFIG_MAPS, b"nonsense", "application/vnd.kubernetes.protobuf").status == 400


def test_a_body_of_more_than_3_mib_is_413(server):
    answer = server.post(CONFIG_MAPS, b" " * (3 * 1024 * 1024 + 1))
    assert (answer.status, answer.message) == (413, "Request entity too large: limit is 3145728")
    assert answer.headers["Connection"] == "close"


def test_an_object_too_large_for_etcd_is_500_without_a_reason(server):
    answer = server.post(THINGS, thing(free={"x": "y" * 1_600_000}))
    assert (answer.status, answer.message, answer.reason) == (500, "etcdserver: request is too large", None)


def test_a_group_or_plural_that_is_no_string_does_no_harm(server):
    broken = {"kind": "CustomResourceDefinition", "metadata": {"name": "x"}, "spec": {"versions": [{"schema": 1}]}}
    assert server.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", broken).status == 400


def test_whoever_may_do_everything_may_do_it_as_somebody_else(server):
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    request = ApiRequest("POST", path, {}, {"impersonate-user": "bob"}, json.dumps(review).encode())
    response = server.api.handle(request)
    assert isinstance(response, ApiResponse)
    assert json.loads(response.body)["status"]["userInfo"]["username"] == "bob"
