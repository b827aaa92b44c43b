from __future__ import annotations

import json

import pytest

from btcctl.errors import Gone, Interrupted, NotFound, ObjectDecodeError
from btcctl.objects import ObjectKey
from btcctl.resources import NODES, PODS
from btcctl.rest.client import ApiClient
from btcctl.rest.collection.resource import PatchKind, Resource
from btcctl.rest.watching.lister_watcher import StreamingListerWatcher
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from tests.unit.rest.fakes import ScriptedTransport, answer, pod, status

KEY = ObjectKey("ns", "a")
POD_A = answer(pod("a"))


def pods(*answers, namespace: str = "ns") -> tuple[Resource, ScriptedTransport]:
    transport = ScriptedTransport(*answers)
    return ApiClient(transport, clock=FakeClock(), field_manager="btcctl").resource(PODS, namespace), transport


def page(*names: str, token: str = "", version: str = "7"):
    return answer({"metadata": {"resourceVersion": version, "continue": token}, "items": [pod(each) for each in names]})


def line(type_: str, body: object) -> bytes:
    return json.dumps({"type": type_, "object": body}).encode() + b"\n"


def test_get_reads_one_object():
    resource, transport = pods(POD_A)
    assert resource.get(KEY).key == KEY
    assert (transport.last.method, transport.last.path) == ("GET", "/api/v1/namespaces/ns/pods/a")


def test_get_of_a_missing_object_is_not_found():
    resource, _ = pods(status(404, "NotFound", 'pods "a" not found'))
    with pytest.raises(NotFound):
        resource.get(KEY)


def test_get_without_a_name_is_a_mistake_and_not_a_list():
    resource, transport = pods(POD_A)
    with pytest.raises(ValueError, match="name"):
        resource.get(ObjectKey("ns", ""))
    assert transport.requests == []


@pytest.mark.parametrize("namespace", [None, ["a", "b"], 5])
def test_a_namespace_that_is_no_text_is_none_and_not_all_of_them(namespace):
    client = ApiClient(ScriptedTransport())
    with pytest.raises(TypeError, match=r"the namespace of a collection .* must be one text"):
        client.resource(PODS, namespace)
    with pytest.raises(TypeError, match="must be text"):
        client.resource(PODS).get(ObjectKey("ns", 5))  # type: ignore[arg-type]


def test_an_argument_of_a_write_that_is_of_another_type_is_said():
    resource, transport = pods(POD_A)
    with pytest.raises(TypeError, match="the kind of a patch"):
        resource.patch(KEY, {}, kind="merge")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="grace_period_seconds"):
        resource.delete(KEY, grace_period_seconds=float("nan"))  # type: ignore[arg-type]
    assert transport.requests == []


def test_an_answer_that_is_no_object_is_a_decode_error():
    resource, _ = pods(answer(b"<html>welcome</html>", Content_Type="text/html"))
    with pytest.raises(ObjectDecodeError, match="is this an API server"):
        resource.get(KEY)


def test_list_reads_every_page_with_the_token_of_the_one_before():
    resource, transport = pods(page("a", "b", token="t1"), page("c"))
    items, version = resource.list(page_size=2, label_selector="app=x", field_selector="spec.y=z")
    assert [item.name for item in items] == ["a", "b", "c"]
    assert version == "7"
    first, second = (request.query for request in transport.requests)
    assert first == {"labelSelector": "app=x", "fieldSelector": "spec.y=z", "limit": "2"}
    assert second == {**first, "continue": "t1"}


def test_a_list_whose_snapshot_expires_is_read_again_in_one_piece():
    resource, transport = pods(page("a", token="t1"), status(410, "Expired"), page("b", "c", version="9"))
    items, version = resource.list(page_size=1)
    assert ([item.name for item in items], version) == (["b", "c"], "9")
    assert "limit" not in transport.last.query


def test_a_list_that_does_not_end_is_given_up_on():
    resource, _ = pods(page("a", token="t1"), page(token="t2"), page(token="t1"))
    with pytest.raises(ObjectDecodeError, match="the same continue token came twice"):
        resource.list()


def test_a_list_that_expires_again_and_again_is_gone():
    resource, transport = pods(*[page("a", token="t1"), status(410, "Expired")] * 2, page())
    with pytest.raises(Gone):
        resource.list()
    assert len(transport.requests) == 4


def test_a_list_that_is_gone_at_once_is_gone():
    resource, _ = pods(status(410, "Expired"))
    with pytest.raises(Gone):
        resource.list()


def test_a_list_of_all_namespaces_has_no_namespace_in_its_path():
    resource, transport = pods(page(), namespace="")
    assert resource.list() == ([], "7")
    assert transport.last.path == "/api/v1/pods"


def test_lists_are_compressed_if_that_is_asked_for():
    transport = ScriptedTransport(page())
    for gzip in (True, False):
        ApiClient(transport, gzip=gzip).resource(PODS, "ns").list()
    assert [each.headers.get("Accept-Encoding") for each in transport.requests] == ["gzip", None]


