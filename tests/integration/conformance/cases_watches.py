"""Watches: how they start, what they bring, how they end."""

from __future__ import annotations

import json

from tests.integration.conformance.cases_lists import SECRETS, secrets, things
from tests.integration.conformance.harness import Event, Talk, case

INITIAL_END = "k8s.io/initial-events-end"
LIVE = {"sendInitialEvents": "false", "resourceVersionMatch": "NotOlderThan"}
STATE = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
A_WHILE = "3"  # seconds, in which what has happened is told, also by a busy server


def initial_events_are_over(events: list[Event]) -> bool:
    return any(each["object"]["metadata"].get("annotations", {}).get(INITIAL_END) for each in events)


def now(talk: Talk) -> str:
    """The resourceVersion of an empty list."""
    with talk.hush():
        return talk.get(SECRETS, query={"labelSelector": "name=nobody"}).version


def versions_rise(events: list[Event]) -> bool:
    versions = [int(each["object"]["metadata"]["resourceVersion"]) for each in events]
    return versions == sorted(set(versions))


def relabel(talk: Talk, name: str, label: str, path: str = SECRETS) -> None:
    with talk.hush():
        assert talk.patch(f"{path}/{name}", {"metadata": {"labels": {"name": label}}}).status == 200


@case("watches")
def without_a_version_it_begins_with_what_is_there_and_goes_on(talk: Talk) -> None:
    secrets(talk, "b", "a")
    talk.watch(SECRETS, during=lambda: secrets(talk, "c"), until=3)


@case("watches")
def version_zero_begins_with_what_is_there(talk: Talk) -> None:
    path = things(talk, "b", "a")
    talk.watch(path, {"resourceVersion": "0"}, during=lambda: talk.eventually(lambda: True), until=2)


@case("watches")
def without_a_version_but_with_bookmarks_the_end_of_the_state_is_marked(talk: Talk) -> None:
    secrets(talk, "a")
    talk.watch(SECRETS, {"allowWatchBookmarks": "true"}, until=initial_events_are_over)


@case("watches")
def version_zero_with_bookmarks_marks_the_end_of_the_state(talk: Talk) -> None:
    path = things(talk, "a")
    talk.watch(path, {"allowWatchBookmarks": "true", "resourceVersion": "0"}, until=initial_events_are_over)


@case("watches")
def a_version_begins_after_it(talk: Talk) -> None:
    version = secrets(talk, "a").version
    secrets(talk, "b", "c")
    watched = talk.watch(SECRETS, {"resourceVersion": version}, until=2)
    talk.note("rising", versions_rise(watched.events))


@case("watches")
def one_resumes_at_the_version_of_the_last_event(talk: Talk) -> None:
    version = now(talk)
    secrets(talk, "a", "b", "c")
    first = talk.watch(SECRETS, {"resourceVersion": version}, until=1)
    last = first.events[0]["object"]["metadata"]["resourceVersion"]
    talk.watch(SECRETS, {"resourceVersion": last}, until=2)


@case("watches")
def a_version_of_the_future_keeps_silent_until_then(talk: Talk) -> None:
    def write() -> None:
        secrets(talk, "a")

    version = str(int(now(talk)) + 100_000)
    talk.watch(SECRETS, {"resourceVersion": version, "timeoutSeconds": "1"}, during=write)


@case("watches")
def everything_that_happens_to_an_object_is_told(talk: Talk) -> None:
    version = now(talk)
    secrets(talk, "a")
    with talk.hush():
        talk.patch(f"{SECRETS}/a", {"data": {"k": "dg=="}})
        talk.delete(f"{SECRETS}/a")
    watched = talk.watch(SECRETS, {"resourceVersion": version}, until=3)
    talk.note("rising", versions_rise(watched.events))


@case("watches")
def everything_that_happens_to_a_custom_resource_is_told(talk: Talk) -> None:
    path = things(talk)
    version = now(talk)
    with talk.hush():
        talk.post(path, {"kind": "Thing", "apiVersion": "{group}/v1", "metadata": {"name": "a"}, "spec": {"n": 1}})
        talk.patch(f"{path}/a", {"spec": {"n": 2}})
        talk.delete(f"{path}/a")
    watched = talk.watch(path, {"resourceVersion": version}, until=3)
    talk.note("order of keys", [list(each["object"]) for each in watched.events])


