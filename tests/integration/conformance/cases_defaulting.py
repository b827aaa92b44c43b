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


_TYPICAL = {
    "name": "web",
    "image": "registry.example.org:5000/team/web",
    "command": ["web"],
    "args": ["--port=8080"],
    "ports": [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 9090}],
    "envFrom": [{"configMapRef": {"name": "c"}}],
    "env": [
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "KEY", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k", "optional": True}}},
    ],
    "resources": {"requests": {"cpu": "0.25", "memory": "0.5Gi"}, "limits": {"memory": "1024Mi"}},
    "livenessProbe": {"grpc": {"port": 9090}, "initialDelaySeconds": 5},
    "readinessProbe": {"httpGet": {"path": "/ready", "port": "http", "httpHeaders": [{"name": "A", "value": "b"}]}},
    "lifecycle": {"postStart": {"exec": {"command": ["true"]}}, "preStop": {"sleep": {"seconds": 3}}},
    "securityContext": {"runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": False},
    "volumeMounts": [{"name": "data", "mountPath": "/data", "subPath": "x"}, {"name": "tmp", "mountPath": "/scratch"}],
}


@case("defaulting")
def typical_pods_are_filled_in(talk: Talk) -> None:
    talk.service_account()
    volumes = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "d"}},
        {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "1024Mi"}},
    ]
    terms = [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    spec = {
        "containers": [_TYPICAL],
        "initContainers": [
            {"name": "side", "image": "i:1", "restartPolicy": "Always", "resources": {"limits": {"cpu": 1}}},
            {"name": "first", "image": "i@sha256:" + "0" * 64},
        ],
        "volumes": volumes,
        "affinity": {"nodeAffinity": required},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}],
        "terminationGracePeriodSeconds": 0,
        "serviceAccount": "default",
        "securityContext": {"fsGroup": 1000},
        "dnsConfig": {"options": [{"name": "ndots", "value": "2"}]},
        "enableServiceLinks": False,
        "priorityClassName": "system-node-critical",
    }
    talk.post(PODS, pod("a", **spec), query={"dryRun": "All"})
    talk.post(PODS, pod("a", **{**spec, "terminationGracePeriodSeconds": 60}), query={"dryRun": "All"})
    talk.post(PODS, pod("b", metadata={"labels": {"a": "b"}, "annotations": {"e": "f"}}, hostname="h", subdomain="s"))
    talk.post(PODS, pod("c", schedulingGates=[{"name": "example.org/wait"}]))
    whole = {"limits": {"cpu": "1", "memory": "1Gi"}}
    talk.post(PODS, pod("d", containers=[{**_CONTAINER, "resources": {**whole, "requests": whole["limits"]}}]))
    talk.post(PODS, pod("e", containers=[{**_CONTAINER, "resources": {"limits": {"cpu": "1500u"}}}]))


@case("defaulting")
def typical_stateful_sets_are_filled_in(talk: Talk) -> None:
    claim = {
        "metadata": {"name": "data", "labels": {"x": "y"}},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "fast",
            "resources": {"requests": {"storage": "1024Mi"}},
        },
    }
    spec = template(containers=[_TYPICAL], volumes=[{"name": "tmp", "emptyDir": {}}], serviceAccountName="runner")
    full = {
        "podManagementPolicy": "Parallel",
        "updateStrategy": {"rollingUpdate": {"partition": 2}},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"},
        "minReadySeconds": 3,
        "ordinals": {"start": 1},
    }
    body = stateful_set(template=spec, volumeClaimTemplates=[claim], replicas=3, **full)
    talk.post(STATEFUL_SETS, body, query={"dryRun": "All"})
    talk.post(STATEFUL_SETS, stateful_set(updateStrategy={"type": "RollingUpdate"}), query={"dryRun": "All"})


