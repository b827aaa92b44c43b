"""What a server fills in."""

from __future__ import annotations

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    LEASES,
    PODS,
    SECRETS,
    SERVICES,
    STATEFUL_SETS,
    WIDGETS,
    config_map,
    define_widgets,
    deployment,
    lease,
    pod,
    secret,
    service,
    stateful_set,
    template,
    versioned,
    widget,
)

_CONTAINER = {"name": "main", "image": "example.org/image"}
_PROBE = {"httpGet": {"port": 80}}


@case("defaulting")
def defaults_of_a_custom_resource_go_into_lists_and_maps(talk: Talk) -> None:
    part = {"type": "object", "properties": {"name": {"type": "string"}, "weight": {"type": "integer", "default": 1}}}
    define_widgets(
        talk,
        {
            "type": "object",
            "properties": {
                "color": {"type": "string", "default": "red"},
                "parts": {"type": "array", "items": part},
                "byName": {"type": "object", "additionalProperties": part},
                "whole": {**part, "default": {}},
                "absent": part,
            },
        },
    )
    talk.post(WIDGETS, widget(spec={"parts": [{"name": "x"}, {}], "byName": {"y": {}, "z": {"weight": 3}}}))
    talk.post(WIDGETS, widget("b", {}))
    talk.post(WIDGETS, {"apiVersion": "{group}/v1", "kind": "Widget", "metadata": {"name": "c"}})
    talk.patch(f"{WIDGETS}/a", {"spec": {"color": None, "whole": None, "parts": [{"weight": 2}]}})


@case("defaulting", error=True)
def null_is_absent_unless_it_is_allowed(talk: Talk) -> None:
    define_widgets(
        talk,
        {
            "type": "object",
            "required": ["needed"],
            "properties": {
                "needed": {"type": "string"},
                "filled": {"type": "string", "default": "x"},
                "open": {"type": "string", "nullable": True},
                "openFilled": {"type": "string", "nullable": True, "default": "y"},
                "plain": {"type": "string"},
            },
        },
    )
    nothing = {"filled": None, "open": None, "openFilled": None, "plain": None}
    talk.post(WIDGETS, widget(spec={"needed": "n", **nothing}))
    talk.post(WIDGETS, widget("b", {"needed": None}))
    talk.post(WIDGETS, widget("c", {}))


@case("defaulting")
def a_bare_stateful_set_is_filled_in(talk: Talk) -> None:
    talk.post(STATEFUL_SETS, stateful_set(), query={"dryRun": "All"})
    talk.post(STATEFUL_SETS, stateful_set(replicas=None), query={"dryRun": "All"})
    on_delete = stateful_set(updateStrategy={"type": "OnDelete"}, persistentVolumeClaimRetentionPolicy={})
    talk.post(STATEFUL_SETS, on_delete, query={"dryRun": "All"})
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    talk.post(STATEFUL_SETS, stateful_set(volumeClaimTemplates=[claim]), query={"dryRun": "All"})


@case("defaulting")
def a_bare_deployment_is_filled_in(talk: Talk) -> None:
    talk.post(DEPLOYMENTS, deployment())
    talk.post(DEPLOYMENTS, deployment("b", strategy={"type": "Recreate"}))
    talk.post(DEPLOYMENTS, deployment("c", strategy={"rollingUpdate": {"maxSurge": 1}}))


