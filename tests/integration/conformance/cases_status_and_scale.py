"""The status and scale subresources."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    PODS,
    SERVICES,
    STATEFUL_SETS,
    WIDGETS,
    config_map,
    define_widgets,
    deployment,
    pod,
    service,
    stateful_set,
    versioned,
    widget,
)


def _scale(replicas: Any, **metadata: Any) -> dict[str, Any]:
    head = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "a", "namespace": "{ns}", **metadata}}
    return {**head, "spec": {"replicas": replicas}}


@case("status")
def a_put_of_the_status_changes_nothing_else(talk: Talk) -> None:
    define_widgets(talk)
    created = talk.post(WIDGETS, widget(labels={"a": "b"})).body
    other = widget(spec={"size": 9}, labels={"c": "d"}, annotations={"e": "f"}, finalizers=["example.org/x"])
    talk.put(f"{WIDGETS}/a/status", {**versioned(other, created), "status": {"ready": 3}})
    talk.get(f"{WIDGETS}/a/status")
    talk.get(f"{WIDGETS}/a")


@case("status")
def a_put_of_the_object_leaves_the_status(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(WIDGETS, {**widget(), "status": {"ready": 1}})
    with_status = talk.patch(f"{WIDGETS}/a/status", {"status": {"ready": 2}}).body
    talk.put(f"{WIDGETS}/a", {**versioned(widget(spec={"size": 3}), with_status), "status": {"ready": 4}})
    talk.patch(f"{WIDGETS}/a", {"status": None})
    talk.patch(f"{WIDGETS}/a/status", {"status": None, "spec": {"size": 7}})


@case("status", error=True)
def a_status_is_checked(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(WIDGETS, widget())
    talk.patch(f"{WIDGETS}/a/status", {"status": {"ready": "three"}})
    talk.patch(f"{WIDGETS}/a/status", {"status": {"unknown": 1, "ready": 1}})
    talk.patch(f"{WIDGETS}/none/status", {"status": {}})
    talk.put(f"{WIDGETS}/none/status", widget("none", resourceVersion="1"))
    talk.put(f"{WIDGETS}/a/status", widget("other", resourceVersion="1"))
    talk.post(f"{WIDGETS}/a/status", widget())
    talk.delete(f"{WIDGETS}/a/status")


@case("status", error=True)
def a_kind_without_one_has_no_status(talk: Talk) -> None:
    define_widgets(talk, status=False)
    talk.post(WIDGETS, {**widget(), "status": {"ready": 1}})
    talk.patch(f"{WIDGETS}/a/status", {"status": {"ready": 2}})
    talk.get(f"{WIDGETS}/a/status")
    talk.get(f"{WIDGETS}/a/scale")
    talk.post(CONFIG_MAPS, config_map())
    talk.get(f"{CONFIG_MAPS}/a/status")


@case("status")
def the_status_of_a_pod_merges_its_lists(talk: Talk) -> None:
    talk.service_account()
    talk.post(PODS, pod())
    conditions = [{"type": "Ready", "status": "False"}, {"type": "Initialized", "status": "True"}]
    status = {"phase": "Running", "conditions": conditions}
    talk.patch(f"{PODS}/a/status", {"status": status}, content_type="strategic")
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    talk.patch(f"{PODS}/a/status", {"status": ready}, content_type="strategic")
    talk.patch(f"{PODS}/a", {"status": {"phase": "Failed"}})


@case("status")
def the_namespace_of_a_case_has_a_status(talk: Talk) -> None:
    talk.get("/api/v1/namespaces/{ns}/status")
    talk.patch("/api/v1/namespaces/{ns}", {"metadata": {"labels": {"x": "y"}}, "status": {"phase": "Terminating"}})


@case("scale")
def the_scale_of_a_custom_resource_reads_and_writes_its_fields(talk: Talk) -> None:
    define_widgets(talk, scale=True)
    talk.post(WIDGETS, widget())
    talk.get(f"{WIDGETS}/a/scale")
    talk.patch(f"{WIDGETS}/a/status", {"status": {"ready": 2, "selector": "x=y"}})
    talk.patch(f"{WIDGETS}/a/scale", {"spec": {"replicas": 3}})
    talk.put(f"{WIDGETS}/a/scale", _scale(4))
    talk.patch(f"{WIDGETS}/a/scale", {"status": {"replicas": 9}})
    talk.put(f"{WIDGETS}/a/scale", _scale(0))
    talk.get(f"{WIDGETS}/a")


@case("scale", error=True)
def a_scale_of_a_custom_resource_is_checked(talk: Talk) -> None:
    define_widgets(talk, scale=True)
    created = talk.post(WIDGETS, widget()).body
    stale = created["metadata"]["resourceVersion"]
    talk.patch(f"{WIDGETS}/a", {"spec": {"size": 2}})
    talk.put(f"{WIDGETS}/a/scale", _scale(3, resourceVersion=stale))
    talk.patch(f"{WIDGETS}/a/scale", {"metadata": {"resourceVersion": stale}, "spec": {"replicas": 3}})
    talk.put(f"{WIDGETS}/a/scale", _scale(11))
    talk.put(f"{WIDGETS}/a/scale", _scale(-1))
    talk.put(f"{WIDGETS}/a/scale", _scale("three"))
    talk.put(f"{WIDGETS}/a/scale", {**_scale(3), "kind": "Widget", "apiVersion": "{group}/v1"})
    talk.put(f"{WIDGETS}/none/scale", _scale(3))
    talk.get(f"{WIDGETS}/none/scale")
    talk.patch(f"{WIDGETS}/a/scale", "{")


@case("scale")
def workloads_are_scaled(talk: Talk) -> None:
    talk.post(DEPLOYMENTS, deployment())
    path = f"{DEPLOYMENTS}/a/scale"
    talk.get(path)
    talk.patch(path, {"spec": {"replicas": 0}})
    talk.put(path, _scale(2))
    talk.patch(path, [{"op": "replace", "path": "/spec/replicas", "value": 4}], content_type="json")
    talk.patch(path, {"spec": {"replicas": 1}}, content_type="strategic")
    talk.get(f"{DEPLOYMENTS}/a")
    talk.post(STATEFUL_SETS, stateful_set("set"))
    talk.get(f"{STATEFUL_SETS}/set/scale")


@case("scale", error=True)
def the_scale_of_a_workload_is_checked(talk: Talk) -> None:
    created = talk.post(DEPLOYMENTS, deployment()).body
    stale = created["metadata"]["resourceVersion"]
    path = f"{DEPLOYMENTS}/a/scale"
    talk.patch(path, {"spec": {"replicas": 2}})
    talk.put(path, _scale(3, resourceVersion=stale))
    talk.put(path, _scale(-1))
    talk.put(path, _scale("three"))
    talk.put(path, {**_scale(1), "metadata": {"name": "other"}})
    talk.put(f"{DEPLOYMENTS}/none/scale", {**_scale(1), "metadata": {"name": "none", "namespace": "{ns}"}})
    talk.put(path, {**_scale(1), "kind": "Deployment"})
    talk.patch(path, {"spec": {"replicas": -2}})
    talk.get(f"{CONFIG_MAPS}/a/scale")


@case("scale", error=True)
def what_is_no_scale_is_refused_and_what_is_too_much_is_told(talk: Talk) -> None:
    define_widgets(talk, scale=True)
    talk.post(WIDGETS, widget(spec={}))
    talk.get(f"{WIDGETS}/a/scale")
    talk.patch(f"{WIDGETS}/a/scale", {"metadata": {"labels": {"x": "y"}}})
    talk.patch(f"{WIDGETS}/a/scale", {"spec": {"replicas": 2, "bogus": 1}})
    talk.post(DEPLOYMENTS, deployment())
    path = f"{DEPLOYMENTS}/a/scale"
    for mode in ("Ignore", "Warn", "Strict"):
        query = {"fieldValidation": mode}
        talk.put(path, {**_scale(1), "bogus": 1}, query=query)
        for content_type in ("merge", "strategic"):
            talk.patch(path, {"spec": {"replicas": 2, "bogus": 1}}, content_type=content_type, query=query)
    talk.put(path, _scale(3, uid="other"))
    talk.patch(path, {"metadata": {"uid": "other"}})
    talk.patch(path, {"spec": {"replicas": "three"}}, content_type="strategic")
    talk.patch(path, {"spec": {"replicas": "three"}})
    talk.patch(path, {"metadata": {"name": "other"}})
    talk.put(path, {**_scale(1), "apiVersion": "apps/v1", "kind": "Deployment"})
    talk.put(path, {"metadata": {"namespace": "{ns}"}, "spec": {"replicas": 1}})
    talk.put(path, _scale(1, namespace="other"))
    talk.post(path, _scale(1))


@case("status")
def a_status_of_a_built_in_kind_may_change_metadata(talk: Talk) -> None:
    talk.post(DEPLOYMENTS, deployment())
    talk.post(SERVICES, service())
    talk.service_account()
    talk.post(PODS, pod())
    metadata = {"labels": {"x": "y"}, "annotations": {"e": "f"}}
    for path in (DEPLOYMENTS, SERVICES, PODS):
        body = {"metadata": metadata, "spec": {"minReadySeconds": 9}, "status": {"observedGeneration": 1}}
        talk.patch(f"{path}/a/status", body, content_type="strategic")
    talk.get(f"{PODS}/a/status")


@case("status", error=True)
def the_status_of_a_workload_is_checked(talk: Talk) -> None:
    talk.post(STATEFUL_SETS, stateful_set())
    talk.post(DEPLOYMENTS, deployment())
    for path in (f"{STATEFUL_SETS}/a/status", f"{DEPLOYMENTS}/a/status"):
        counts = {"readyReplicas": 2, "availableReplicas": 3, "updatedReplicas": 0, "currentReplicas": 0}
        talk.patch(path, {"status": {"replicas": 1, **counts}})
        talk.patch(path, {"status": {"replicas": -1, "updatedReplicas": 0, "currentReplicas": 0}})
        talk.post(path, {})
        talk.delete(path)
    talk.patch(path, {"status": {"replicas": 2, "readyReplicas": 2, "bogus": 1}})
    condition = {"type": "Odd", "status": "True", "lastTransitionTime": "2001-01-01T00:00:00+02:00"}
    talk.patch(path, {"status": {"conditions": [condition]}}, content_type="strategic")
    talk.patch(path, {"status": {"conditions": [{"type": "Odd", "$patch": "delete"}]}}, content_type="strategic")


@case("status", error=True)
def the_status_of_a_pod_is_checked(talk: Talk) -> None:
    talk.service_account()
    talk.post(PODS, pod(restartPolicy="Never"))
    path = f"{PODS}/a/status"
    ended = {"name": "main", "state": {"terminated": {"exitCode": 1}}}
    talk.patch(path, {"status": {"phase": "Failed", "containerStatuses": [ended]}}, content_type="strategic")
    again = {"name": "main", "state": {"running": {}}, "image": "i", "restartCount": 1}
    talk.patch(path, {"status": {"containerStatuses": [again]}}, content_type="strategic")
    talk.patch(path, {"status": {"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]}}, content_type="strategic")
    talk.patch(path, {"status": {"podIP": "10.0.0.2"}}, content_type="strategic")
    talk.patch(path, {"status": {"podIPs": [{"ip": "10.0.0.3"}]}}, content_type="strategic")
    talk.patch(path, {"status": {"qosClass": "Guaranteed"}})
    talk.patch(path, {"status": {"qosClass": None, "observedGeneration": -1}})
    talk.put(path, pod(restartPolicy="Never"))