@pytest.mark.parametrize(
    ("version", "query"),
    [
        ("", {"limit": "5"}),
        ("0", {"limit": "5", "resourceVersion": "0"}),
        ("42", {"limit": "5", "resourceVersion": "42", "resourceVersionMatch": "NotOlderThan"}),
    ],
)
def test_a_page_not_older_than_a_version(version: str, query: dict[str, str]):
    resource, transport = pods(page())
    resource.list_page(resource_version=version, limit=5)
    assert transport.last.query == query


def test_a_token_names_its_own_version():
    resource, transport = pods(page())
    resource.list_page(resource_version="42", limit=5, continue_token="t")
    assert transport.last.query == {"limit": "5", "continue": "t"}


def test_create_posts_to_the_bodys_namespace_or_else_the_collections():
    resource, transport = pods(POD_A)
    resource.create({"metadata": {"name": "a", "namespace": "other"}})
    assert transport.last.path == "/api/v1/namespaces/other/pods"
    resource.create({"metadata": {"name": "a"}})
    assert (transport.last.method, transport.last.path) == ("POST", "/api/v1/namespaces/ns/pods")
    assert transport.last.headers["Content-Type"] == "application/json"


def test_create_without_any_namespace_is_a_mistake():
    resource, transport = pods(POD_A, namespace="")
    with pytest.raises(ValueError, match="needs a namespace"):
        resource.create({"metadata": {"name": "a"}})
    assert transport.requests == []


def test_a_cluster_scoped_object_needs_no_namespace():
    transport = ScriptedTransport(answer({"metadata": {"name": "n"}}))
    ApiClient(transport).resource(NODES).create({"metadata": {"name": "n"}})
    assert transport.last.path == "/api/v1/nodes"


def test_writes_name_their_field_manager():
    resource, transport = pods(POD_A)
    resource.create(pod("a"))
    resource.update(pod("a"))
    resource.update_status(pod("a"))
    resource.patch(KEY, {})
    assert {request.query["fieldManager"] for request in transport.requests} == {"btcctl"}


def test_writes_carry_the_kind_that_list_items_come_without():
    resource, transport = pods(POD_A)
    resource.update(pod("a"))
    assert transport.last_body == {"apiVersion": "v1", "kind": "Pod", **pod("a")}


def test_update_puts_the_object_and_its_status_to_their_paths():
    resource, transport = pods(POD_A)
    resource.update(pod("a"))
    resource.update_status(pod("a"))
    assert [(each.method, each.path) for each in transport.requests] == [
        ("PUT", "/api/v1/namespaces/ns/pods/a"),
        ("PUT", "/api/v1/namespaces/ns/pods/a/status"),
    ]


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        (PatchKind.MERGE, "application/merge-patch+json"),
        (PatchKind.JSON, "application/json-patch+json"),
        (PatchKind.STRATEGIC, "application/strategic-merge-patch+json"),
        (PatchKind.APPLY, "application/apply-patch+yaml"),
    ],
)
def test_a_patch_says_what_kind_it_is(kind: PatchKind, content_type: str):
    resource, transport = pods(POD_A)
    resource.patch(KEY, [] if kind is PatchKind.JSON else {}, kind=kind)
    assert transport.last.method == "PATCH"
    assert transport.last.headers["Content-Type"] == content_type


def test_a_merge_patch_is_sent_as_it_is():
    resource, transport = pods(POD_A)
    resource.patch(KEY, {"metadata": {"labels": {"x": None}}}, subresource="status")
    assert transport.last.path.endswith("/pods/a/status")
    assert transport.last.query == {"fieldManager": "btcctl"}
    assert transport.last_body == {"metadata": {"labels": {"x": None}}}


def test_an_apply_names_its_manager_says_whether_it_is_forced_and_carries_the_kind():
    resource, transport = pods(POD_A)
    resource.patch(KEY, {"spec": {}}, kind=PatchKind.APPLY, field_manager="me", force=True)
    assert transport.last.query == {"fieldManager": "me", "force": "true"}
    assert transport.last_body == {"apiVersion": "v1", "kind": "Pod", "spec": {}}
    resource.patch(KEY, {}, kind=PatchKind.APPLY)
    assert transport.last.query == {"fieldManager": "btcctl", "force": "false"}


def test_only_an_apply_can_be_forced():
    resource, _ = pods(POD_A)
    with pytest.raises(ValueError, match="forced"):
        resource.patch(KEY, {}, force=True)


def test_a_json_patch_is_not_repeated_when_the_server_may_have_acted():
    resource, transport = pods(status(503, Retry_After="1"))
    with pytest.raises(Exception, match="503"):
        resource.patch(KEY, [{"op": "add", "path": "/x/-", "value": 1}], kind=PatchKind.JSON)
    assert len(transport.requests) == 1