@case("watches")
def a_finalizer_makes_a_deletion_two_events(talk: Talk) -> None:
    path = things(talk, "a")
    with talk.hush():
        talk.patch(f"{path}/a", {"metadata": {"finalizers": ["example.org/f"]}})
        version = talk.get(f"{path}/a").version
        talk.delete(f"{path}/a")
    answer = talk.patch(f"{path}/a", {"metadata": {"finalizers": None}})
    watched = talk.watch(path, {"resourceVersion": version}, until=2)
    last = watched.events[-1]["object"]["metadata"]["resourceVersion"]
    talk.note("the answer has an older version than the event", int(answer.version) < int(last))


@case("watches")
def a_write_that_changes_nothing_makes_no_event(talk: Talk) -> None:
    version = secrets(talk, "a").version
    with talk.hush():
        talk.patch(f"{SECRETS}/a", {"metadata": {"labels": {"name": "a"}}})
        talk.put(f"{SECRETS}/a", talk.get(f"{SECRETS}/a").body)
    talk.watch(SECRETS, {"resourceVersion": version, "timeoutSeconds": "1"})


@case("watches")
def changes_are_never_merged(talk: Talk) -> None:
    version = secrets(talk, "a").version
    for number in range(10):
        relabel(talk, "a", str(number))
    watched = talk.watch(SECRETS, {"resourceVersion": version}, until=10)
    talk.note("labels", [each["object"]["metadata"]["labels"]["name"] for each in watched.events])


@case("watches")
def with_a_label_selector_objects_come_and_go(talk: Talk) -> None:
    version = secrets(talk, "a", "b").version
    for label in ("in", "in-not", "in"):
        relabel(talk, "a", label)
    relabel(talk, "b", "elsewhere")
    with talk.hush():
        talk.delete(f"{SECRETS}/a")
    talk.watch(SECRETS, {"resourceVersion": version, "labelSelector": "name=in", "timeoutSeconds": A_WHILE})


@case("watches")
def with_a_label_selector_custom_resources_come_and_go(talk: Talk) -> None:
    path = things(talk, "a")
    version = now(talk)
    for label in ("in", "out"):
        relabel(talk, "a", label, path)
    talk.watch(path, {"resourceVersion": version, "labelSelector": "name=in"}, until=2)


@case("watches")
def with_a_field_selector_one_object_is_watched(talk: Talk) -> None:
    version = now(talk)
    secrets(talk, "a", "b", "c")
    query = {"resourceVersion": version, "fieldSelector": "metadata.name=b", "timeoutSeconds": A_WHILE}
    talk.watch(SECRETS, query)


@case("watches")
def initial_events_are_selected_too(talk: Talk) -> None:
    secrets(talk, "a", "b")
    talk.watch(SECRETS, {**STATE, "labelSelector": "name=b", "allowWatchBookmarks": "true"}, until=2)


@case("watches")
def a_watch_list_of_a_builtin_ends_with_a_bookmark(talk: Talk) -> None:
    secrets(talk, "b", "a")
    watched = talk.watch(SECRETS, {**STATE, "allowWatchBookmarks": "true"}, until=initial_events_are_over)
    talk.note("order of keys", list(watched.events[-1]["object"]))


@case("watches")
def a_watch_list_of_custom_resources_ends_with_a_bookmark(talk: Talk) -> None:
    path = things(talk, "b", "a")
    watched = talk.watch(path, {**STATE, "allowWatchBookmarks": "true"}, until=initial_events_are_over)
    talk.note("order of keys", list(watched.events[-1]["object"]))


@case("watches")
def a_watch_list_without_bookmarks_has_none(talk: Talk) -> None:
    secrets(talk, "a")
    talk.watch(SECRETS, {**STATE, "timeoutSeconds": A_WHILE})


@case("watches")
def a_watch_list_may_ask_for_any_old_version(talk: Talk) -> None:
    secrets(talk, "a")
    with talk.hush():
        talk.get(SECRETS)  # by now a real server's cache has it, and not only its store
    query = {**STATE, "resourceVersion": "1", "allowWatchBookmarks": "true"}
    talk.watch(SECRETS, query, until=initial_events_are_over)


@case("watches")
def without_initial_events_only_changes_are_told(talk: Talk) -> None:
    secrets(talk, "a")
    for query in (LIVE, {**LIVE, "allowWatchBookmarks": "true"}):
        with talk.hush():
            name = f"new-{len(query)}"
        talk.watch(SECRETS, query, during=lambda name=name: secrets(talk, name), until=1)