@case("defaulting")
def services_of_every_type_are_filled_in(talk: Talk) -> None:
    port = {"port": 80, "nodePort": 32100}
    usual = {"clusterIP": "10.0.0.55"}
    talk.post(SERVICES, service("a", type="NodePort", ports=[port], **usual), query={"dryRun": "All"})
    talk.post(
        SERVICES,
        service("b", type="LoadBalancer", ports=[{"port": 80, "nodePort": 32101}], clusterIP="10.0.0.56"),
        query={"dryRun": "All"},
    )
    talk.post(SERVICES, service("c", clusterIP="10.0.0.57", externalIPs=["10.1.1.1"]), query={"dryRun": "All"})
    talk.post(SERVICES, service("d", ports=[{"port": 80, "targetPort": 0}], ipFamilyPolicy="PreferDualStack"))
    talk.post(SERVICES, service("e", selector=None, ipFamilies=["IPv6"]))
    affinity = {"clientIP": {"timeoutSeconds": 5}}
    talk.post(SERVICES, service("f", sessionAffinity="ClientIP", sessionAffinityConfig=affinity))
    talk.post(SERVICES, service("g", sessionAffinity="None", sessionAffinityConfig=affinity))
    talk.post(SERVICES, service("h", publishNotReadyAddresses=True, ports=[]))
    talk.patch(f"{SERVICES}/h", {"spec": {"type": "ExternalName", "externalName": "example.org", "clusterIP": None}})


@case("defaulting", error=True)
def services_that_cannot_be_are_refused(talk: Talk) -> None:
    wrong = (
        {"type": "NodePort"},
        {"type": "ExternalName"},
        {"type": "ExternalName", "externalName": "Bad_Name", "clusterIP": ""},
        {"ports": [{"port": 1, "name": "a"}, {"port": 1, "name": "b"}]},
        {"ports": [{"port": 1}, {"port": 2}]},
        {"ports": [{"port": 1, "name": "a"}, {"port": 2, "name": "a"}]},
        {"ports": [{"port": 1, "name": "Bad"}]},
        {"ports": [{"port": 0}]},
        {"ports": [{"port": 1, "targetPort": "not_a_name"}]},
        {"ports": [{"port": 1, "targetPort": 70000}]},
        {"ports": [{"port": 1, "nodePort": 30001}]},
        {"ports": [{"port": 1, "appProtocol": "bad protocol"}]},
        {"sessionAffinity": "Some"},
        {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 0}}},
        {"clusterIP": "nowhere"},
        {"clusterIP": "10.0.0.58", "clusterIPs": ["10.0.0.59"]},
        {"ipFamilies": ["IPv6"]},
        {"ipFamilies": ["IPv5"]},
        {"ipFamilyPolicy": "RequireDualStack"},
        {"ipFamilyPolicy": "Wild"},
        {"externalTrafficPolicy": "Local"},
        {"internalTrafficPolicy": "Wild"},
        {"trafficDistribution": "Wild"},
        {"loadBalancerClass": "x"},
        {"allocateLoadBalancerNodePorts": True},
        {"loadBalancerSourceRanges": ["10.0.0.0/8"]},
        {"selector": {"bad key": "x"}},
        {"selector": {"app": "bad value!"}},
    )
    for spec in wrong:
        talk.post(SERVICES, service(**spec))
    talk.post(SERVICES, service())
    talk.patch(f"{SERVICES}/a", {"spec": {"clusterIP": "10.0.0.60"}})
    talk.patch(f"{SERVICES}/a", {"spec": {"clusterIP": "10.0.0.60", "clusterIPs": ["10.0.0.60"]}})
    talk.patch(f"{SERVICES}/a", {"spec": {"ports": None}})
    talk.patch(f"{SERVICES}/a", {"spec": {"type": "NodePort"}})


