from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from btcctl import resources
from btcctl.apiserver.apiextensions.custom_kind import CustomKind
from btcctl.apiserver.kinds.built_in.resources import BUILT_INS
from btcctl.apiserver.printers.columns import age_of, human_duration
from btcctl.apiserver.printers.tables import cell_of, render
from btcctl.apiserver.served.kind import PrinterColumn
from btcctl.apiserver.served.registry import Served
from btcctl.resources import ResourceType

NOW = datetime(2026, 11, 23, 16, 0, 0, tzinfo=UTC)
CREATED = "2026-11-23T15:59:18Z"


def served(type_: ResourceType) -> Served:
    return next(each for each in BUILT_INS if each.type == type_)


def shown(type_: ResourceType, *, wide: bool = False, **body: Any) -> dict[str, Any]:
    body.setdefault("metadata", {"name": "a", "creationTimestamp": CREATED})
    table = render(served(type_), [body], now=NOW, metadata={})
    columns = table["columnDefinitions"]
    cells = table["rows"][0]["cells"]
    return {
        column["name"]: cell for column, cell in zip(columns, cells, strict=True) if wide or column["priority"] == 0
    }


def with_state(state: dict[str, Any]) -> dict[str, Any]:
    return {"phase": "Running", "containerStatuses": [{"state": state}]}


def custom(*columns: PrinterColumn) -> Served:
    type_ = ResourceType("example.org", "v1", "nets", "Net")
    return Served(type_, "net", "NetList", CustomKind(type_, {}, printer_columns=columns))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (200, "3m20s"), (599, "9m59s"),
        (600, "10m"), (10799, "179m"), (10800, "3h"), (10860, "3h1m"), (28800, "8h"), (172799, "47h"),
        (172800, "2d"), (176400, "2d1h"), (691200, "8d"), (63071999, "729d"), (63072000, "2y"), (63158400, "2y1d"),
        (252288000, "8y"),
    ],
)  # fmt: skip
def test_durations_read_as_kubectl_writes_them(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


def test_an_age_counts_from_now_and_says_when_it_cannot() -> None:
    assert age_of(CREATED, NOW) == "42s"
    assert age_of(None, NOW) == "<unknown>"
    assert age_of("yesterday", NOW) == "<invalid>"


def test_a_running_pod() -> None:
    statuses = [
        {"ready": True, "restartCount": 2, "state": {"running": {}}},
        {"ready": False, "state": {"waiting": {}}},
    ]
    cells = shown(
        resources.PODS,
        wide=True,
        spec={"containers": [{}, {}], "nodeName": "node-0"},
        status={"phase": "Running", "podIP": "127.0.0.9", "containerStatuses": statuses},
    )
    assert cells == {
        "Name": "a", "Ready": "1/2", "Status": "Running", "Restarts": "2", "Age": "42s", "IP": "127.0.0.9",
        "Node": "node-0", "Nominated Node": "<none>", "Readiness Gates": "<none>",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"phase": "Pending"}, "Pending"),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        (with_state({"waiting": {"reason": "CrashLoopBackOff"}}), "CrashLoopBackOff"),
        (with_state({"terminated": {"exitCode": 3}}), "ExitCode:3"),
        (with_state({"terminated": {"signal": 9, "exitCode": 137}}), "Signal:9"),
        (with_state({"terminated": {"reason": "Completed"}}), "Completed"),
    ],
)
def test_a_pod_s_status_says_what_keeps_it_from_running(status: dict[str, Any], expected: str) -> None:
    assert shown(resources.PODS, status=status)["Status"] == expected


def test_a_pod_being_deleted_is_terminating() -> None:
    metadata = {"name": "a", "deletionTimestamp": CREATED}
    assert shown(resources.PODS, metadata=metadata, status={"phase": "Running"})["Status"] == "Terminating"


def test_a_finished_pod_being_deleted_keeps_its_status() -> None:
    metadata = {"name": "a", "deletionTimestamp": CREATED}
    assert shown(resources.PODS, metadata=metadata, status={"phase": "Succeeded"})["Status"] == "Succeeded"


def test_restarts_say_how_long_ago_the_last_one_was() -> None:
    statuses = [{"restartCount": 1, "lastState": {"terminated": {"finishedAt": CREATED}}}]
    assert shown(resources.PODS, status={"containerStatuses": statuses})["Restarts"] == "1 (42s ago)"


def test_a_stateful_set_counts_its_ready_replicas() -> None:
    template = {"spec": {"containers": [{"name": "node", "image": "core:1"}]}}
    cells = shown(
        resources.STATEFUL_SETS, wide=True, spec={"replicas": 4, "template": template}, status={"readyReplicas": 3}
    )
    assert cells == {"Name": "a", "Ready": "3/4", "Age": "42s", "Containers": "node", "Images": "core:1"}


