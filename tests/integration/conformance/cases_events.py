"""Events, of core/v1 and of events.k8s.io/v1: the same objects in two shapes."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Body, Talk, case

CORE = "/api/v1/namespaces/{ns}/events"
NEW = "/apis/events.k8s.io/v1/namespaces/{ns}/events"
EARLY, LATE = "2020-01-02T03:04:05.000006Z", "2020-01-02T03:04:15.100000Z"
POD: Body = {"apiVersion": "v1", "kind": "Pod", "namespace": "{ns}", "name": "p", "uid": "u-1"}


def core(name: str = "a", **fields: Any) -> Body:
    head = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name}}
    return {**head, "involvedObject": POD, "reason": "Made", "message": "m", "type": "Normal", **fields}


def new(name: str = "a", **fields: Any) -> Body:
    head = {"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": name}}
    who = {"reportingController": "example.org/op", "reportingInstance": "op-0"}
    what = {"action": "Making", "reason": "Made", "regarding": POD, "note": "n", "type": "Normal"}
    return {**head, "eventTime": EARLY, **who, **what, **fields}


def without(body: Body, *names: str) -> Body:
    return {key: value for key, value in body.items() if key not in names}


@case("events")
def an_old_event_is_seen_in_both_shapes(talk: Talk) -> None:
    seconds = "2020-01-02T03:04:05Z"
    talk.post(
        CORE, core(source={"component": "c", "host": "h"}, firstTimestamp=seconds, lastTimestamp=seconds, count=3)
    )
    talk.get(f"{NEW}/a")
    talk.post(CORE, core("b", related={**POD, "name": "q"}, action="x", reportingComponent="r", reportingInstance="i"))
    talk.get(f"{NEW}/b")
    talk.get(CORE)
    talk.get(NEW)


@case("events")
def a_new_event_is_seen_in_both_shapes(talk: Talk) -> None:
    talk.post(NEW, new())
    talk.get(f"{CORE}/a")
    talk.post(NEW, new("b", related={**POD, "name": "q"}, series={"count": 2, "lastObservedTime": LATE}))
    talk.get(f"{CORE}/b")
    talk.delete(f"{NEW}/a")
    talk.get(f"{CORE}/a")


@case("events")
def what_happens_again_is_counted(talk: Talk) -> None:
    talk.post(CORE, core())
    talk.patch(f"{CORE}/a", {"count": 2, "lastTimestamp": "2020-01-02T03:04:05Z", "message": "again"})
    talk.patch(f"{CORE}/a", {"count": 3}, content_type="strategic")
    seen = talk.get(f"{CORE}/a").body
    talk.put(f"{CORE}/a", {**seen, "count": 4})
    talk.put(f"{CORE}/a", core(count=5))
    talk.post(NEW, new("b"))
    talk.patch(f"{NEW}/b", {"series": {"count": 2, "lastObservedTime": LATE}})
    talk.patch(f"{NEW}/b", {"series": {"count": 3}}, content_type="strategic")
    talk.patch(f"{CORE}/b", {"series": {"count": 1}})


@case("events", error=True)
def a_new_event_says_who_does_what(talk: Talk) -> None:
    for missing in (
        "eventTime",
        "reportingController",
        "reportingInstance",
        "action",
        "reason",
        "type",
        "regarding",
        "note",
    ):
        talk.post(NEW, without(new(), missing), query={"dryRun": "All"})
    talk.post(NEW, {"metadata": {"name": "a"}})
    talk.post(NEW, without(new(), "eventTime", "reportingController", "type"))
    for wrong in (
        {"type": "Bad"}, {"reportingController": "a b"}, {"reportingController": "a/b/c"}, {"action": "x" * 129},
        {"reportingInstance": "x" * 129}, {"reason": "x" * 129}, {"note": "x" * 1025}, {"deprecatedCount": 1},
        {"deprecatedSource": {"component": "c"}}, {"deprecatedFirstTimestamp": "2020-01-02T03:04:05Z"},
        {"deprecatedLastTimestamp": "2020-01-02T03:04:05Z"}, {"series": {}}, {"series": {"count": 1}},
        {"series": {"count": 2}}, {"eventTime": "2020-01-02T03:04:05Z"}, {"regarding": {**POD, "namespace": "default"}},
        {"regarding": {"kind": "Node", "name": "n"}}, {"metadata": {"name": "Bad_Name"}},
        {"metadata": {"name": "a", "labels": {"-": "x"}}}, {"series": {"count": 1, "lastObservedTime": LATE}},
        {"note": 3}, {"bogus": 1},
    ):  # fmt: skip
        talk.post(NEW, new(**wrong), query={"dryRun": "All"})


@case("events", error=True)
def of_a_new_event_only_the_series_changes(talk: Talk) -> None:
    created = talk.post(NEW, new(related=POD)).body
    for change in (
        {"note": "other"}, {"reason": "Other"}, {"type": "Warning"}, {"action": "Other"}, {"eventTime": LATE},
        {"reportingController": "example.org/other"}, {"reportingInstance": "op-1"}, {"regarding": {"name": "q"}},
        {"related": None}, {"deprecatedCount": 2}, {"deprecatedSource": {"host": "h"}}, {"series": {"count": 1}},
        {"note": "other", "reason": "Other"}, {"type": "Bad"}, {"deprecatedFirstTimestamp": "2020-01-02T03:04:05Z"},
    ):  # fmt: skip
        talk.patch(f"{NEW}/a", change, query={"dryRun": "All"})
    talk.patch(f"{NEW}/a", {"metadata": {"labels": {"x": "y"}}})
    talk.put(f"{NEW}/a", {**created, "note": "other"})
    talk.patch(f"{CORE}/a", {"message": "other"})
    talk.get(f"{NEW}/a")


@case("events", error=True)
def an_old_event_need_only_be_where_its_object_is(talk: Talk) -> None:
    talk.post(CORE, {"metadata": {"name": "a"}})
    talk.post(CORE, core(involvedObject={**POD, "namespace": "default"}))
    talk.post(CORE, core(involvedObject={"kind": "Node", "name": "n"}))
    talk.post(
        "/api/v1/namespaces/default/events", core(involvedObject={"kind": "Node", "name": "n"}), query={"dryRun": "All"}
    )
    talk.post(CORE, core(involvedObject={}))
    talk.post(CORE, core(eventTime=EARLY))
    talk.post(CORE, core(eventTime=EARLY, reportingComponent="a b", reportingInstance="i", action="a"))
    talk.post(CORE, core(eventTime=EARLY, involvedObject={"kind": "Node", "name": "n"}))
    talk.post(CORE, core(type="Bad", reason="", message="x" * 2000, count=-1), query={"dryRun": "All"})
    talk.post(CORE, core("Bad_Name"))
    talk.post(CORE, core(count="x"))
    talk.post(CORE, core(firstTimestamp="now"))
    talk.post(CORE, core(firstTimestamp="2020-01-02T03:04:05.123+01:00"), query={"dryRun": "All"})
    talk.post(CORE, core(regarding=POD), query={"dryRun": "All"})
    talk.post(CORE, {**new(), "apiVersion": "events.k8s.io/v1"})


@case("events")
def events_are_picked_by_what_they_are_about(talk: Talk) -> None:
    talk.post(CORE, core(source={"component": "c"}))
    talk.post(
        CORE,
        core("b", involvedObject={**POD, "name": "q", "fieldPath": "spec", "resourceVersion": "7"}, type="Warning"),
    )
    talk.post(NEW, new("c", reason="Other"))
    about = ("kind=Pod", "namespace={ns}", "name=q", "uid=u-1", "apiVersion=v1", "resourceVersion=7", "fieldPath=spec")
    for path, field in ((CORE, "involvedObject"), (NEW, "regarding")):
        for selector in (*(f"{field}.{each}" for each in about), "reason=Other", "type=Warning", "metadata.name=a"):
            found = talk.get(path, query={"fieldSelector": selector}).body
            talk.note(f"{path} {selector}", [each["metadata"]["name"] for each in found.get("items", ())])
    talk.get(CORE, query={"fieldSelector": "source=c"})
    talk.get(CORE, query={"fieldSelector": "reportingComponent=example.org/op"})
    talk.get(NEW, query={"fieldSelector": "reportingController=example.org/op"})
    talk.get(CORE, query={"fieldSelector": "involvedObject.name!=q,reason=Made"})


@case("events", error=True)
def other_fields_pick_no_events(talk: Talk) -> None:
    talk.post(CORE, core())
    for selector in ("regarding.name=p", "message=m", "count=1", "involvedObject=p", "involvedObject.name"):
        talk.get(CORE, query={"fieldSelector": selector})
    for selector in ("involvedObject.name=p", "note=m", "source=c", "reportingComponent=c", "regarding"):
        talk.get(NEW, query={"fieldSelector": selector})


@case("events")
def a_watch_sees_the_events_of_the_other_group(talk: Talk) -> None:
    start = talk.get(NEW).version
    talk.watch(NEW, {"resourceVersion": start}, until=2, during=lambda: _three(talk))
    talk.watch(CORE, {"resourceVersion": start, "fieldSelector": "involvedObject.name=p"}, until=2)


def _three(talk: Talk) -> None:
    talk.post(CORE, core())
    talk.post(NEW, new("b"))


@case("events")
def events_go_one_by_one_and_all_at_once(talk: Talk) -> None:
    for name in ("a", "b", "c"):
        talk.post(CORE, core(name))
    talk.delete(f"{CORE}/a")
    talk.delete(NEW, query={"fieldSelector": "metadata.name=b"})
    talk.delete(CORE)
    talk.get(NEW)


@case("events")
def a_table_of_events_is_the_same_in_both_groups(talk: Talk) -> None:
    talk.post(NEW, new())
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    for path in (CORE, NEW):
        talk.get(path, headers=accept)
        talk.get(f"{path}/a", headers={"Accept": "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"})


@case("events", error=True)
def events_are_applied_in_either_group(talk: Talk) -> None:
    apply = {"content_type": "application/apply-patch+yaml", "query": {"fieldManager": "me"}}
    talk.patch(f"{NEW}/a", new(), **apply)
    talk.patch(f"{NEW}/a", new(series={"count": 2, "lastObservedTime": LATE}), **apply)
    talk.patch(f"{CORE}/a", without(core(), "message"), **apply)
    talk.patch(f"{CORE}/b", core("b"), **apply)
    talk.patch(f"{CORE}/b", new("b"), **apply)