@case("defaulting", error=True)
def containers_that_cannot_be_are_refused(talk: Talk) -> None:
    probe = {"tcpSocket": {"port": 1}}
    wrong = (
        {"image": ""},
        {"imagePullPolicy": "Sometimes"},
        {"terminationMessagePolicy": "Loud"},
        {"ports": [{"containerPort": 1, "name": "Bad_Name-too-long-for-a-port"}]},
        {"ports": [{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]},
        {"ports": [{"containerPort": 1, "protocol": "IP"}, {"hostPort": 70000}]},
        {"env": [{"name": "A=B", "value": "x"}]},
        {"env": [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
        {"env": [{"name": "A", "valueFrom": {}}]},
        {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.bogus"}}}]},
        {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a b']"}}}]},
        {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}}]},
        {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "", "key": "bad key"}}}]},
        {"volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/a", "subPath": "../x"}]},
        {"volumeMounts": [{"name": "none"}]},
        {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}},
        {"resources": {"requests": {"memory": "-1"}}},
        {"resources": {"limits": {"bogus": "1"}}},
        {"livenessProbe": {}},
        {"livenessProbe": {**probe, "successThreshold": 2}},
        {"readinessProbe": {**probe, "exec": {"command": []}, "timeoutSeconds": -1}},
        {"startupProbe": {"httpGet": {"port": 0, "scheme": "FTP"}}},
        {"lifecycle": {"preStop": {}}},
    )
    for fields in wrong:
        spec = template(containers=[{**_CONTAINER, **fields}], volumes=[{"name": "v"}])
        talk.post(DEPLOYMENTS, deployment(template=spec))


@case("defaulting", error=True)
def pods_that_cannot_be_are_refused(talk: Talk) -> None:
    wrong = (
        {"volumes": [{"name": "Bad"}, {"name": "v"}, {"name": "v"}]},
        {"volumes": [{"name": "v", "emptyDir": {}, "configMap": {"name": "c"}}]},
        {"volumes": [{"name": "v", "secret": {"defaultMode": 9999}}]},
        {"volumes": [{"name": "v", "configMap": {"name": "c", "items": [{"key": "k"}]}}]},
        {"volumes": [{"name": "v", "hostPath": {}}]},
        {"volumes": [{"name": "v", "persistentVolumeClaim": {}}]},
        {"dnsPolicy": "Wild"},
        {"nodeSelector": {"bad key": "x"}},
        {"serviceAccountName": "Bad_Name"},
        {"hostname": "bad.name"},
        {"activeDeadlineSeconds": 5},
        {"tolerations": [{"operator": "Equal"}, {"key": "a", "operator": "Wild"}, {"key": "b", "effect": "Wild"}]},
        {"tolerations": [{"key": "a", "operator": "Exists", "value": "x", "tolerationSeconds": 1}]},
        {"initContainers": [{**_CONTAINER, "livenessProbe": _PROBE}]},
        {"restartPolicy": "OnFailure"},
    )
    for spec in wrong:
        talk.post(DEPLOYMENTS, deployment(template=template(**spec)))
    for spec in ({"replicas": -1}, {"minReadySeconds": -1}, {"progressDeadlineSeconds": 1, "minReadySeconds": 2}):
        talk.post(DEPLOYMENTS, deployment(**spec))
    for rolling in ({"maxSurge": 0, "maxUnavailable": 0}, {"maxSurge": "x"}, {"maxUnavailable": "101%"}):
        talk.post(DEPLOYMENTS, deployment(strategy={"rollingUpdate": rolling}))
    talk.post(DEPLOYMENTS, deployment(strategy={"type": "Recreate", "rollingUpdate": {}}))
    expressions = [{"key": "a", "operator": "In"}, {"key": "b", "operator": "Exists", "values": ["x"]}]
    talk.post(DEPLOYMENTS, deployment(selector={"matchExpressions": [*expressions, {"key": "c", "operator": "Wild"}]}))
    talk.post(STATEFUL_SETS, stateful_set(updateStrategy={"type": "OnDelete", "rollingUpdate": {"partition": 1}}))
    talk.post(STATEFUL_SETS, stateful_set(persistentVolumeClaimRetentionPolicy={"whenScaled": "Wild"}))
    talk.post(STATEFUL_SETS, stateful_set(serviceName="Bad_Name", minReadySeconds=-1))


