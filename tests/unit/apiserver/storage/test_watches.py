"""Watches: where they begin, what they deliver, how they end."""

from __future__ import annotations

import json
import threading

import pytest

from btcctl.apiserver.api import Api, ApiRequest, WatchResponse
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.storage.watches import Watch, WatchOptions
from btcctl.threads import Runner
from tests.unit.apiserver.calls import CONFIG_MAPS, DEFINITIONS, THINGS, Seen, Server, definition, thing

END = {"k8s.io/initial-events-end": "true"}
GONE = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Expired", "code": 410}


def body_of(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}


def label(value: str) -> dict[str, object]:
    return {"metadata": {"labels": {"app": value}}}


class TestBeginning:
    @pytest.mark.parametrize("query", [{}, {"resourceVersion": "0"}])
    def test_without_a_version_what_there_is_comes_first(self, server, query):
        for name in "ba":
            server.created(THINGS, thing(name))
        seen = server.watch(THINGS, **query)
        server.delete(f"{THINGS}/b")
        assert seen.story == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "b")]

    def test_with_a_version_only_what_came_after(self, server):
        version = server.created(THINGS, thing("a"))["metadata"]["resourceVersion"]
        server.created(THINGS, thing("b"))
        server.patch(f"{THINGS}/a", {"spec": {"size": 2}})
        server.delete(f"{THINGS}/b")
        seen = server.watch(THINGS, resourceVersion=version)
        assert seen.story == [("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b")]
        versions = [int(each["object"]["metadata"]["resourceVersion"]) for each in seen.events]
        assert versions == sorted(set(versions))

    def test_of_the_future_events_up_to_the_version_are_skipped(self, server):
        seen = server.watch(THINGS, resourceVersion=str(server.api.store.revision + 1))
        server.created(THINGS, thing("a"))
        server.created(THINGS, thing("b"))
        assert seen.story == [("ADDED", "b")]

    def test_initial_events_end_with_a_bookmark(self, server):
        server.created(THINGS, thing())
        query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
        seen = server.watch(THINGS, **query)
        assert seen.types == ["ADDED", "BOOKMARK"]
        metadata = {"annotations": END, "resourceVersion": str(server.api.store.revision)}
        assert seen.events[1]["object"] == {
            "apiVersion": "things.example.org/v1",
            "kind": "Thing",
            "metadata": metadata,
        }
        assert server.watch(THINGS, **{**query, "allowWatchBookmarks": "false"}).types == ["ADDED"]
        assert server.watch(THINGS, **{**query, "sendInitialEvents": "false"}).types == []

    def test_a_bookmark_ends_the_initial_events_of_version_0_as_well(self, server):
        assert server.watch(CONFIG_MAPS, resourceVersion="0", allowWatchBookmarks="true").types == ["BOOKMARK"]

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ({"sendInitialEvents": "true"}, 422),
            ({"resourceVersionMatch": "NotOlderThan"}, 422),
            ({"sendInitialEvents": "true", "resourceVersionMatch": "Exact"}, 422),
            ({"resourceVersion": "abc"}, 500),
        ],
    )
    def test_options_that_make_no_sense_are_refused_before_it_begins(self, server, query, status):
        assert server.get(THINGS, watch="1", **query).status == status

    @pytest.mark.parametrize("value", ["1", "true", "", "maybe"])
    def test_almost_any_value_of_watch_starts_one(self, server, value):
        assert server.watch(CONFIG_MAPS, watch=value).events == []

    def test_a_name_in_the_path_makes_it_a_get(self, server):
        server.created(THINGS, thing())
        assert server.get(f"{THINGS}/a", watch="1").body["kind"] == "Thing"

    def test_the_old_watch_prefix_still_works(self, server):
        server.created(CONFIG_MAPS, {"metadata": {"name": "a"}})
        assert server.watch("/api/v1/watch/namespaces/default/configmaps").story == [("ADDED", "a")]
        assert server.watch("/api/v1/watch/namespaces/default/configmaps/zz").story == []


