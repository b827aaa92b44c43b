"""What is wrong with claims, pods and Jobs in templates; what is expected is what kube-apiserver 1.36.2 says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.apiserver.calls import CONFIG_MAPS, PODS, STATEFUL_SETS, Server, pod, stateful_set

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
JOBS = "/apis/batch/v1/namespaces/default/jobs"
TEMPLATE = "spec.template.spec"
CONTAINER = f"{TEMPLATE}.containers[0]"


def claim(name: str = "data", **spec: Any) -> dict[str, Any]:
    usual = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": {"name": name}, "spec": {**usual, **spec}}


def template(container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    made = {"name": "c", "image": "i", **(container or {})}
    return {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [made], **spec}}


def told(server: Server, **spec: Any) -> list[tuple[str, str]]:
    """What is wrong with a template in a Deployment."""
    body = {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template(**spec)}}
    answer = server.post(DEPLOYMENTS, body)
    return [] if answer.status == 201 else answer.causes


def job(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "j"}, "spec": {"template": template(restartPolicy="Never"), "suspend": True, **spec}}


class TestClaims:
    @pytest.mark.parametrize(
        ("wrong", "field", "why"),
        [
            (claim(accessModes=[]), "accessModes", "Required value: at least 1 access mode is required"),
            (claim(resources={}), "resources[storage]", "Required value"),
            (claim(resources={"requests": {"storage": "0"}}), "resources[storage]", "must be greater than zero"),
            (claim(volumeMode="Tape"), "volumeMode", "Unsupported value"),
            (claim(dataSource={"kind": "A", "name": "a"}), "dataSource", "must be 'PersistentVolumeClaim'"),
        ],
    )
    def test_a_set_is_told_what_is_wrong_with_its_claims(self, server: Server, wrong, field, why):
        answer = server.post(STATEFUL_SETS, stateful_set(volumeClaimTemplates=[claim("ok"), wrong]))
        assert [(place, why in message) for place, message in answer.causes] == [
            (f"spec.volumeClaimTemplates[1].spec.{field}", True)
        ]

    @pytest.mark.parametrize("name", ["", "Data"])
    def test_their_names_are_those_of_volumes(self, server: Server, name: str):
        answer = server.post(STATEFUL_SETS, stateful_set(volumeClaimTemplates=[claim(name)]))
        assert f"{TEMPLATE}.volumes[0].name" in [place for place, _ in answer.causes]

    def test_they_may_be_mounted_and_are_always_claims(self, server: Server):
        mounted = template({"volumeMounts": [{"name": "data", "mountPath": "/d"}]})
        made = {**claim(), "kind": "ConfigMap", "apiVersion": "v2"}
        body = server.created(STATEFUL_SETS, stateful_set(volumeClaimTemplates=[made], template=mounted))
        found = body["spec"]["volumeClaimTemplates"][0]
        assert (found["kind"], found["apiVersion"]) == ("PersistentVolumeClaim", "v1")


class TestPods:
    @pytest.mark.parametrize(
        ("container", "field"),
        [
            ({"resources": {"limits": {"example.org/gpu": "1.5"}}}, "resources.limits[example.org/gpu]"),
            ({"resources": {"requests": {"example.org/gpu": "1"}}}, "resources.limits"),
            ({"resources": {"limits": {"hugepages-2Mi": "4Mi"}}}, "resources"),
            ({"resources": {"claims": [{"name": "none"}]}}, "resources.claims[0]"),
            ({"envFrom": [{"prefix": "1=", "secretRef": {"name": "s"}}]}, "envFrom[0].prefix"),
            (
                {"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.gpu"}}}]},
                "env[0].valueFrom.resourceFieldRef.resource",
            ),
            (
                {"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "2"}}}]},
                "env[0].valueFrom.resourceFieldRef.divisor",
            ),
            (
                {"livenessProbe": {"httpGet": {"port": 80, "httpHeaders": [{"name": "a b"}]}}},
                "livenessProbe.httpGet.httpHeaders",
            ),
            ({"securityContext": {"privileged": True, "allowPrivilegeEscalation": False}}, "securityContext"),
            ({"securityContext": {"procMount": "Some"}}, "securityContext.procMount"),
            (
                {"securityContext": {"appArmorProfile": {"type": "Localhost"}}},
                "securityContext.appArmorProfile.localhostProfile",
            ),
        ],
    )
    def test_a_container_is_told_what_is_wrong_with_it(self, server: Server, container, field):
        assert [place for place, _ in told(server, container=container)] == [f"{CONTAINER}.{field}"]

    @pytest.mark.parametrize(
        ("volume", "field"),
        [
            ({"emptyDir": {"sizeLimit": "-1"}}, "emptyDir.sizeLimit"),
            ({"secret": {"secretName": "s", "items": [{"key": "k", "path": "../a"}]}}, "secret.items[0].path"),
            ({"hostPath": {"path": "/a", "type": "Dir"}}, "hostPath.type"),
            ({"hostPath": {"path": "/a/../b"}}, "hostPath.path"),
            (
                {"projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 1}}]}},
                "projected.sources[0].serviceAccountToken.expirationSeconds",
            ),
            ({"downwardAPI": {"items": [{"path": "a"}]}}, "downwardAPI"),
            ({"csi": {"driver": ""}}, "csi.driver"),
            ({"nfs": {"server": "", "path": "/a"}}, "nfs.server"),
            ({"ephemeral": {}}, "ephemeral.volumeClaimTemplate"),
        ],
    )
    def test_a_volume_is_told_what_is_wrong_with_it(self, server: Server, volume, field):
        assert [place for place, _ in told(server, volumes=[{"name": "v", **volume}])] == [
            f"{TEMPLATE}.volumes[0].{field}"
        ]

    @pytest.mark.parametrize(
        ("mount", "field"),
        [
            ({"subPath": "a", "subPathExpr": "b"}, "volumeMounts[0].subPathExpr"),
            ({"mountPropagation": "Bidirectional"}, "volumeMounts.mountPropagation"),
            ({"recursiveReadOnly": "Enabled"}, "volumeMounts.recursiveReadOnly"),
        ],
    )
    def test_a_mount_is_told_what_is_wrong_with_it(self, server: Server, mount, field):
        mounted = {"volumeMounts": [{"name": "v", "mountPath": "/m", **mount}]}
        assert [place for place, _ in told(server, container=mounted, volumes=[{"name": "v"}])] == [
            f"{CONTAINER}.{field}"
        ]

    @pytest.mark.parametrize(
        ("spec", "field"),
        [
            ({"hostUsers": False, "hostPID": True}, "HostPID"),
            ({"shareProcessNamespace": True, "hostPID": True}, "securityContext.shareProcessNamespace"),
            ({"os": {"name": "beos"}}, "os"),
            ({"os": {"name": "windows"}, "securityContext": {"runAsUser": 1}}, "securityContext.runAsUser"),
            ({"schedulingGates": [{"name": "a b"}]}, "schedulingGates[0]"),
            ({"dnsConfig": {"searches": ["a b"]}}, "dnsConfig.searches[0]"),
            ({"securityContext": {"sysctls": [{"name": "A b"}]}}, "securityContext.sysctls[0].name"),
        ],
    )
    def test_a_pod_is_told_what_is_wrong_with_it(self, server: Server, spec, field):
        assert [place for place, _ in told(server, **spec)] == [f"{TEMPLATE}.{field}"]

    def test_a_pod_that_waits_has_no_node_and_its_name_is_that_of_a_host(self, server: Server):
        waiting = pod(schedulingGates=[{"name": "g"}], nodeName="n")
        assert [place for place, _ in server.post(PODS, waiting).causes] == ["spec.nodeName"]
        assert "a DNS label is recommended" in server.send("POST", PODS, pod("a.b")).headers["Warning"]

    def test_what_is_no_name_of_an_image_is_not_pulled_always(self, server: Server):
        selector = {"matchLabels": {"a": "b"}}
        for image, policy in ((" i", "IfNotPresent"), ("i", "Always"), ("i:latest@sha256:" + "a" * 64, "Always")):
            spec = {"selector": selector, "template": template({"image": image})}
            body = server.post(DEPLOYMENTS, {"metadata": {"name": "d"}, "spec": spec}, dryRun="All").body
            assert body["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == policy


class TestJobs:
    @pytest.mark.parametrize(
        ("spec", "field"),
        [
            ({"podReplacementPolicy": "Never"}, "podReplacementPolicy"),
            ({"backoffLimitPerIndex": 1}, "backoffLimitPerIndex"),
            ({"managedBy": "me"}, "managedBy"),
            ({"successPolicy": {"rules": []}}, "successPolicy"),
            ({"podFailurePolicy": {"rules": [{"action": "Count"}]}}, "podFailurePolicy.rules[0]"),
        ],
    )
    def test_a_job_is_told_what_is_wrong_with_it(self, server: Server, spec, field):
        assert [place for place, _ in server.post(JOBS, job(**spec)).causes] == [f"spec.{field}"]

    def test_where_a_job_may_run_is_settled_once_it_does(self, server: Server):
        server.created(JOBS, job())
        elsewhere = {"spec": {"template": {"spec": {"nodeSelector": {"a": "b"}}}}}
        assert server.patch(f"{JOBS}/j", elsewhere, dryRun="All").status == 200
        server.patch(f"{JOBS}/j", {"spec": {"suspend": False}})
        assert [place for place, _ in server.patch(f"{JOBS}/j", elsewhere).causes] == ["spec.template"]

    def test_a_job_is_complete_once_its_success_is_settled(self, server: Server):
        server.created(JOBS, job())
        done = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
        assert [place for place, _ in server.patch(f"{JOBS}/j/status", done).causes] == [
            "status.conditions",
            "status.completionTime",
            "status.startTime",
        ]

    def test_who_counts_failures_by_index_does_not_count_them_together(self, server: Server):
        spec = {"completionMode": "Indexed", "completions": 2, "backoffLimitPerIndex": 1}
        assert server.created(JOBS, job(**spec))["spec"]["backoffLimit"] == 2**31 - 1


class TestReads:
    def test_a_bookmark_is_an_empty_object_of_its_kind(self, server: Server):
        query = {"sendInitialEvents": "true", "allowWatchBookmarks": "true", "resourceVersionMatch": "NotOlderThan"}
        found = server.watch(DEPLOYMENTS, **query).events[-1]["object"]["spec"]
        assert found == {"replicas": 0, "selector": None, "strategy": {}, "template": template_of_nothing()}


def template_of_nothing() -> dict[str, Any]:
    return {"metadata": {}, "spec": {"containers": None}}


class TestYaml:
    @pytest.mark.parametrize(
        ("mode", "told"),
        [
            ("Strict", 'strict decoding error: yaml: unmarshal errors:\n  line 2: key "a" already set in map'),
            ("Warn", ""),
        ],
    )
    def test_keys_that_come_twice_are_told_by_their_lines(self, server: Server, mode: str, told: str):
        text = b"metadata: {name: a}\ndata: {a: x, a: z}\n"
        response = server.send("POST", CONFIG_MAPS, text, "application/yaml", fieldValidation=mode)
        if told:
            assert (response.status, told in json.loads(response.body)["message"]) == (400, True)
        else:
            assert 'line 2: key \\"a\\" already set in map' in response.headers["Warning"]
