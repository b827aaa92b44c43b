"""What is written to a pod beside its spec and its status: containers for debugging, and other resources."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Body, Talk, case
from tests.integration.conformance.manifests import PODS, pod, versioned

DEBUGGER: Body = {"name": "debugger", "image": "example.org/debug:1"}
AMOUNTS: Body = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "64Mi"}}
APPLY = "application/apply-patch+yaml"
MAIN: Body = {"name": "main", "image": "example.org/image:1"}


def debug(*containers: Body) -> Body:
    return {"spec": {"ephemeralContainers": list(containers)}}


def resized(name: str = "main", **resources: Any) -> Body:
    return {"spec": {"containers": [{"name": name, "resources": resources}]}}


@case("pod subresources")
def a_debugger_is_added_as_kubectl_does_it(talk: Talk) -> None:
    talk.service_account()
    talk.post(PODS, pod())
    place = f"{PODS}/a/ephemeralcontainers"
    talk.get(place)
    target = {**DEBUGGER, "targetContainerName": "main", "stdin": True, "tty": True}
    talk.patch(place, debug(target), content_type="strategic")
    talk.patch(place, debug({**DEBUGGER, "name": "second"}), content_type="strategic")
    talk.get(f"{PODS}/a")
    now = talk.get(place).body
    talk.put(place, now)


@case("pod subresources", error=True)
def debuggers_are_checked_and_stay(talk: Talk) -> None:
    talk.service_account()
    talk.post(PODS, pod())
    place = f"{PODS}/a/ephemeralcontainers"
    wrong: list[Body] = [
        {"name": "d"},
        {**DEBUGGER, "name": "Main"},
        {**DEBUGGER, "name": "main"},
        {**DEBUGGER, "targetContainerName": "nobody"},
        {**DEBUGGER, "ports": [{"containerPort": 80}]},
        {**DEBUGGER, "resources": AMOUNTS},
        {**DEBUGGER, "livenessProbe": {"tcpSocket": {"port": 1}}},
        {**DEBUGGER, "lifecycle": {"preStop": {"exec": {"command": ["x"]}}}},
        {**DEBUGGER, "volumeMounts": [{"name": "none", "mountPath": "/x"}]},
        {**DEBUGGER, "restartPolicy": "Always"},
    ]
    for container in wrong:
        talk.patch(place, debug(container), content_type="strategic", query={"dryRun": "All"})
    talk.patch(place, debug(DEBUGGER), content_type="strategic")
    talk.patch(place, debug({**DEBUGGER, "image": "other"}), content_type="strategic")
    talk.patch(place, debug(), content_type="merge")
    talk.patch(place, {"spec": {"hostname": "other"}, "metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}})
    talk.patch(f"{PODS}/a", debug({**DEBUGGER, "name": "more"}), content_type="strategic")
    talk.patch(f"{PODS}/none/ephemeralcontainers", debug(DEBUGGER), content_type="strategic")
    talk.post(PODS, pod("b", ephemeralContainers=[DEBUGGER]))
    talk.post(place, pod())
    talk.delete(place)


@case("pod subresources")
def resources_of_a_pod_are_changed_in_place(talk: Talk) -> None:
    talk.service_account()
    talk.post(PODS, pod(containers=[{**MAIN, "resources": AMOUNTS}]))
    place = f"{PODS}/a/resize"
    talk.get(place)
    more = resized(requests={"cpu": "150m", "memory": "64Mi"}, limits={"cpu": "300m", "memory": "64Mi"})
    talk.patch(place, more, content_type="strategic")
    talk.patch(place, {"spec": {"hostname": "other"}, "metadata": {"labels": {"a": "b"}}})
    now = talk.get(place).body
    now["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "160m"
    now["spec"]["containers"][0]["image"] = "other"
    talk.put(place, now)


@case("pod subresources", error=True)
def a_resize_is_checked(talk: Talk) -> None:
    talk.service_account()
    talk.post(PODS, pod(containers=[{**MAIN, "resources": AMOUNTS}]))
    place = f"{PODS}/a/resize"
    wrong: list[Body] = [
        resized(requests={"cpu": "500m"}),
        resized(requests={"cpu": "200m", "memory": "64Mi"}, limits={"cpu": "200m", "memory": "64Mi"}),
        resized(requests={"cpu": "-1"}),
        resized(requests={"example.org/thing": "1"}, limits={"example.org/thing": "1"}),
        resized(limits={"memory": "32Mi"}),
        resized("other", requests={"cpu": "1m"}),
        {
            "spec": {
                "containers": [
                    {"name": "main", "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}]}
                ]
            }
        },
        {"spec": {"containers": [{"name": "main", "resizePolicy": [{"resourceName": "disk", "restartPolicy": "X"}]}]}},
    ]
    for body in wrong:
        talk.patch(place, body, content_type="strategic", query={"dryRun": "All"})
    talk.patch(place, {"spec": {"containers": [{"name": "main", "image": "i", "resources": None}]}})
    talk.patch(f"{PODS}/a", resized(requests={"cpu": "150m"}), content_type="strategic")
    talk.patch(f"{PODS}/none/resize", {}, content_type="strategic")
    first = talk.post(PODS, pod("b")).body
    talk.patch(f"{PODS}/b/resize", resized(requests={"cpu": "150m"}), content_type="strategic")
    talk.put(f"{PODS}/b/resize", versioned(pod("b"), first))


@case("pod subresources", error=True)
def a_refused_update_says_what_would_have_changed(talk: Talk) -> None:
    talk.service_account()
    probe = {"httpGet": {"path": "/x", "port": "web"}, "periodSeconds": 3}
    main = {**MAIN, "ports": [{"containerPort": 80, "name": "web"}], "livenessProbe": probe, "resources": AMOUNTS}
    main["volumeMounts"] = [{"name": "v", "mountPath": "/v"}]
    main["env"] = [
        {"name": "A", "value": "1"},
        {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    main["securityContext"] = {"runAsUser": 5, "capabilities": {"drop": ["ALL"]}}
    volumes = [{"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}, {"name": "c", "configMap": {"name": "c"}}]
    affinity = {
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 3, "podAffinityTerm": {"topologyKey": "host", "labelSelector": {"matchLabels": {"a": "b"}}}}
            ]
        }
    }
    spread = [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}]
    talk.post(
        PODS,
        pod(
            containers=[main],
            volumes=volumes,
            affinity=affinity,
            topologySpreadConstraints=spread,
            nodeSelector={"a": "b"},
            securityContext={"fsGroup": 7, "sysctls": [{"name": "kernel.shm_rmid_forced", "value": "0"}]},
            hostNetwork=False,
            dnsConfig={"options": [{"name": "ndots", "value": "2"}]},
            hostAliases=[{"ip": "10.0.0.1", "hostnames": ["h"]}],
        ),
    )
    changes: list[Body] = [
        {"hostname": "other"},
        {"nodeName": "n"},
        {"serviceAccountName": "other", "serviceAccount": "other"},
        {"terminationGracePeriodSeconds": 5, "nodeSelector": {"x": "<y>&"}},
        {"restartPolicy": "Never", "dnsPolicy": "Default", "enableServiceLinks": False},
        {"hostNetwork": True, "shareProcessNamespace": True},
        {"securityContext": {"fsGroup": 9, "sysctls": None, "seccompProfile": {"type": "RuntimeDefault"}}},
        {"affinity": None, "topologySpreadConstraints": None},
        {"volumes": [{"name": "v", "emptyDir": {}}, {"name": "c", "secret": {"secretName": "s", "defaultMode": 256}}]},
        {"dnsConfig": None, "hostAliases": None, "readinessGates": [{"conditionType": "example.org/x"}]},
        {"containers": [{**main, "command": ["a", "b"], "args": ["é \u2028"], "resources": None}]},
        {
            "containers": [
                {
                    **main,
                    "livenessProbe": {"exec": {"command": ["x"]}},
                    "lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
                }
            ]
        },
        {"containers": [{**main, "env": None, "securityContext": None, "ports": None, "imagePullPolicy": "Always"}]},
        {"priority": 5, "preemptionPolicy": "Never", "schedulerName": "other"},
        {"os": {"name": "linux"}, "setHostnameAsFQDN": True, "subdomain": "x", "imagePullSecrets": [{"name": "s"}]},
    ]
    for change in changes:
        talk.patch(f"{PODS}/a", {"spec": change})


@case("pod subresources", error=True)
def a_class_of_runtimes_must_be_known(talk: Talk) -> None:
    talk.service_account()
    talk.post(PODS, pod(runtimeClassName="gvisor"))
    talk.post(PODS, pod(runtimeClassName=""))
    talk.post(PODS, pod(runtimeClassName="A_b"))
    talk.post(PODS, pod(overhead={"cpu": "1"}))
    talk.post(PODS, pod(runtimeClassName="gvisor", priorityClassName="none"))
    talk.post(PODS, pod(runtimeClassName="gvisor", serviceAccountName="none"))


@case("pod subresources")
def who_applies_to_a_part_owns_all_he_says(talk: Talk) -> None:
    talk.service_account()
    amounts = {"requests": {"cpu": "100m"}, "limits": {"cpu": "200m"}}
    talk.post(PODS, pod(containers=[{**MAIN, "resources": amounts}]))
    head = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": {"x": "y"}}}
    main = {"name": "main", "image": "i", "resources": {"requests": {"cpu": "150m"}}}
    parts: dict[str, Body] = {
        "resize": {"containers": [main]},
        "ephemeralcontainers": {"ephemeralContainers": [DEBUGGER]},
    }
    for part, spec in parts.items():
        for force in ("false", "true"):
            query = {"fieldManager": "m", "force": force}
            body = {**head, "spec": {"hostname": "h", **spec}}
            talk.patch(f"{PODS}/a/{part}", body, content_type=APPLY, query=query)
    talk.get(f"{PODS}/a")


@case("pod subresources", error=True)
def a_binding_is_about_one_pod_and_one_node(talk: Talk) -> None:
    talk.service_account()
    talk.post(PODS, pod())
    talk.post(PODS, pod("gated", schedulingGates=[{"name": "example.org/g"}]))
    place, node = f"{PODS}/a/binding", {"kind": "Node", "name": "n"}
    wrong: list[Body] = [
        {"metadata": {"name": "a"}},
        {"metadata": {"name": "other"}, "target": node},
        {"target": node},
        {"metadata": {"name": "a"}, "target": {"kind": "Pod", "name": "n"}},
        {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a"}, "target": node},
        {"metadata": {"name": "a", "uid": "nope"}, "target": node},
    ]
    for body in wrong:
        talk.post(place, body)
    for name in ("none", "gated"):
        talk.post(f"{PODS}/{name}/binding", {"metadata": {"name": name}, "target": node})
    talk.post(place, {"metadata": {"name": "a", "annotations": {"x": "y"}, "labels": {"l": "m"}}, "target": node})
    talk.get(f"{PODS}/a")
    talk.post(place, {"metadata": {"name": "a"}, "target": {"name": "m"}})
    talk.get(place)