class TestExpiry:
    def expired(self, seen: Seen) -> str:
        (event,) = seen.events
        assert event["type"] == "ERROR"
        assert {key: value for key, value in event["object"].items() if key != "message"} == GONE
        assert seen.ended
        return str(event["object"]["message"])

    def test_after_1000_changes_the_oldest_is_forgotten(self):
        server = Server()
        version = server.created(CONFIG_MAPS, {"metadata": {"name": "a"}})["metadata"]["resourceVersion"]
        for i in range(1000):
            server.patch(f"{CONFIG_MAPS}/a", {"data": {"i": str(i)}})
        assert len(server.watch(CONFIG_MAPS, resourceVersion=version).events) == 1000
        older = str(int(version) - 1)
        message = self.expired(server.watch(CONFIG_MAPS, resourceVersion=older))
        assert message == f"too old resource version: {older} ({version})"

    def test_after_five_minutes_a_change_is_forgotten(self, server):
        version = server.created(THINGS, thing())["metadata"]["resourceVersion"]
        server.clock.advance(299)
        assert server.watch(THINGS, resourceVersion=str(int(version) - 1)).types == ["ADDED"]
        server.clock.advance(2)
        self.expired(server.watch(THINGS, resourceVersion=str(int(version) - 1)))
        assert server.watch(THINGS, resourceVersion=version).events == []

    def test_changes_elsewhere_make_nobody_forget(self, server):
        version = server.created(THINGS, thing())["metadata"]["resourceVersion"]
        server.created(CONFIG_MAPS, {"metadata": {"name": "a"}})
        for i in range(1100):
            server.patch(f"{CONFIG_MAPS}/a", {"data": {"i": str(i)}})
        assert server.watch(THINGS, resourceVersion=version).events == []

    def test_after_a_restart_every_older_version_is_gone(self, server):
        version = server.created(THINGS, thing())["metadata"]["resourceVersion"]
        server.created(CONFIG_MAPS, {"metadata": {"name": "a"}})
        restarted = Server()
        restarted.api.store.restore(server.api.store.snapshot())
        restarted.api = Api(restarted.api.store, clock=restarted.clock)
        assert restarted.get(THINGS).names == ["a"]
        self.expired(restarted.watch(THINGS, resourceVersion=version))
        assert restarted.watch(THINGS, resourceVersion=restarted.get(THINGS).version).events == []
        restarted.patch(f"{THINGS}/a", {"spec": {"size": 3}})
        assert int(restarted.get(f"{THINGS}/a").version) == server.api.store.revision + 1