@case("defaulting", error=True)
def what_is_odd_but_valid_is_warned_of(talk: Talk) -> None:
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    ports = [{"containerPort": 80, "name": "a"}, {"containerPort": 80, "name": "b"}]
    main = {**_CONTAINER, "env": twice, "ports": ports, "resources": {"limits": {"memory": "1500m"}}}
    spec = {
        "containers": [main, {**_CONTAINER, "name": "side", "ports": [{"containerPort": 81, "name": "a"}]}],
        "imagePullSecrets": [{"name": "s"}, {"name": "s"}, {}],
        "topologySpreadConstraints": [{"topologyKey": "z", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}],
        "terminationGracePeriodSeconds": -1,
    }
    talk.post(DEPLOYMENTS, deployment("a.b", template=template(**spec)))
    talk.patch(f"{DEPLOYMENTS}/a.b", {"metadata": {"labels": {"x": "y"}}})
    talk.patch(f"{DEPLOYMENTS}/a.b", {"spec": {"paused": True}})
    talk.post(STATEFUL_SETS, stateful_set(template=template(**spec), revisionHistoryLimit=-1), query={"dryRun": "All"})
    talk.service_account()
    talk.post(PODS, pod(**spec), query={"dryRun": "All"})
    talk.post(SERVICES, service(externalName="example.org", trafficDistribution="PreferClose"))
    talk.post(PODS, pod("b", priorityClassName="nobody"))


