"""The verbs beyond get, list, create, update and delete."""

from __future__ import annotations

import threading

import pytest

from btcctl.errors import Conflict, DeadlineExceeded, NotFound
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS, DEPLOYMENTS, PODS, ResourceType
from btcctl.rest.client import ApiClient
from btcctl.rest.collection.logs import MAX_LINE_BYTES, LogLines
from btcctl.rest.transport.breaker import Breaker
from btcctl.testing import FakeClient, FakeClock
from btcctl.threads import Runner
from tests.unit.rest.fakes import ScriptedTransport, answer

A = ObjectKey("default", "a")
WIDGETS = ResourceType("example.org", "v1", "widgets", "Widget")


def config_map(name: str = "a", **more):
    metadata = {"name": name, "namespace": "default", **more.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **more}


@pytest.fixture
def client() -> FakeClient:
    return FakeClient(config_map(data={"x": "1", "y": "1"}), field_manager="me")


@pytest.fixture
def maps(client):
    return client.resource(CONFIG_MAPS, "default")


def test_a_patch_from_a_difference_says_only_that(client, maps):
    old = maps.get(A)
    new = {**old.body(), "data": {"x": "2", "z": "3"}}
    assert maps.patch_from(old, new).body()["data"] == {"x": "2", "z": "3"}
    assert client.writes[0].body == {"data": {"x": "2", "y": None, "z": "3"}}


def test_no_difference_is_no_request(client, maps):
    old = maps.get(A)
    assert maps.patch_from(old, old.body()) is old
    assert client.writes == []


def test_what_only_the_server_says_is_no_difference(client, maps):
    old = maps.get(A)
    assert maps.patch_from(old, {"metadata": {"name": "a"}, "data": {"x": "1", "y": "1"}}) is old
    maps.patch_from(old, {"metadata": {"name": "a", "labels": {"a": "b"}}, "data": {"x": "1", "y": "1"}})
    assert client.writes[0].body == {"metadata": {"labels": {"a": "b"}}}


@pytest.mark.parametrize("selector", [{"label_selector": " "}, {"field_selector": ","}])
def test_a_blank_selector_deletes_nothing(client, maps, selector):
    with pytest.raises(ValueError, match="selects everything"):
        maps.delete_collection(**selector)
    assert client.writes == []


def test_a_locked_patch_fails_if_somebody_was_faster(maps):
    old = maps.get(A)
    maps.patch(A, {"data": {"x": "9"}})
    with pytest.raises(Conflict):
        maps.patch_from(old, {**old.body(), "data": {}}, locked=True)