@case("watches", error=True)
def what_contradicts_initial_events_is_invalid(talk: Talk) -> None:
    talk.watch(SECRETS, {"sendInitialEvents": "true"})
    talk.watch(SECRETS, {"sendInitialEvents": "false"})
    talk.watch(SECRETS, {"sendInitialEvents": "true", "resourceVersionMatch": "Exact"})
    talk.watch(SECRETS, {"sendInitialEvents": "true", "resourceVersionMatch": "Nonsense", "resourceVersion": "0"})
    talk.watch(SECRETS, {"resourceVersionMatch": "NotOlderThan"})
    talk.watch(SECRETS, {"resourceVersionMatch": "NotOlderThan", "resourceVersion": "1"})
    talk.watch(SECRETS, {**STATE, "continue": "abc"})


@case("watches", error=True)
def a_version_that_is_none_fails_without_a_reason(talk: Talk) -> None:
    talk.watch(SECRETS, {"resourceVersion": "abc"})
    talk.watch(SECRETS, {"resourceVersion": "-1"})
    talk.watch(SECRETS, {"resourceVersion": "abc", **STATE})


@case("watches", error=True)
def selectors_that_cannot_be_read_are_refused(talk: Talk) -> None:
    talk.watch(SECRETS, {"labelSelector": "a b"})
    talk.watch(SECRETS, {"fieldSelector": "bad"})
    talk.watch(SECRETS, {"fieldSelector": "data.k=v"})
    talk.watch(SECRETS, {"timeoutSeconds": "soon"})


@case("watches", error=True)
def nobody_watches_without_permission(talk: Talk) -> None:
    talk.watch(SECRETS, user="alice")
    talk.watch("/api/v1/secrets", user="alice")
    talk.watch(SECRETS, {"fieldSelector": "metadata.name=a"}, user="alice")


@case("watches", error=True)
def a_resource_that_does_not_exist_cannot_be_watched(talk: Talk) -> None:
    talk.watch("/api/v1/namespaces/{ns}/nonsense")
    talk.watch("/apis/{group}/v1/namespaces/{ns}/things")


@case("watches")
def every_value_but_no_starts_a_watch(talk: Talk) -> None:
    secrets(talk, "a")
    for value in ("true", "1", "", "maybe", "True"):
        talk.watch(SECRETS, {"watch": value}, until=1)


@case("watches")
def a_watch_of_an_object_is_a_get(talk: Talk) -> None:
    secrets(talk, "a")
    talk.get(f"{SECRETS}/a", query={"watch": "1"})


@case("watches")
def the_old_paths_of_watches_still_work(talk: Talk) -> None:
    secrets(talk, "a", "b")
    talk.watch("/api/v1/watch/namespaces/{ns}/secrets", until=2)
    talk.watch("/api/v1/watch/namespaces/{ns}/secrets/b", until=1)
    with talk.hush():
        answer = talk.get("/api/v1/watch/namespaces/{ns}/secrets", query={"timeoutSeconds": A_WHILE})
    talk.note("types", [json.loads(line)["type"] for line in answer.raw.splitlines()])


@case("watches")
def a_limit_means_nothing_to_a_watch(talk: Talk) -> None:
    secrets(talk, "a", "b")
    talk.watch(SECRETS, {"limit": "1"}, until=2)


@case("watches")
def it_ends_when_its_time_is_up(talk: Talk) -> None:
    talk.watch(SECRETS, {"timeoutSeconds": "1", "resourceVersion": now(talk)})
    talk.watch(SECRETS, {"timeoutSeconds": "1", "allowWatchBookmarks": "true", "resourceVersion": now(talk)})


@case("watches")
def all_namespaces_are_watched_at_once(talk: Talk) -> None:
    secrets(talk, "a", "b")
    secrets_of_everybody = {"labelSelector": "name in (a,b)", "fieldSelector": "metadata.namespace={ns}"}
    talk.watch("/api/v1/secrets", secrets_of_everybody, until=2)


@case("watches")
def a_namespace_that_does_not_exist_is_silent(talk: Talk) -> None:
    talk.watch("/api/v1/namespaces/{ns}-not/secrets", {"timeoutSeconds": "1"})


@case("watches", error=True)
def a_watch_that_begins_with_the_state_takes_no_token(talk: Talk) -> None:
    version = talk.get(SECRETS).version
    for query in ({}, {"resourceVersion": "0"}, {"resourceVersion": version}):
        talk.watch(SECRETS, {"continue": "abc", "timeoutSeconds": "1", **query}, until=0)