@case("defaulting")
def containers_probes_ports_and_volumes_are_filled_in(talk: Talk) -> None:
    container = {
        **_CONTAINER,
        "ports": [{"containerPort": 80}],
        "readinessProbe": _PROBE,
        "livenessProbe": {"tcpSocket": {"port": "web"}, "periodSeconds": 3},
        "startupProbe": {"exec": {"command": ["true"]}, "failureThreshold": 9},
        "env": [
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            {"name": "C"},
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": 1}},
        "lifecycle": {"preStop": {"httpGet": {"port": 80}}},
    }
    volumes = [
        {"name": "a", "secret": {"secretName": "s"}},
        {"name": "b", "configMap": {"name": "c"}},
        {"name": "c", "emptyDir": {}},
        {"name": "d"},
        {"name": "e", "hostPath": {"path": "/data"}},
        {"name": "f", "downwardAPI": {"items": [{"path": "n", "fieldRef": {"fieldPath": "metadata.name"}}]}},
        {"name": "g", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
    ]
    spec = template(containers=[container], initContainers=[_CONTAINER | {"name": "first"}], volumes=volumes)
    talk.post(DEPLOYMENTS, deployment(template=spec))


@case("defaulting")
def a_bare_pod_is_filled_in(talk: Talk) -> None:
    talk.service_account()
    talk.post(PODS, pod())
    talk.post(PODS, pod("b", containers=[_CONTAINER], restartPolicy="Never"))
    resources = {"requests": {"cpu": "1"}, "limits": {"cpu": "1", "memory": "1Gi"}}
    talk.post(PODS, pod("c", containers=[{**_CONTAINER, "resources": resources}]))
    talk.post(PODS, pod("d", containers=[{**_CONTAINER, "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}]))
    tolerations = [{"operator": "Exists"}]
    talk.post(
        PODS,
        pod(
            "e", tolerations=tolerations, hostNetwork=True, containers=[{**_CONTAINER, "ports": [{"containerPort": 1}]}]
        ),
    )


@case("defaulting")
def services_secrets_and_leases_are_filled_in(talk: Talk) -> None:
    talk.post(SERVICES, service())
    talk.post(SERVICES, service("b", ports=[{"port": 1, "targetPort": "web", "protocol": "UDP"}], selector=None))
    external = {"type": "ExternalName", "externalName": "example.org", "clusterIP": "", "ports": [], "selector": None}
    talk.post(SERVICES, service("c", **external))
    talk.post(SERVICES, service("d", ports=[]))
    talk.post(SECRETS, secret(stringData={"k": "v", "l": "w"}, data={"k": "AAAA", "m": ""}))
    talk.post(SECRETS, secret("b", type="example.org/x"))
    talk.post(LEASES, lease())
    talk.post(LEASES, {"metadata": {"name": "b"}})
    talk.post(CONFIG_MAPS, config_map(data={}))
    talk.post(CONFIG_MAPS, {**config_map("b"), "binaryData": {"k": "AAAA"}, "immutable": False})


@case("defaulting")
def defaults_come_back_with_an_update(talk: Talk) -> None:
    define_widgets(talk, {"type": "object", "properties": {"color": {"type": "string", "default": "red"}}})
    created = talk.post(WIDGETS, widget(spec={"color": "blue"})).body
    talk.put(f"{WIDGETS}/a", versioned(widget(spec={}), created))
    talk.post(DEPLOYMENTS, deployment(replicas=3))
    talk.put(f"{DEPLOYMENTS}/a", deployment())
    talk.post(SERVICES, service(sessionAffinity="ClientIP"))
    talk.put(f"{SERVICES}/a", service())


@case("defaulting", error=True)
def what_no_default_can_mend_is_refused(talk: Talk) -> None:
    talk.service_account()
    talk.post(PODS, {"metadata": {"name": "a"}})
    talk.post(PODS, pod(containers=[{"name": "Main"}]))
    talk.post(PODS, pod(containers=[_CONTAINER, _CONTAINER]))
    talk.post(PODS, pod(restartPolicy="Sometimes"))
    talk.post(PODS, pod(containers=[{**_CONTAINER, "ports": [{"containerPort": 99999}]}]))
    talk.post(PODS, pod(containers=[{**_CONTAINER, "env": [{"value": "x"}]}]))
    talk.post(PODS, pod(containers=[{**_CONTAINER, "volumeMounts": [{"name": "none", "mountPath": "/x"}]}]))
    talk.post(STATEFUL_SETS, {"metadata": {"name": "a"}})
    talk.post(STATEFUL_SETS, stateful_set(replicas=-1))
    talk.post(STATEFUL_SETS, stateful_set(selector={"matchLabels": {"x": "y"}}))
    talk.post(STATEFUL_SETS, stateful_set(podManagementPolicy="Wild"))
    talk.post(STATEFUL_SETS, stateful_set(updateStrategy={"type": "Wild"}))
    talk.post(STATEFUL_SETS, stateful_set(template=template(restartPolicy="Never")))
    talk.post(DEPLOYMENTS, {"metadata": {"name": "a"}})
    talk.post(DEPLOYMENTS, deployment(selector={}))
    talk.post(DEPLOYMENTS, deployment(strategy={"type": "Wild"}))
    talk.post(SERVICES, service(clusterIP=None, ports=[]))
    talk.post(SERVICES, service(type="Wild"))
    talk.post(SERVICES, service(ports=[{"port": 1, "protocol": "IP"}]))
    talk.post(SECRETS, secret(data={"bad key": ""}))
    talk.post(LEASES, lease(leaseDurationSeconds=0))