def test_true_is_no_1_in_a_difference():
    widget = {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": {"on": 1}}
    client = FakeClient(widget, types=[WIDGETS])
    widgets = client.resource(WIDGETS, "default")
    old = widgets.get(A)
    assert widgets.patch_from(old, {**old.body(), "spec": {"on": True}}).body()["spec"] == {"on": True}
    assert client.writes[0].body["spec"]["on"] is True


def test_a_patch_from_another_object_is_a_mistake(maps):
    with pytest.raises(ValueError, match="another object"):
        maps.patch_from(maps.get(A), config_map("b"))


def test_a_collection_is_deleted_by_selector_in_one_request(client, maps):
    maps.create(config_map("b", metadata={"labels": {"old": "yes"}}))
    maps.delete_collection(label_selector="old=yes", dry_run=True)
    assert len(maps.list()[0]) == 2
    maps.delete_collection(label_selector="old=yes")
    assert [each.name for each in maps.list()[0]] == ["a"]


def test_a_collection_over_all_namespaces_is_not_deleted_at_once(client):
    with pytest.raises(ValueError, match="one namespace at a time"):
        client.resource(CONFIG_MAPS).delete_collection()


def test_status_and_scale_are_read_written_and_applied_as_subresources(client):
    pod = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": pod}
    deployments = client.resource(DEPLOYMENTS, "default")
    deployments.create({"metadata": {"name": "a"}, "spec": spec})
    scale = deployments.get(A, subresource="scale").body()
    assert scale["kind"] == "Scale"
    deployments.update({**scale, "spec": {"replicas": 3}}, subresource="scale")
    deployments.apply({"metadata": {"name": "a"}, "status": {"replicas": 2}}, subresource="status")
    body = deployments.get(A).body()
    assert (body["spec"]["replicas"], body["status"]["replicas"]) == (3, 2)


@pytest.mark.parametrize("call", ["get", "list", "create", "watch"])
def test_a_kind_that_is_not_served_is_named_with_its_crd(call):
    widgets = FakeClient().resource(WIDGETS, "default")
    calls = {
        "get": lambda: widgets.get(A),
        "list": widgets.list,
        "create": lambda: widgets.create({"metadata": {"name": "a"}}),
        "watch": lambda: widgets.watch(resource_version=""),
    }
    with pytest.raises(NotFound, match=r"is the CRD installed.* kubectl get crd widgets\.example\.org"):
        calls[call]()


def test_a_missing_object_and_a_missing_namespace_are_no_missing_kind(client, maps):
    with pytest.raises(NotFound) as caught:
        maps.get(ObjectKey("default", "b"))
    assert "the server has no" not in caught.value.message
    with pytest.raises(NotFound) as caught:
        client.resource(CONFIG_MAPS, "elsewhere").create({"metadata": {"name": "a"}})
    assert "the server has no" not in caught.value.message


def test_to_wait_ends_at_once_if_it_is_so_already(maps):
    assert maps.wait_until(A, lambda obj: obj is not None, timeout=5.0).key == A


def test_to_wait_ends_with_the_change_that_was_waited_for(client, maps):
    def act(_stop: object) -> None:
        client.end_watches()  # of which the first may end any time
        maps.patch(A, {"data": {"x": "2"}})
        maps.create(config_map("b"))
        maps.patch(A, {"data": {"x": "3"}})

    seen = []

    def is_3(obj) -> bool:
        if not seen:
            runner.start()
        seen.append(obj)
        return obj.body()["data"]["x"] == "3"

    runner = Runner("act", act)
    found = FakeJumper(client).wait(maps, is_3)
    runner.stop()
    assert found.body()["data"]["x"] == "3"
    assert {each.key for each in seen} == {A}


class FakeJumper:
    """Moves time while somebody waits, so that a pause between two watches passes."""

    def __init__(self, client: FakeClient) -> None:
        self._clock = client.clock

    def wait(self, resource, condition):
        ended = threading.Event()

        def tick(_stop: object) -> None:
            while not ended.wait(0.01):
                self._clock.advance(0.1)

        with Runner("ticks", tick):
            try:
                return resource.wait_until(A, condition, timeout=3000.0)
            finally:
                ended.set()


def test_to_wait_for_the_end_of_an_object_returns_none(client, maps):
    def is_gone(obj) -> bool:
        if obj is not None:
            runner.start()
        return obj is None

    runner = Runner("delete", lambda _stop: maps.delete(A))
    assert maps.wait_until(A, is_gone, timeout=5.0) is None
    runner.stop()


def test_to_wait_in_vain_says_what_was_seen_last(client, maps):
    def pass_time(_stop: object) -> None:
        client.clock.wait_until_blocked(threads=1)
        client.clock.advance(5.0)

    def never(_obj) -> bool:
        runner.start()
        return False

    runner = Runner("time", pass_time)
    with pytest.raises(DeadlineExceeded, match="default/a: not as wanted within 5 s; last seen"):
        maps.wait_until(A, never, timeout=5.0)
    runner.stop()


def test_what_a_condition_raises_is_raised(maps):
    with pytest.raises(ZeroDivisionError):
        maps.wait_until(A, lambda _obj: 1 // 0, timeout=5.0)


def logs(body: bytes, **options):
    transport = ScriptedTransport(answer(body))
    resource = ApiClient(transport, clock=FakeClock()).resource(PODS, "default")
    with resource.logs(A, **options) as lines:
        found = list(lines)
    return found, transport


def test_a_log_comes_line_by_line_and_its_connection_is_let_go():
    found, transport = logs(b"one\r\ntwo\n\nlast", container="c", tail_lines=3, since_seconds=60, timestamps=True)
    assert found == ["one", "two", "", "last"]
    assert transport.last.path == "/api/v1/namespaces/default/pods/a/log"
    assert transport.last.query == {"container": "c", "tailLines": "3", "sinceSeconds": "60", "timestamps": "true"}
    assert transport.streams[0].is_closed


def test_a_line_without_an_end_comes_in_pieces_of_bounded_length():
    endless = b"x" * (2 * MAX_LINE_BYTES + 5)
    for body, rest in ((endless + b"\nnext\n", [5, 4]), (endless, [5])):
        assert [len(each) for each in logs(body)[0]] == [MAX_LINE_BYTES, MAX_LINE_BYTES, *rest]


class Endless:
    """A log of one line that nobody may read to its end."""

    status, headers = 200, {}

    def chunks(self):
        yield from [b"x" * (MAX_LINE_BYTES // 8)] * 9
        raise AssertionError("more was read than has to be kept")

    def set_idle_timeout(self, seconds: float) -> None:
        """It is never silent."""

    def close(self) -> None:
        """Nothing is held open."""


def test_a_piece_of_a_long_line_comes_before_the_rest_is_read():
    assert len(next(LogLines(Endless(), Breaker()))) == MAX_LINE_BYTES


def test_a_long_line_is_cut_between_two_characters_and_what_is_no_text_anywhere():
    for text in ("ж", "€", "💥"):
        line = "a" + text * (MAX_LINE_BYTES * 2 // len(text.encode()))
        pieces = logs(f"{line}\n".encode())[0]
        assert ("".join(pieces), len(pieces) > 1) == (line, True)
        assert max(len(each.encode()) for each in pieces) <= MAX_LINE_BYTES
    assert len(logs(b"\x80" * (MAX_LINE_BYTES + 1))[0]) == 2


@pytest.mark.parametrize(
    "options", [{"tail_lines": -1}, {"since_seconds": 0}, {"tail_lines": 1.5}, {"tail_lines": True}]
)
def test_numbers_that_no_server_takes_are_refused(options):
    with pytest.raises(ValueError, match="whole number"):
        logs(b"", **options)


def test_an_eviction_is_posted_to_the_pod():
    transport = ScriptedTransport(answer({"kind": "Status"}))
    ApiClient(transport, clock=FakeClock()).resource(PODS, "default").evict(A, uid="u")
    assert transport.last.path.endswith("/pods/a/eviction")
    assert transport.last_body["deleteOptions"]["preconditions"] == {"uid": "u"}


def test_to_wait_is_for_one_object_though_the_server_heeds_no_field_selector():
    others = answer({"metadata": {"resourceVersion": "7"}, "items": [config_map("b"), config_map()]})
    found = ApiClient(ScriptedTransport(others)).resource(CONFIG_MAPS, "default").wait_until(A, bool, timeout=5.0)
    assert found.key == A