class TestSelection:
    def test_leaving_it_is_a_deletion_with_the_old_labels_and_the_changes_version(self, server):
        server.created(THINGS, thing(metadata={"labels": {"app": "z"}}))
        seen = server.watch(THINGS, labelSelector="app=z", resourceVersion=server.get(THINGS).version)
        version = server.patch(f"{THINGS}/a", label("y")).version
        server.patch(f"{THINGS}/a", {"spec": {"size": 5}})
        server.patch(f"{THINGS}/a", label("z"))
        assert seen.story == [("DELETED", "a"), ("ADDED", "a")]
        gone = seen.events[0]["object"]["metadata"]
        assert (gone["labels"], gone["resourceVersion"]) == ({"app": "z"}, version)

    def test_a_replay_sees_the_same_transitions(self, server):
        start = server.get(THINGS).version
        server.created(THINGS, thing(metadata={"labels": {"app": "z"}}))
        server.patch(f"{THINGS}/a", label("y"))
        server.delete(f"{THINGS}/a")
        assert server.watch(THINGS, labelSelector="app=z", resourceVersion=start).types == ["ADDED", "DELETED"]

    def test_fields_and_namespaces_select_too(self, server):
        start = server.get(CONFIG_MAPS).version
        for namespace in ("default", "kube-system"):
            for name in "ab":
                server.created(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": name}})
        one = server.watch(CONFIG_MAPS, fieldSelector="metadata.name=b", resourceVersion=start)
        assert one.story == [("ADDED", "b")]
        assert len(server.watch("/api/v1/configmaps", resourceVersion=start).events) == 4


class TestDelivery:
    def test_a_deleted_object_is_its_last_state_at_the_version_of_the_deletion(self, server):
        server.created(THINGS, thing())
        server.patch(f"{THINGS}/a/status", {"status": {"ready": 2}})
        seen = server.watch(THINGS, resourceVersion=server.get(THINGS).version)
        server.delete(f"{THINGS}/a")
        deleted = seen.events[0]["object"]
        assert (deleted["status"], deleted["metadata"]["resourceVersion"]) == ({"ready": 2}, server.get(THINGS).version)

    def test_updates_are_never_coalesced(self, server):
        server.created(THINGS, thing())
        seen = server.watch(THINGS, resourceVersion=server.get(THINGS).version)
        for size in (2, 3, 4):
            server.patch(f"{THINGS}/a", {"spec": {"size": size}})
        assert [each["object"]["spec"]["size"] for each in seen.events] == [2, 3, 4]

    def test_each_watcher_of_a_form_is_handed_the_same_bytes(self, server):
        first, second = server.watch(THINGS), server.watch(THINGS)
        server.created(THINGS, thing())
        assert first.lines[0] is second.lines[0]
        assert first.lines[0].endswith(b"}\n")

    def test_a_stopped_watch_gets_nothing_and_is_not_told_of_its_end(self, server):
        seen = server.watch(THINGS)
        seen.watch.stop()
        seen.watch.stop()
        server.created(THINGS, thing())
        seen.watch.bookmark()
        assert (seen.events, seen.ended) == ([], False)

    def test_a_sink_may_write(self, server):
        lines: list[bytes] = []

        def reply(line: bytes) -> None:
            lines.append(line)
            if len(lines) < 3:
                server.created(CONFIG_MAPS, {"metadata": {"name": f"reply-{len(lines)}"}})

        response = server.api.handle(ApiRequest("GET", CONFIG_MAPS, {"watch": ["1"]}))
        assert isinstance(response, WatchResponse)
        response.watch.start(reply, lambda: None)
        server.created(CONFIG_MAPS, {"metadata": {"name": "first"}})
        assert [json.loads(line)["object"]["metadata"]["name"] for line in lines] == ["first", "reply-1", "reply-2"]

    def test_tables_define_their_columns_once(self, server):
        seen = server.watch(THINGS, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
        for name in "ab":
            server.created(THINGS, thing(name))
        assert [bool(each["object"]["columnDefinitions"]) for each in seen.events] == [True, False]


class TestBookmarks:
    def test_they_carry_the_version_to_resume_from_and_little_else(self, server):
        seen = server.watch(CONFIG_MAPS, allowWatchBookmarks="true", resourceVersion=server.get(CONFIG_MAPS).version)
        version = server.created(CONFIG_MAPS, {"metadata": {"name": "a"}})["metadata"]["resourceVersion"]
        server.created(THINGS, thing())
        seen.watch.bookmark()
        metadata = {"resourceVersion": version}
        assert seen.events[1] == {
            "type": "BOOKMARK",
            "object": {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata},
        }

    def test_a_watch_of_the_future_gets_none_until_that_has_come(self, server):
        future = str(server.api.store.revision + 1)
        seen = server.watch(CONFIG_MAPS, allowWatchBookmarks="true", resourceVersion=future)
        seen.watch.bookmark()
        assert seen.events == []
        server.created(THINGS, thing())
        seen.watch.bookmark()
        assert seen.types == ["BOOKMARK"]

    def test_they_never_go_back_behind_a_change(self, server):
        store = server.api.store
        writer = Runner("writer", lambda _: store.create(("", "configmaps"), body_of("b")))
        began: list[int] = []

        def bookmark(metadata: dict[str, object]) -> dict[str, object]:
            if not began:  # somebody writes at this very moment
                began.append(store.revision)
                writer.start()
                threading.Event().wait(0.1)
            return {"metadata": metadata}

        versions: list[int] = []
        options = WatchOptions(since=store.revision, bookmarks=True, bookmark=bookmark)
        watch = Watch(store, ("", "configmaps"), options)
        watch.start(lambda line: versions.append(int(json.loads(line)["object"]["metadata"]["resourceVersion"])), list)
        watch.bookmark()
        writer.stop()
        assert versions == [began[0], began[0] + 1]

    def test_none_are_sent_unless_asked_for(self, server):
        seen = server.watch(CONFIG_MAPS)
        seen.watch.bookmark()
        assert seen.events == []


class TestEnd:
    def test_the_deadline_is_what_the_client_asked_for(self, server):
        server.clock.advance(5)
        assert server.watch(THINGS, timeoutSeconds="7").watch.deadline == 12

    def test_without_a_wish_it_is_half_an_hour_to_an_hour(self, server):
        deadline = server.watch(THINGS).watch.deadline
        assert deadline is not None
        assert 1800 <= deadline <= 3600

    def test_a_changed_definition_ends_the_watches_of_its_objects_without_an_error(self, server):
        seen, other = server.watch(THINGS), server.watch(CONFIG_MAPS)
        body = server.get(f"{DEFINITIONS}/things.things.example.org").body
        body["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["size"][
            "maximum"
        ] = 99
        assert server.put(f"{DEFINITIONS}/things.things.example.org", body).status == 200
        assert (seen.ended, seen.events, other.ended) == (True, [], False)
        assert server.post(THINGS, thing(size=50)).status == 201

    def test_a_deleted_definition_deletes_its_objects_first(self, server):
        server.created(THINGS, thing())
        seen = server.watch(THINGS)
        server.delete(f"{DEFINITIONS}/things.things.example.org")
        server.collect()
        assert (seen.types, seen.ended) == (["ADDED", "DELETED"], True)
        assert server.send("GET", THINGS).body == b"404 page not found\n"
        server.created(DEFINITIONS, definition())
        assert server.get(THINGS).names == []


def test_what_cannot_be_shown_is_said_and_ends_it(server):
    def encode(record):
        raise StatusError(500, "conversion webhook failed")

    server.created(CONFIG_MAPS, body_of("a"))
    seen = Seen(Watch(server.api.store, ("", "configmaps"), WatchOptions(encode=encode, waits=True)))
    assert [(each["type"], each["object"]["message"]) for each in seen.events] == [
        ("ERROR", "conversion webhook failed")
    ]
    assert seen.ended