@case("defaulting", error=True)
def pods_that_cannot_be_placed_are_refused(talk: Talk) -> None:
    required, preferred = (f"{how}DuringSchedulingIgnoredDuringExecution" for how in ("required", "preferred"))
    expressions = [
        {"key": "a", "operator": "In"},
        {"key": "b", "operator": "Exists", "values": ["x"]},
        {"key": "c", "operator": "Gt", "values": ["1", "2"]},
        {"key": "d", "operator": "Wild"},
        {"key": "bad key", "operator": "In", "values": ["bad value!"]},
    ]
    term = {"labelSelector": {"matchLabels": {"bad key": "x"}}, "namespaces": ["Bad"]}
    affinities = (
        {"nodeAffinity": {required: {"nodeSelectorTerms": []}}},
        {"nodeAffinity": {required: {"nodeSelectorTerms": [{"matchExpressions": expressions}]}}},
        {"nodeAffinity": {preferred: [{"weight": 0, "preference": {"matchExpressions": expressions}}]}},
        {"podAffinity": {required: [term]}},
        {"podAntiAffinity": {preferred: [{"weight": 101, "podAffinityTerm": {"topologyKey": "bad key"}}]}},
    )
    for affinity in affinities:
        talk.post(DEPLOYMENTS, deployment(template=template(affinity=affinity)))
    zone = {"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}
    spreads = (
        [{**zone, "maxSkew": 0}],
        [{**zone, "topologyKey": ""}],
        [{**zone, "whenUnsatisfiable": "Wild"}],
        [zone, zone],
        [{**zone, "minDomains": 0, "whenUnsatisfiable": "ScheduleAnyway"}],
        [{**zone, "nodeTaintsPolicy": "Wild"}],
        [{**zone, "labelSelector": {"matchExpressions": expressions[:2]}}],
    )
    for spread in spreads:
        talk.post(DEPLOYMENTS, deployment(template=template(topologySpreadConstraints=spread)))


@case("defaulting", error=True)
def pods_that_cannot_run_as_they_say_are_refused(talk: Talk) -> None:
    wrong = (
        {"securityContext": {"runAsUser": -1, "fsGroup": 2**31, "supplementalGroups": [-1]}},
        {"containers": [{**_CONTAINER, "securityContext": {"runAsGroup": -1}}]},
        {"securityContext": {"seccompProfile": {"type": "Wild"}}},
        {"securityContext": {"seccompProfile": {"type": "Localhost"}}},
        {"dnsPolicy": "None"},
        {"dnsPolicy": "None", "dnsConfig": {}},
        {"dnsConfig": {"nameservers": ["nowhere", "10.0.0.1", "10.0.0.2", "10.0.0.3"], "options": [{"value": "x"}]}},
        {"hostAliases": [{"ip": "nowhere", "hostnames": ["Bad_Name"]}]},
        {"readinessGates": [{"conditionType": "bad type"}]},
        {"containers": [{**_CONTAINER, "envFrom": [{}]}]},
        {"containers": [{**_CONTAINER, "envFrom": [{"configMapRef": {}, "secretRef": {"name": "s"}}]}]},
    )
    for spec in wrong:
        talk.post(DEPLOYMENTS, deployment(template=template(**spec)))


@case("defaulting", error=True)
def what_is_applied_is_filled_in_too(talk: Talk) -> None:
    options = {"content_type": "application/apply-patch+yaml", "query": {"fieldManager": "me"}}
    limits = {"resources": {"limits": {"cpu": 0.5, "memory": "1024Mi"}}}
    spec = template(containers=[{**_TYPICAL, **limits}], volumes=[{"name": "data"}, {"name": "scratch"}])
    body = deployment(template=spec, minReadySeconds=0)
    spec["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    talk.patch(f"{DEPLOYMENTS}/a", body, **options)
    talk.patch(f"{DEPLOYMENTS}/a", body, **options)
    limits["resources"]["limits"]["cpu"] = "much"
    talk.patch(f"{DEPLOYMENTS}/b", deployment("b", template=template(containers=[{**_TYPICAL, **limits}])), **options)
    talk.patch(f"{DEPLOYMENTS}/b", deployment("b", replicas="three"), **options)
    talk.patch(f"{DEPLOYMENTS}/b", deployment("b", template=template(containers=[])), **options)
    talk.service_account()
    talk.patch(f"{PODS}/p", pod("p", containers=[{**_CONTAINER, "resources": {"limits": {"cpu": 1}}}]), **options)
    talk.patch(f"{SERVICES}/s", service("s", ports=[{"port": 80, "protocol": "TCP"}]), **options)
    talk.patch(f"{SECRETS}/s", secret("s", stringData={"k": "v"}), **options)
    talk.patch(f"{LEASES}/l", lease("l", renewTime="2001-01-01T00:00:00.000000+01:00"), **options)


@case("defaulting")
def other_kinds_are_filled_in(talk: Talk) -> None:
    bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings"
    subjects = [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s", "namespace": "{ns}"}]
    body = {"metadata": {"name": "a"}, "roleRef": {"kind": "Role", "name": "r"}, "subjects": subjects}
    talk.post(bindings, body)
    revisions = "/apis/apps/v1/namespaces/{ns}/controllerrevisions"
    talk.post(revisions, {"metadata": {"name": "a"}, "data": {"spec": {"x": None}}, "revision": 1})
    talk.post("/api/v1/namespaces/{ns}/serviceaccounts", {"metadata": {"name": "a"}, "secrets": [{"name": "s"}]})
    about = {"kind": "Pod", "name": "p", "namespace": "{ns}"}
    talk.post("/api/v1/namespaces/{ns}/events", {"metadata": {"name": "a"}, "involvedObject": about, "count": 0})
    talk.post(SECRETS, secret("t", type="kubernetes.io/tls", data={"tls.crt": "QQ==", "tls.key": "QQ=="}))
    metadata = {"name": "n", "labels": {}, "annotations": {}, "finalizers": [], "creationTimestamp": None}
    talk.post(CONFIG_MAPS, {"metadata": metadata, "data": {"a": "b", "c": ""}, "binaryData": {}})
