"""What else operators and kubectl do: pods, conversions of patches, discovery, namespaces and their corners."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.cases_made_workloads import BUDGETS, JOBS, budget, claim, job
from tests.integration.conformance.harness import Body, Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    LEASES,
    PODS,
    SERVICES,
    STATEFUL_SETS,
    WIDGETS,
    config_map,
    define_widgets,
    deployment,
    lease,
    pod,
    service,
    stateful_set,
    versioned,
    widget,
)

APPLY = "application/apply-patch+yaml"
YAML = "application/yaml"
_DRY = {"dryRun": "All"}


@case("create", error=True)
def pods_on_their_own_are_checked(talk: Talk) -> None:
    talk.service_account()
    specs: tuple[Body, ...] = (
        {"containers": []}, {"restartPolicy": "Sometimes"}, {"hostNetwork": True},
        {"nodeName": "n", "schedulingGates": [{"name": "g"}]}, {"schedulingGates": [{"name": "g"}]},
        {"serviceAccountName": "none"}, {"volumes": [{"name": "v", "emptyDir": {"sizeLimit": "-1"}}]},
        {"terminationGracePeriodSeconds": 0}, {"activeDeadlineSeconds": 2**31}, {"os": {"name": "windows"}},
        {"hostAliases": [{"ip": "::1"}]}, {"ephemeralContainers": [{"name": "e", "image": "i"}]},
        {"priorityClassName": "none"}, {"tolerations": [{"operator": "Exists"}]},
        {"resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}},
        {"resourceClaims": [{"name": "c", "resourceClaimName": "x"}]},
    )  # fmt: skip
    for spec in specs:
        talk.post(PODS, pod(**spec), query=_DRY)
    for name in ("A", "a" * 254, "a_b", "1.2"):
        talk.post(PODS, pod(name), query=_DRY)


@case("update", error=True)
def images_and_deadlines_of_a_pod_change(talk: Talk) -> None:
    talk.service_account()
    with talk.hush():
        talk.post(PODS, pod(nodeName="none"))
    path = f"{PODS}/a"
    for change in (
        {"containers": [{"name": "main", "image": "i:2"}]}, {"containers": [{"name": "main", "image": ""}]},
        {"activeDeadlineSeconds": 5}, {"tolerations": [{"key": "a", "operator": "Exists"}]},
        {"terminationGracePeriodSeconds": 1}, {"nodeName": "other"},
        {"containers": [{"name": "main", "resources": {"limits": {"cpu": "1"}}}]}, {"priority": 3},
        {"schedulingGates": [{"name": "g"}]},
    ):  # fmt: skip
        talk.patch(path, {"spec": change}, content_type="strategic", query=_DRY)


@case("status", error=True)
def conditions_are_merged_by_type(talk: Talk) -> None:
    with talk.hush():
        talk.post(DEPLOYMENTS, deployment(replicas=0, paused=True))
        talk.service_account()
        talk.post(PODS, pod(nodeName="none"))
    ready = {"type": "example.org/Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    for body in (
        {"status": {"conditions": [ready]}}, {"status": {"conditions": [{**ready, "status": "Maybe"}]}},
        {"status": {"conditions": [{"status": "True"}]}},
        {"status": {"conditions": [{"type": "example.org/Ready", "$patch": "delete"}]}},
        {"status": {"phase": "Running", "podIP": "10.1.1.1"}},
        {"status": {"containerStatuses": [{"name": "main", "ready": True, "restartCount": 0, "image": "i", "imageID":
            "", "state": {"running": {}}}]}},
    ):  # fmt: skip
        talk.patch(f"{PODS}/a/status", body, content_type="strategic", query=_DRY)


@case("merge patch")
def kubectl_scales_labels_and_annotates(talk: Talk) -> None:
    talk.post(JOBS, job())
    talk.post(BUDGETS, budget(minAvailable=1), query=_DRY)
    talk.patch(
        f"{JOBS}/a",
        {"metadata": {"labels": {"a": "b"}, "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}},
    )
    talk.patch(f"{JOBS}/a", {"metadata": {"labels": {"a": None}}})
    talk.patch(f"{JOBS}/a", {"metadata": {"labels": {"a": None}}})


@case("scale", error=True)
def scales_of_each_kind(talk: Talk) -> None:
    with talk.hush():
        talk.post(STATEFUL_SETS, stateful_set())
        talk.post(DEPLOYMENTS, deployment(replicas=0, paused=True))
        talk.post(JOBS, job())
    for path in (STATEFUL_SETS, DEPLOYMENTS):
        for body in (
            {"spec": {"replicas": -1}}, {"spec": {"replicas": "x"}}, {"spec": {"replicas": None}}, {"spec": None},
            {"metadata": {"name": "b"}},
        ):  # fmt: skip
            talk.patch(f"{path}/a/scale", body, query=_DRY)
    talk.get(f"{JOBS}/a/scale")
    talk.put(
        f"{DEPLOYMENTS}/a/scale",
        {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "a"}, "spec": {"replicas": 3}},
        query=_DRY,
    )
    talk.put(
        f"{DEPLOYMENTS}/b/scale",
        {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "b"}, "spec": {"replicas": 3}},
    )


@case("create")
def yaml_merges_tags_and_anchors_are_those_of_go(talk: Talk) -> None:
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
    for text in (
        "data: {a: x, <<: {a: y, b: z}}", "data: {<<: [{a: '1'}, {a: '2', b: '3'}]}", "data: {<<: 1}",
        "data: {a: &x p, b: &x q, c: *x}", "data: !!map {a: b}", "data: !!set {a, b}", "data: {a: !!str 5}",
        "data: {a: !!int a}", "data: {a: !foo 5}", "data: {a: ! 5}", "data: {a: !!binary '?'}", "data: {'<<': a}",
        "data: {a: |\n   x\n   y\n}", "data:\n  a: |\n    x\n    y\n  b: >-\n    x\n    y\n",
        "data: {a: 'x''y', b: \"\\u00e9\\n\"}", "data: {a: !!null ''}", "data: &d {a: b}\nbinaryData: *d",
        "data: {a: *none}", "? data\n: {a: b}", "data: {0o: x, 1: y, 1.5: z, true: w}", "data: {a: 0o}",
        "%YAML 1.2\n---\ndata: {a: b}",
    ):  # fmt: skip
        talk.post(CONFIG_MAPS, head + text, content_type=YAML, query=_DRY)


@case("field validation", error=True)
def keys_that_come_twice_in_yaml_are_told_by_line(talk: Talk) -> None:
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
    for text in (
        "data: {a: x, a: y}",
        "data:\n  a: x\n  b: y\n  a: z\n  b: w\nbogus: 1",
        "data: {a: x, <<: {a: y}}",
        "data: {<<: {a: x}, a: y}",
        "data: {a: x}\ndata: {b: y}",
    ):
        for mode in ("Strict", "Warn", "Ignore"):
            talk.post(CONFIG_MAPS, head + text, content_type=YAML, query={**_DRY, "fieldValidation": mode})


@case("conflicts", error=True)
def two_controllers_write_the_same_object(talk: Talk) -> None:
    define_widgets(talk)
    first = talk.post(WIDGETS, widget()).body
    talk.put(f"{WIDGETS}/a", versioned(widget(spec={"size": 2}), first))
    talk.put(f"{WIDGETS}/a", versioned(widget(spec={"size": 3}), first))
    talk.put(f"{WIDGETS}/a/status", {**versioned(widget(), first), "status": {"ready": 1}})
    talk.patch(
        f"{WIDGETS}/a", {"metadata": {"resourceVersion": first["metadata"]["resourceVersion"]}, "spec": {"size": 4}}
    )
    talk.patch(
        f"{WIDGETS}/a",
        [{"op": "test", "path": "/metadata/uid", "value": "x"}, {"op": "add", "path": "/spec/size", "value": 1}],
        content_type="json",
    )
    held = talk.post(LEASES, lease()).body
    talk.put(f"{LEASES}/a", versioned(lease(holderIdentity="you"), held))
    talk.put(f"{LEASES}/a", versioned(lease(holderIdentity="me"), held))


@case("errors", error=True)
def paths_that_lead_nowhere(talk: Talk) -> None:
    for path in (
        "/api/v1/namespaces/{ns}/configmap", "/apis/apps/v1/namespaces/{ns}/configmaps", "/apis/none/v1/things",
        "/apis/apps/v9/deployments", "/api/v2", "/api/v1/namespaces/{ns}/configmaps/a/status",
        "/api/v1/namespaces/{ns}/pods/a/none", "/apis/apps/v1/namespaces/{ns}/deployments/a/scale", "/healthz/none",
        "/api/v1/configmaps/a", "/api/v1/namespaces/{ns}/", ):  # fmt: skip
        talk.get(path)
    talk.post("/api/v1/configmaps", config_map())
    talk.put(CONFIG_MAPS, config_map())
    talk.patch(CONFIG_MAPS, {})
    talk.delete("/api/v1/nodes/none")
    talk.send("HEAD", CONFIG_MAPS)
    talk.send("OPTIONS", CONFIG_MAPS)
    talk.send("TRACE", CONFIG_MAPS)


@case("lists")
def pages_go_on_where_they_ended(talk: Talk) -> None:
    for name in "abcde":
        talk.post(LEASES, lease(name))
    first = talk.get(LEASES, query={"limit": 2})
    token = first.body["metadata"]["continue"]
    second = talk.get(LEASES, query={"limit": 2, "continue": token})
    talk.note("names", [each["metadata"]["name"] for each in second.body["items"]])
    talk.get(LEASES, query={"limit": 2, "continue": second.body["metadata"]["continue"]})
    talk.delete(f"{LEASES}/e")
    talk.get(LEASES, query={"limit": 4, "continue": token})
    talk.get(LEASES, query={"limit": 1, "labelSelector": "none"})
    talk.get(LEASES, query={"limit": 0})


@case("generation")
def what_counts_as_a_change(talk: Talk) -> None:
    talk.post(STATEFUL_SETS, stateful_set(volumeClaimTemplates=[claim()]), query=_DRY)
    define_widgets(talk)
    talk.post(WIDGETS, widget())
    path = f"{WIDGETS}/a"
    for body in (
        {"spec": {"size": 2}}, {"spec": {"size": 2}}, {"metadata": {"labels": {"a": "b"}}}, {"status": {"ready": 1}},
        {"spec": {}}, {"spec": None},
    ):  # fmt: skip
        answer = talk.patch(path, body)
        talk.note("generation", answer.body["metadata"].get("generation"))
    answer = talk.patch(f"{path}/status", {"status": {"ready": 1}})
    talk.note("generation", answer.body["metadata"].get("generation"))
    talk.post(SERVICES, service())
    talk.patch(f"{SERVICES}/a", {"spec": {"selector": {"x": "y"}}})


@case("apply", error=True)
def what_cannot_be_owned_by_two_is_told(talk: Talk) -> None:
    def apply(body: Any, manager: str, **query: str) -> None:
        talk.patch(f"{CONFIG_MAPS}/a", body, content_type=APPLY, query={"fieldManager": manager, **query})

    talk.post(CONFIG_MAPS, config_map("a", {"a": "1", "b": "2"}))
    apply(config_map("a", {"a": "3"}), "one")
    apply(config_map("a", {"a": "3", "b": "4"}), "one")
    apply(config_map("a", {"a": "3"}), "one", force="true")
    apply("{", "one")
    apply("a: b: c", "one")
    apply({"kind": "ConfigMap", "apiVersion": "v1"}, "one")
    apply({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "a"}}, "one")
    apply({**config_map("a"), "bogus": 1}, "one", fieldValidation="Strict")
    apply({**config_map("a"), "bogus": 1}, "one", fieldValidation="Warn")
    apply({**config_map("a"), "data": {"a": 5}}, "one")
    apply(config_map("a", uid="other"), "one")
    apply(config_map("a", resourceVersion="1"), "one")
    apply(config_map("a"), "one", force="maybe")


@case("watches", error=True)
def watches_that_cannot_begin(talk: Talk) -> None:
    for query in (
        {"resourceVersion": "x"}, {"resourceVersionMatch": "Exact", "resourceVersion": "1"},
        {"sendInitialEvents": "maybe"}, {"timeoutSeconds": "x"}, {"sendInitialEvents": "true"},
        {"labelSelector": "a in ("}, {"fieldSelector": "none=1"}, {"limit": "x"},
    ):  # fmt: skip
        talk.watch(LEASES, {**query, "timeoutSeconds": query.get("timeoutSeconds", "1")})


@case("watches")
def a_bookmark_is_an_empty_object_of_its_kind(talk: Talk) -> None:
    names = ("secrets", "services", "persistentvolumeclaims", "serviceaccounts")
    paths = [f"/api/v1/namespaces/{{ns}}/{name}" for name in names]
    for path in (*paths, PODS, LEASES, DEPLOYMENTS, STATEFUL_SETS, JOBS, BUDGETS):
        query = {"sendInitialEvents": "true", "allowWatchBookmarks": "true", "resourceVersionMatch": "NotOlderThan"}
        talk.watch(path, {**query, "fieldSelector": "metadata.name=none"}, until=1)
