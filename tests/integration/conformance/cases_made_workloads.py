"""What authors of operators write of StatefulSets, Deployments, Jobs and budgets, its mistakes and defaults."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.cases_workload_kinds import JOBS, REPLICA_SETS, replica_set
from tests.integration.conformance.harness import Body, Talk, case
from tests.integration.conformance.manifests import DEPLOYMENTS, STATEFUL_SETS, deployment, stateful_set, template

BUDGETS = "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets"
_DRY = {"dryRun": "All"}


def claim(name: str = "data", *, metadata: Body | None = None, **spec: Any) -> Body:
    usual = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": {"name": name, **(metadata or {})}, "spec": {**usual, **spec}}


def job(**spec: Any) -> Body:
    usual = {"template": template(restartPolicy="Never"), "suspend": True}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": {**usual, **spec}}


def budget(**spec: Any) -> Body:
    usual = {"selector": {"matchLabels": {"app": "a"}}}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "a"},
        "spec": {**usual, **spec},
    }


def with_container(**fields: Any) -> Body:
    return template(containers=[{"name": "main", "image": "i:1", **fields}])


def try_sets(talk: Talk, *specs: Body) -> None:
    for spec in specs:
        talk.post(STATEFUL_SETS, stateful_set(**spec), query=_DRY)


def try_templates(talk: Talk, *templates: Body) -> None:
    for each in templates:
        talk.post(DEPLOYMENTS, deployment(replicas=0, template=each), query=_DRY)


@case("create", error=True)
def templates_of_claims_are_checked(talk: Talk) -> None:
    claims = (
        claim("Data"), claim(""), claim(accessModes=[]), claim(accessModes=None), claim(accessModes=["Often"]),
        claim(accessModes=["ReadWriteOncePod", "ReadWriteOnce"]), claim(resources={}), claim(volumeMode="Tape"),
        claim(resources={"requests": {"storage": "0"}}), claim(resources={"requests": {"storage": "-1Gi"}}),
        claim(resources={"requests": {"cpu": "1"}}), claim(storageClassName="Fast_"), claim(storageClassName=""),
        claim(selector={"matchExpressions": [{"key": "a", "operator": "Maybe"}]}),
        claim(metadata={"labels": {"-": "x"}}), claim(metadata={"annotations": {"a b": "x"}}),
        claim(metadata={"labels": {"app": "a"}, "annotations": {"a": "b"}, "finalizers": ["nope"]}),
        claim(dataSource={"kind": "PersistentVolumeClaim", "name": ""}), claim(volumeName="given"),
        claim(resources={"requests": {"storage": "2Gi"}, "limits": {"storage": "1Gi"}}), {"spec": {}}, {},
    )  # fmt: skip
    try_sets(talk, *({"volumeClaimTemplates": [each]} for each in claims))


@case("create", error=True)
def templates_of_claims_have_names_of_their_own(talk: Talk) -> None:
    mount = with_container(volumeMounts=[{"name": "data", "mountPath": "/d"}])
    mount["metadata"] = {"labels": {"app": "a"}}
    volume = template(volumes=[{"name": "data", "emptyDir": {}}])
    try_sets(
        talk,
        {"volumeClaimTemplates": [claim(), claim()]},
        {"volumeClaimTemplates": [claim()], "template": mount},
        {"volumeClaimTemplates": [claim("other")], "template": mount},
        {"volumeClaimTemplates": [claim()], "template": volume},
        {"volumeClaimTemplates": [claim("a"), claim("b", accessModes=[]), claim("c", resources={})]},
        {"volumeClaimTemplates": []},
        {"volumeClaimTemplates": [{**claim(), "kind": "ConfigMap", "apiVersion": "v2"}]},
        {"volumeClaimTemplates": [{**claim(), "status": {"phase": "Bound"}}]},
    )


@case("update", error=True)
def templates_of_claims_never_change(talk: Talk) -> None:
    talk.post(STATEFUL_SETS, stateful_set(volumeClaimTemplates=[claim()]))
    path = f"{STATEFUL_SETS}/a"
    larger = claim(resources={"requests": {"storage": "2Gi"}})
    talk.patch(path, {"spec": {"volumeClaimTemplates": [larger]}})
    with talk.hush():  # a controller writes the status meanwhile
        same = talk.patch(
            path, {"spec": {"volumeClaimTemplates": [claim(resources={"requests": {"storage": "1024Mi"}})]}}
        )
        more = talk.patch(path, {"spec": {"revisionHistoryLimit": 3, "minReadySeconds": 2, "ordinals": {"start": 5}}})
    talk.note("what may change", [same.status, more.status])
    talk.patch(path, {"spec": {"volumeClaimTemplates": [claim(metadata={"labels": {"a": "b"}})]}})
    talk.patch(path, {"spec": {"volumeClaimTemplates": [claim(accessModes=[])]}})
    talk.patch(path, {"spec": {"volumeClaimTemplates": []}})
    talk.patch(path, {"spec": {"podManagementPolicy": "Parallel"}})
    talk.patch(path, {"spec": {"serviceName": "other"}})


@case("create", error=True)
def names_and_labels_of_a_stateful_set_are_checked(talk: Talk) -> None:
    for name in ("a" * 64, "a.b", "A", "-a", "1a", "a" * 250):
        talk.post(STATEFUL_SETS, stateful_set(name), query=_DRY)
    for name in ("a" * 64, "a.b"):
        talk.post(DEPLOYMENTS, deployment(name, replicas=0), query=_DRY)
        talk.post(REPLICA_SETS, {**replica_set(replicas=0), "metadata": {"name": name}}, query=_DRY)
        talk.post(JOBS, {**job(), "metadata": {"name": name}}, query=_DRY)
        talk.post(BUDGETS, {**budget(), "metadata": {"name": name}}, query=_DRY)


@case("create", error=True)
def numbers_of_a_stateful_set_are_checked(talk: Talk) -> None:
    try_sets(
        talk,
        {"revisionHistoryLimit": -1}, {"replicas": 2**31}, {"replicas": "3"}, {"minReadySeconds": 10**9},
        {"updateStrategy": {"rollingUpdate": {"partition": -2}}},
        {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1, "maxUnavailable": 2}}},
        {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "0%"}}},
        {"updateStrategy": {"type": ""}}, {"serviceName": ""}, {"serviceName": "A.b"}, {"ordinals": {"start": -1}},
        {"ordinals": {}}, {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Never"}},
        {"persistentVolumeClaimRetentionPolicy": {}},
    )  # fmt: skip


@case("create", error=True)
def selectors_of_workloads_are_checked(talk: Talk) -> None:
    selectors: tuple[Any, ...] = (
        {"matchExpressions": [{"key": "app", "operator": "In", "values": []}]},
        {"matchExpressions": [{"key": "app", "operator": "Exists", "values": ["a"]}]},
        {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["b"]}]},
        {"matchLabels": {"app": "a b"}}, {"matchLabels": {"-app": "a"}}, {}, None,
        {"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "none", "operator": "DoesNotExist"}]},
        {"matchLabels": {"app": "a", "other": "b"}}, {"matchExpressions": [{"key": "", "operator": ""}]},
    )  # fmt: skip
    for each in selectors:
        talk.post(DEPLOYMENTS, deployment(replicas=0, selector=each), query=_DRY)
        talk.post(STATEFUL_SETS, stateful_set(selector=each), query=_DRY)
        talk.post(REPLICA_SETS, replica_set(replicas=0, selector=each), query=_DRY)


@case("create", error=True)
def probes_and_hooks_are_checked(talk: Talk) -> None:
    http: Body = {"httpGet": {"port": 80}}
    probes = (
        {}, {"exec": {}}, {"exec": {"command": ["a"]}, **http}, {"httpGet": {"port": 0}},
        {"httpGet": {"port": "UPPER"}}, {"httpGet": {"port": 80, "scheme": "FTP"}},
        {"httpGet": {"port": 80, "path": "x"}}, {"tcpSocket": {"port": 70000}},
        {"httpGet": {"port": 80, "httpHeaders": [{"name": "a b", "value": "c"}]}}, {"grpc": {"port": 0}},
        {**http, "successThreshold": 2}, {**http, "periodSeconds": -1}, {**http, "timeoutSeconds": 0},
        {**http, "failureThreshold": -1}, {**http, "terminationGracePeriodSeconds": 0}, {"grpc": {"port": 9000}},
    )  # fmt: skip
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        try_templates(talk, *(with_container(**{name: each}) for each in probes))
    hooks = ({"preStop": {}}, {"preStop": {"sleep": {"seconds": 0}}}, {"postStart": {"exec": {"command": []}}},
             {"preStop": {"httpGet": {"port": 1}, "exec": {"command": ["a"]}}}, {"preStop": {"sleep": {"seconds": 5}}},
             {"stopSignal": "SIGUSR1"}, {"preStop": {"tcpSocket": {"port": "a-port-name"}}})  # fmt: skip
    try_templates(talk, *(with_container(lifecycle=each) for each in hooks))


@case("create", error=True)
def containers_of_a_template_are_checked(talk: Talk) -> None:
    fields: tuple[Body, ...] = (
        {"name": "Main"}, {"name": ""}, {"name": "a" * 64}, {"image": ""}, {"image": " i"},
        {"imagePullPolicy": "Now"}, {"terminationMessagePolicy": "Loud"}, {"workingDir": "rel"},
        {"ports": [{"containerPort": 0}]}, {"ports": [{"containerPort": 80, "name": "too-long-a-port-name"}]},
        {"ports": [{"containerPort": 80, "protocol": "tcp"}]},
        {"ports": [{"containerPort": 80, "name": "a"}, {"containerPort": 81, "name": "a"}]},
        {"ports": [{"containerPort": 80, "hostPort": 81}]}, {"restartPolicy": "Always"},
        {"stdinOnce": True, "tty": True}, {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}},
        {"resources": {"limits": {"cpu": "-1"}}}, {"resources": {"limits": {"pods": "1"}}},
        {"resources": {"limits": {"example.org/gpu": "1.5"}}}, {"resources": {"requests": {"example.org/gpu": "1"}}},
        {"resources": {"requests": {"storage": "1Gi"}}}, {"resources": {"claims": [{"name": "none"}]}},
        {"resources": {"limits": {"hugepages-2Mi": "4Mi"}}},
        {"resources": {"limits": {"memory": "100m", "ephemeral-storage": "1Gi"}}},
        {"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "Never"}]},
        {"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}]}, {"env": [{"name": ""}]},
        {"env": [{"name": "1A"}]}, {"env": [{"name": "a=b", "value": "c"}]},
        {"env": [{"name": "A", "value": "b", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
        {"env": [{"name": "A", "valueFrom": {}}]},
        {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.x"}}}]},
        {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a b']"}}}]},
        {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "", "key": ""}}}]},
        {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "A", "key": "a/b"}}}]},
        {"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.gpu"}}}]},
        {"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "2"}}}]},
        {"envFrom": [{}]}, {"envFrom": [{"secretRef": {"name": "s"}, "configMapRef": {"name": "c"}}]},
        {"envFrom": [{"prefix": "1=", "secretRef": {"name": "S"}}]}, {"command": [], "args": ["a"]},
    )  # fmt: skip
    try_templates(talk, *(with_container(**each) for each in fields))


@case("create", error=True)
def volumes_and_mounts_of_a_template_are_checked(talk: Talk) -> None:
    volumes: tuple[Body, ...] = (
        {"name": "V"}, {"name": ""}, {"emptyDir": {}, "configMap": {"name": "c"}}, {"emptyDir": {"sizeLimit": "-1"}},
        {"emptyDir": {"medium": "HugePages-"}}, {"configMap": {}}, {"configMap": {"name": "c", "defaultMode": 1000}},
        {"configMap": {"name": "c", "items": [{"key": "", "path": ""}]}}, {"secret": {}},
        {"secret": {"secretName": "s", "defaultMode": -1}},
        {"secret": {"secretName": "s", "items": [{"key": "k", "path": "../a"}]}}, {"hostPath": {"path": ""}},
        {"hostPath": {"path": "/a", "type": "Dir"}}, {"hostPath": {"path": "/a/../b"}}, {"persistentVolumeClaim": {}},
        {"persistentVolumeClaim": {"claimName": "C"}}, {"projected": {"sources": [{}]}}, {"projected": {}},
        {"projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 1}}]}},
        {"projected": {"sources": [{"secret": {"name": "s"}, "configMap": {"name": "c"}}]}},
        {"downwardAPI": {"items": [{"path": "a", "fieldRef": {"fieldPath": "spec.nodeName"}}]}},
        {"downwardAPI": {"items": [{"path": "a", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        {"downwardAPI": {"items": [{"path": "a"}]}}, {"csi": {"driver": ""}}, {"nfs": {"server": "", "path": "a"}},
        {"ephemeral": {"volumeClaimTemplate": {"spec": {}}}}, {"ephemeral": {}}, {"image": {"reference": ""}},
        {"ephemeral": {"volumeClaimTemplate": claim("")}},
    )  # fmt: skip
    try_templates(talk, *(template(volumes=[{"name": "v", **each}]) for each in volumes))
    try_templates(talk, template(volumes=[{"name": "v"}, {"name": "v"}]))
    mounts: tuple[Body, ...] = (
        {}, {"mountPath": ""}, {"name": "w"}, {"subPath": "/a"}, {"subPath": "a/../b"},
        {"subPathExpr": "a", "subPath": "b"}, {"mountPropagation": "Some"}, {"mountPropagation": "Bidirectional"},
        {"recursiveReadOnly": "Enabled"}, {"mountPath": "rel"}, {"mountPath": "/a:b"},
    )  # fmt: skip
    for each in mounts:
        made = with_container(volumeMounts=[{"name": "v", "mountPath": "/m", **each}])
        made["spec"]["volumes"] = [{"name": "v"}]
        try_templates(talk, made)
    twice = with_container(volumeMounts=[{"name": "v", "mountPath": "/m"}, {"name": "v", "mountPath": "/m"}])
    twice["spec"]["volumes"] = [{"name": "v"}]
    try_templates(talk, twice)


@case("create", error=True)
def the_rest_of_a_template_is_checked(talk: Talk) -> None:
    specs: tuple[Body, ...] = (
        {"containers": []}, {"dnsPolicy": "Some"}, {"dnsPolicy": "None"}, {"dnsConfig": {"nameservers": ["x"]}},
        {"dnsConfig": {"searches": ["a b"], "options": [{"name": ""}]}}, {"hostNetwork": True},
        {"hostUsers": False, "hostPID": True}, {"terminationGracePeriodSeconds": -5}, {"activeDeadlineSeconds": 0},
        {"serviceAccountName": "A_"}, {"nodeSelector": {"a b": "c"}}, {"nodeSelector": {"a": "b c"}},
        {"hostname": "A"}, {"hostname": "a.b"}, {"subdomain": "A"}, {"imagePullSecrets": [{"name": ""}]},
        {"imagePullSecrets": [{}]}, {"schedulerName": ""}, {"priorityClassName": "none"}, {"priority": 5},
        {"priorityClassName": "system-cluster-critical"}, {"preemptionPolicy": "Never"}, {"runtimeClassName": "none"},
        {"enableServiceLinks": None}, {"tolerations": [{"key": "", "operator": "Equal"}]},
        {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]},
        {"tolerations": [{"key": "a", "effect": "Never"}]},
        {"tolerations": [{"key": "a", "effect": "NoSchedule", "tolerationSeconds": 3}]},
        {"hostAliases": [{"ip": "x"}]}, {"hostAliases": [{"ip": "1.2.3.4", "hostnames": ["A b"]}]},
        {"readinessGates": [{"conditionType": "a b"}]},
        {"topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "", "whenUnsatisfiable": "Maybe"}]},
        {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule",
            "minDomains": 0}]},
        {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app": "a"}}, "matchLabelKeys": ["app"]}]},
        {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": ""}]}}},
        {"affinity": {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 0,
            "podAffinityTerm": {"topologyKey": "z"}}]}}},
        {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}},
        {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["x"]}]}]}}}},
        {"securityContext": {"runAsUser": -1}}, {"securityContext": {"fsGroupChangePolicy": "Some"}},
        {"securityContext": {"seccompProfile": {"type": "Localhost"}}},
        {"securityContext": {"sysctls": [{"name": "A b", "value": "c"}]}},
        {"securityContext": {"supplementalGroups": [-1]}}, {"os": {"name": "beos"}},
        {"os": {"name": "windows"}, "securityContext": {"runAsUser": 1}}, {"schedulingGates": [{"name": "a b"}]},
        {"setHostnameAsFQDN": True}, {"initContainers": [{"name": "main", "image": "i"}]},
        {"initContainers": [{"name": "i", "image": "i", "readinessProbe": {"exec": {"command": ["a"]}}}]},
        {"initContainers": [{"name": "i", "image": "i", "restartPolicy": "Always"}]},
        {"ephemeralContainers": [{"name": "e", "image": "i"}]}, {"overhead": {"cpu": "1"}},
        {"resources": {"limits": {"cpu": "1"}}}, {"nodeName": "N_"}, {"restartPolicy": ""},
        {"shareProcessNamespace": True, "hostPID": True},
    )  # fmt: skip
    try_templates(talk, *(template(**each) for each in specs))


@case("create", error=True)
def what_secures_a_container_is_checked(talk: Talk) -> None:
    contexts: tuple[Body, ...] = (
        {"runAsUser": -1}, {"privileged": True, "allowPrivilegeEscalation": False}, {"procMount": "Some"},
        {"seccompProfile": {"type": "Some"}}, {"seccompProfile": {"type": "RuntimeDefault", "localhostProfile": "a"}},
        {"appArmorProfile": {"type": "Localhost"}}, {"capabilities": {"add": ["SYS_ADMIN"], "drop": ["ALL"]}},
        {"capabilities": {"add": ["CAP_SYS_ADMIN"]}, "allowPrivilegeEscalation": False},
        {"runAsNonRoot": True, "runAsUser": 0}, {"readOnlyRootFilesystem": True, "runAsGroup": 2**40},
        {"windowsOptions": {"runAsUserName": ""}},
    )  # fmt: skip
    try_templates(talk, *(with_container(securityContext=each) for each in contexts))


@case("defaulting")
def jobs_are_filled_in(talk: Talk) -> None:
    specs: tuple[Body, ...] = (
        {}, {"completions": 3}, {"parallelism": 0}, {"completionMode": "Indexed", "completions": 2},
        {"ttlSecondsAfterFinished": 0}, {"completionMode": "Indexed", "completions": 2, "backoffLimitPerIndex": 1},
        {"managedBy": "example.org/me"},
        {"podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]}},
        {"successPolicy": {"rules": [{"succeededCount": 1}]}, "completionMode": "Indexed", "completions": 2},
    )  # fmt: skip
    for number, spec in enumerate(specs):
        talk.post(JOBS, {**job(**spec), "metadata": {"name": f"a{number}"}})


@case("create", error=True)
def more_of_a_job_is_checked(talk: Talk) -> None:
    specs: tuple[Body, ...] = (
        {"parallelism": -1}, {"completions": -1}, {"activeDeadlineSeconds": -1}, {"ttlSecondsAfterFinished": -1},
        {"podReplacementPolicy": "Never"}, {"completionMode": "Indexed"},
        {"completionMode": "Indexed", "completions": 10**6, "parallelism": 10**6}, {"backoffLimitPerIndex": 1},
        {"maxFailedIndexes": 1}, {"managedBy": "me"}, {"podFailurePolicy": {"rules": []}},
        {"successPolicy": {"rules": []}}, {"podFailurePolicy": {"rules": [{"action": "Some"}]}},
        {"selector": {"matchLabels": {"a": "b"}}},
        {"manualSelector": True, "selector": {"matchLabels": {"app": "a"}}},
        {"podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [0]}}]}},
        {"podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [3, 2]}}]}},
        {"template": template(restartPolicy="OnFailure"), "podFailurePolicy": {"rules": [{"action": "Ignore",
            "onPodConditions": [{"type": "A"}]}]}},
        {"backoffLimit": 2**31}, {"template": {"spec": {"containers": [], "restartPolicy": "Never"}}},
    )  # fmt: skip
    for spec in specs:
        talk.post(JOBS, job(**spec), query=_DRY)


@case("update", error=True)
def little_of_a_job_ever_changes(talk: Talk) -> None:
    talk.post(JOBS, job(completions=2))
    path = f"{JOBS}/a"
    for spec in (
        {"completions": 3}, {"parallelism": 2}, {"suspend": False}, {"backoffLimit": 2},
        {"completionMode": "Indexed"}, {"ttlSecondsAfterFinished": 5}, {"activeDeadlineSeconds": 100},
        {"selector": {"matchLabels": {"a": "b"}}}, {"managedBy": "example.org/me"},
        {"template": {"spec": {"nodeSelector": {"a": "b"}}}}, {"template": {"metadata": {"labels": {"more": "x"}}}},
        {"template": {"spec": {"restartPolicy": "OnFailure"}}},
    ):  # fmt: skip
        talk.patch(path, {"spec": spec}, query=_DRY)
    with talk.hush():
        talk.patch(path, {"spec": {"suspend": False}})
    for labels in (
        {"metadata": {"labels": {"more": "x"}}},
        {"spec": {"nodeSelector": {"a": "b"}}},
        {"metadata": {"annotations": {"a": "b"}}},
    ):
        talk.patch(path, {"spec": {"template": labels}}, query=_DRY)
    for status in (
        {"active": -1}, {"succeeded": 1, "failed": 1}, {"conditions": [{"type": "Complete", "status": "True"}]},
        {"conditions": [{"type": "Suspended", "status": "True"}], "ready": 0}, {"startTime": "2026-01-01T00:00:00Z"},
    ):  # fmt: skip
        talk.patch(f"{path}/status", {"status": status}, query=_DRY)


@case("create", error=True)
def budgets_are_checked(talk: Talk) -> None:
    specs: tuple[Body, ...] = (
        {}, {"minAvailable": 1, "maxUnavailable": 1}, {"minAvailable": -1}, {"minAvailable": "50"},
        {"minAvailable": "150%"}, {"maxUnavailable": "-1%"}, {"maxUnavailable": "1%"},
        {"unhealthyPodEvictionPolicy": "Some", "minAvailable": 1}, {"selector": {"matchLabels": {"a b": "c"}}},
        {"selector": None, "minAvailable": 1}, {"selector": {}, "minAvailable": 0},
    )  # fmt: skip
    for spec in specs:
        talk.post(BUDGETS, budget(**spec), query=_DRY)


@case("update")
def a_deployment_is_rolled_out_step_by_step(talk: Talk) -> None:
    talk.post(DEPLOYMENTS, deployment(replicas=0))
    path = f"{DEPLOYMENTS}/a"
    restarted = {"kubectl.kubernetes.io/restartedAt": "2026-01-02T03:04:05Z"}
    talk.patch(
        path, {"spec": {"template": {"metadata": {"annotations": restarted}}}}, content_type="strategic", query=_DRY
    )
    talk.patch(path, {"spec": {"paused": True}}, query=_DRY)
    talk.patch(path, {"spec": {"strategy": {"type": "Recreate"}}}, query=_DRY)
    talk.patch(path, {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}, query=_DRY)
    talk.patch(
        path,
        {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
        content_type="strategic",
        query=_DRY,
    )
    image = [{"name": "main", "image": "i:2"}]
    talk.patch(path, {"spec": {"template": {"spec": {"containers": image}}}}, content_type="strategic", query=_DRY)
    talk.patch(path, {"spec": {"template": {"spec": {"containers": image}}}}, query=_DRY)
    new = [{"name": "side", "image": "s:1"}]
    talk.patch(path, {"spec": {"template": {"spec": {"containers": new}}}}, content_type="strategic", query=_DRY)
    gone = [{"name": "main", "$patch": "delete"}]
    talk.patch(path, {"spec": {"template": {"spec": {"containers": gone}}}}, content_type="strategic", query=_DRY)
    talk.patch(path, {"spec": {"template": {"metadata": {"labels": {"app": "b"}}}}}, query=_DRY)