def test_a_headless_service() -> None:
    ports = [{"port": 18443, "protocol": "TCP"}, {"port": 80, "nodePort": 30080}]
    cells = shown(resources.SERVICES, spec={"type": "ClusterIP", "clusterIP": "None", "ports": ports})
    assert cells["Cluster-IP"] == "None"
    assert cells["External-IP"] == "<none>"
    assert cells["Port(s)"] == "18443/TCP,80:30080/TCP"


def test_an_event_shows_its_object_and_when_it_was_last_seen() -> None:
    involved = {"kind": "StatefulSet", "name": "net"}
    cells = shown(
        resources.EVENTS,
        lastTimestamp=CREATED,
        type="Normal",
        reason="Created",
        involvedObject=involved,
        message="ok\n",
    )
    assert cells == {
        "Last Seen": "42s",
        "Type": "Normal",
        "Reason": "Created",
        "Object": "statefulset/net",
        "Message": "ok",
    }


def test_a_node_shows_state_and_roles() -> None:
    metadata = {"name": "n", "labels": {"node-role.kubernetes.io/control-plane": ""}}
    conditions = [{"type": "Ready", "status": "True"}]
    status = {"conditions": conditions, "nodeInfo": {"kubeletVersion": "v1"}}
    cells = shown(resources.NODES, metadata=metadata, spec={"unschedulable": True}, status=status)
    assert cells["Status"] == "Ready,SchedulingDisabled"
    assert cells["Roles"] == "control-plane"
    assert cells["Version"] == "v1"


@pytest.mark.parametrize("resource", BUILT_INS, ids=lambda each: each.type.plural)
def test_the_emptiest_object_of_every_kind_can_be_shown(resource: Served) -> None:
    table = render(resource, [{"metadata": {"name": "a"}}], now=NOW, metadata={})
    assert len(table["rows"][0]["cells"]) == len(table["columnDefinitions"])


def test_a_custom_kind_shows_its_printer_columns() -> None:
    resource = custom(
        PrinterColumn("Nodes", "integer", ".spec.nodes", priority=1),
        PrinterColumn("Since", "date", ".status.since"),
        PrinterColumn("Gone", "string", ".status.nothing"),
    )
    body = {"metadata": {"name": "a"}, "spec": {"nodes": 3}, "status": {"since": CREATED}}
    table = render(resource, [body], now=NOW, metadata={"resourceVersion": "7"})
    assert table["metadata"] == {"resourceVersion": "7"}
    assert table["rows"][0]["cells"] == ["a", 3, "42s", None]
    assert [(each["name"], each["type"], each["priority"]) for each in table["columnDefinitions"]] == [
        ("Name", "string", 0), ("Nodes", "integer", 1), ("Since", "date", 0), ("Gone", "string", 0),
    ]  # fmt: skip
    assert table["columnDefinitions"][1]["description"].endswith("(in JSONPath format): .spec.nodes")


def test_a_custom_kind_without_printer_columns_shows_name_and_age() -> None:
    table = render(custom(), [{"metadata": {"name": "a", "creationTimestamp": CREATED}}], now=NOW, metadata={})
    assert table["rows"][0]["cells"] == ["a", "42s"]


@pytest.mark.parametrize(
    ("type_", "value", "cell"),
    [
        ("string", "x", "x"), ("string", 3, "3"), ("string", True, "true"), ("string", {"a": 1}, '{"a":1}'),
        ("integer", 3, 3), ("integer", 3.0, 3), ("integer", "3", None), ("integer", True, None),
        ("number", 1.5, 1.5), ("boolean", False, False), ("boolean", "no", None), ("date", 5, None),
    ],
)  # fmt: skip
def test_a_cell_of_another_type_than_its_column_is_empty(type_: str, value: Any, cell: Any) -> None:
    assert cell_of(type_, value, NOW) == cell


def test_rows_carry_as_much_of_the_object_as_asked() -> None:
    body = {"metadata": {"name": "a"}, "spec": {}}

    def row(include: str) -> Any:
        return render(custom(), [body], now=NOW, metadata={}, include_object=include)["rows"][0]["object"]

    assert row("None") is None
    assert row("Object") == body
    assert row("Metadata") == {
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "a"},
    }  # fmt: skip


def test_later_events_of_a_watch_define_no_columns() -> None:
    assert render(custom(), [], now=NOW, metadata={}, with_columns=False)["columnDefinitions"] is None