def test_delete_sends_only_the_options_given():
    resource, transport = pods(answer({"kind": "Status", "status": "Success"}))
    resource.delete(KEY)
    assert transport.last_body == {"apiVersion": "v1", "kind": "DeleteOptions"}
    resource.delete(KEY, uid="u", resource_version="3", propagation_policy="Foreground", grace_period_seconds=0)
    assert transport.last_body == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": "u", "resourceVersion": "3"},
        "propagationPolicy": "Foreground",
        "gracePeriodSeconds": 0,
    }


def test_a_subresource_answers_with_what_the_server_says():
    resource, transport = pods(answer({"kind": "Status", "status": "Success"}, 201))
    result = resource.subresource_post(KEY, "binding", {"target": {"name": "n"}})
    assert result["status"] == "Success"
    assert transport.last.path == "/api/v1/namespaces/ns/pods/a/binding"


def test_a_watch_asks_for_bookmarks_and_yields_events_until_the_server_ends_it():
    resource, transport = pods(answer(line("ADDED", pod("a")) + line("DELETED", pod("a", "2"))))
    with resource.watch(resource_version="1", timeout_seconds=300) as stream:
        events = [(event.type, event.object.resource_version) for event in stream]
    assert events == [("ADDED", "1"), ("DELETED", "2")]
    assert transport.last.query == {
        "watch": "true",
        "resourceVersion": "1",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "300",
    }
    assert transport.streams[0].is_closed


def test_a_bookmarked_stream_may_be_silent_for_little_more_than_a_minute():
    resource, transport = pods(answer(b""))
    resource.watch(resource_version="1").close()
    resource.watch(resource_version="1", bookmarks=False).close()
    assert transport.timeouts[0] == 70.0
    assert transport.timeouts[1] > 3600.0


def test_a_refused_watch_raises_at_once_and_lets_the_connection_go():
    resource, transport = pods(status(410, "Expired", "too old"))
    with pytest.raises(Gone):
        resource.watch(resource_version="1")
    assert transport.streams[0].is_closed


def test_a_lister_watcher_lists_and_watches_with_its_selectors():
    resource, transport = pods(page("a"), answer(line("ADDED", pod("b"))))
    source = resource.lister_watcher(label_selector="app=x")
    assert source.list_page(resource_version="0", limit=500, continue_token="").items[0].name == "a"
    with source.watch(resource_version="7", timeout_seconds=60) as stream:
        assert next(stream).object.name == "b"
    assert [request.query["labelSelector"] for request in transport.requests] == ["app=x", "app=x"]


def test_a_lister_watcher_of_metadata_asks_for_nothing_else():
    resource, transport = pods(page("a"), answer(line("ADDED", pod("b"))), page("a"))
    source = resource.lister_watcher(metadata_only=True)
    source.list_page(resource_version="0", limit=500, continue_token="")
    source.watch(resource_version="7", timeout_seconds=60).close()
    resource.list()
    assert [request.headers["Accept"] for request in transport.requests] == [
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
        "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
        "application/json",
    ]


def test_an_interrupted_lister_watcher_stays_interrupted_and_leaves_others_alone():
    resource, _ = pods(page("a"))
    source, other = resource.lister_watcher(), resource.lister_watcher()
    source.interrupt()
    with pytest.raises(Interrupted):
        source.list_page(resource_version="", limit=1, continue_token="")
    assert other.list_page(resource_version="", limit=1, continue_token="").items


def test_interrupting_ends_a_wait_the_server_asked_for():
    resource, transport = pods(status(429, Retry_After="5"))
    source = resource.lister_watcher()
    transport.on_request = source.interrupt
    with pytest.raises(Interrupted):
        source.list_page(resource_version="", limit=1, continue_token="")
    assert len(transport.requests) == 1


def test_a_streamed_list_asks_for_what_exists_and_for_an_end_of_it():
    resource, transport = pods(answer(line("ADDED", pod("a"))))
    source = resource.lister_watcher(streaming=True)
    assert isinstance(source, StreamingListerWatcher)
    with source.watch_list(resource_version="", timeout_seconds=300) as stream:
        assert [event.object.name for event in stream] == ["a"]
    assert transport.last.query == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "300",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
    }


def test_silence_may_be_longer_once_what_existed_has_been_told():
    metadata = {"resourceVersion": "9", "annotations": {"k8s.io/initial-events-end": "true"}}
    resource, transport = pods(answer(line("ADDED", pod("a")) + line("BOOKMARK", {"metadata": metadata})))
    with resource.watch(resource_version="", timeout_seconds=300, initial_events=True) as stream:
        next(stream)
        assert (transport.timeouts, transport.streams[0].idle_timeouts) == ([10.0], [])
        next(stream)
        assert transport.streams[0].idle_timeouts == [70.0]


def test_what_a_list_leaves_out_is_logged():
    with capture_logs() as logs:
        pods(answer({"metadata": {"resourceVersion": "7"}, "items": [{"spec": {}}]}))[0].list()
    assert [entry["event"] for entry in logs] == ["object left out of a list"]
