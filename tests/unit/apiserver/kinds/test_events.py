"""Events in two groups: one object, two shapes, two sets of rules."""

from __future__ import annotations

import pytest

from tests.unit.apiserver.calls import APPLY

CORE = "/api/v1/namespaces/default/events"
NEW = "/apis/events.k8s.io/v1/namespaces/default/events"
EARLY, LATE = "2020-01-02T03:04:05.000006Z", "2020-01-02T03:04:15.100000Z"
POD = {"kind": "Pod", "namespace": "default", "name": "p"}


def core(name="a", **fields):
    return {"metadata": {"name": name}, "involvedObject": POD, "reason": "Made", "message": "m", **fields}


def new(name="a", **fields):
    who = {"reportingController": "example.org/op", "reportingInstance": "op-0", "action": "Making"}
    what = {"reason": "Made", "regarding": POD, "note": "n", "type": "Normal"}
    return {"metadata": {"name": name}, "eventTime": EARLY, **who, **what, **fields}


class TestShapes:
    def test_an_old_event_is_read_with_the_new_names(self, server):
        server.created(CORE, core(count=2, source={"component": "c"}))
        body = server.get(f"{NEW}/a").body
        assert (body["apiVersion"], body["regarding"], body["note"]) == ("events.k8s.io/v1", POD, "m")
        assert (body["deprecatedCount"], body["deprecatedSource"]) == (2, {"component": "c"})
        assert "reportingController" not in body

    def test_a_new_event_is_read_with_the_old_names(self, server):
        server.created(NEW, new())
        body = server.get(f"{CORE}/a").body
        assert (body["apiVersion"], body["involvedObject"], body["message"]) == ("v1", POD, "n")
        assert (body["reportingComponent"], body["source"]) == ("example.org/op", {})

    def test_lists_and_watches_have_the_shape_of_their_group(self, server):
        server.created(CORE, core())
        [item] = server.get(NEW).body["items"]
        assert item["note"] == "m"
        [event] = server.watch(NEW).events
        assert (event["object"]["apiVersion"], event["object"]["note"]) == ("events.k8s.io/v1", "m")

    @pytest.mark.parametrize(
        ("path", "selector"),
        [(CORE, "involvedObject.name=q"), (NEW, "regarding.name=q"), (NEW, "reportingController=example.org/other")],
    )
    def test_each_group_selects_by_its_own_names(self, server, path, selector):
        server.created(NEW, new())
        server.created(NEW, new("b", regarding={**POD, "name": "q"}, reportingController="example.org/other"))
        assert server.get(path, fieldSelector=selector).names == ["b"]

    @pytest.mark.parametrize(("path", "selector"), [(CORE, "regarding.name=q"), (NEW, "involvedObject.name=q")])
    def test_names_of_the_other_group_select_nothing(self, server, path, selector):
        assert server.get(path, fieldSelector=selector).status == 400

    def test_a_body_of_the_other_group_is_refused(self, server):
        answer = server.post(CORE, {**new(), "apiVersion": "events.k8s.io/v1", "kind": "Event"})
        why = "the API version in the data (events.k8s.io/v1) does not match the expected API version (v1)"
        assert (answer.status, answer.message) == (400, why)

    def test_entries_of_the_other_group_go_with_a_write(self, server):
        server.created(NEW, new())
        body = server.patch(f"{CORE}/a", {"message": "other"}).body
        assert [each["apiVersion"] for each in body["metadata"]["managedFields"]] == ["v1"]

    def test_an_apply_in_one_group_is_found_in_the_other(self, server):
        head = {"apiVersion": "events.k8s.io/v1", "kind": "Event"}
        assert server.patch(f"{NEW}/a", {**head, **new()}, APPLY, fieldManager="me").status == 201
        assert server.get(f"{CORE}/a").body["message"] == "n"


class TestRules:
    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"eventTime": None}, "eventTime"),
            ({"type": "Bad"}, "type"),
            ({"action": ""}, "action"),
            ({"reason": "x" * 129}, "reason"),
            ({"note": "x" * 1025}, "message"),
            ({"deprecatedCount": 1}, "count"),
            ({"series": {"count": 1, "lastObservedTime": LATE}}, "series.count"),
            ({"series": {"count": 2}}, "series.lastObservedTime"),
            ({"regarding": {"kind": "Node"}, "metadata": {"name": "a", "namespace": "kube-public"}}, None),
        ],
    )
    def test_a_new_event_says_who_does_what(self, server, change, field):
        answer = server.post(NEW, new(**change))
        assert answer.status == (400 if field is None else 422)
        assert field is None or field in [name for name, _ in answer.causes]

    def test_only_the_series_of_a_new_event_changes(self, server):
        server.created(NEW, new())
        answer = server.patch(f"{NEW}/a", {"note": "other", "regarding": {"name": "q"}})
        assert dict(answer.causes)["message"] == 'Invalid value: "other": field is immutable'
        assert dict(answer.causes)["involvedObject"].startswith('Invalid value: {"Kind":"Pod","Namespace":"default"')
        patched = server.patch(f"{NEW}/a", {"series": {"count": 2, "lastObservedTime": LATE}})
        assert (patched.status, patched.body["series"]["count"]) == (200, 2)

    def test_core_changes_what_it_likes(self, server):
        server.created(NEW, new())
        assert server.patch(f"{CORE}/a", {"message": "other", "count": 3}).status == 200

    def test_core_too_wants_to_know_who_if_there_is_an_event_time(self, server):
        answer = server.post(CORE, core(eventTime=EARLY))
        assert {name for name, _ in answer.causes} == {"reportingComponent", "reportingInstance", "action"}
        assert server.post(CORE, core(type="Bad", message="x" * 2000)).status == 201
