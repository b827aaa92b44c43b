"""The rules of pods and of the templates they are made from."""

import pytest

from btcctl.apiserver.kinds.pods.pods import quality_of
from tests.unit.apiserver.calls import PODS, pod, stateful_set

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
ALL = {"cpu": "1", "memory": "1Gi"}


def resources(requests=None, limits=None):
    return {"resources": {"requests": requests or {}, "limits": limits or {}}}


@pytest.mark.parametrize(
    ("containers", "quality"),
    [
        ([{}], "BestEffort"),
        ([resources(ALL, ALL)], "Guaranteed"),
        ([resources(ALL, ALL), {}], "Burstable"),
        ([resources({"cpu": "1"}, ALL)], "Burstable"),
        ([resources({"cpu": "1000m", "memory": "1024Mi"}, ALL)], "Guaranteed"),
        ([resources(None, {"cpu": "1"})], "Burstable"),
    ],
)
def test_the_quality_of_a_pod_comes_from_its_requests_and_limits(containers, quality):
    assert quality_of({"containers": containers}) == quality


def deployment(container=None, **spec):
    body = stateful_set("d")
    del body["spec"]["serviceName"]
    template = body["spec"]["template"]["spec"]
    template["containers"][0].update(container or {})
    template.update(spec)
    return body


@pytest.mark.parametrize(
    ("container", "field"),
    [
        ({"imagePullPolicy": "Sometimes"}, "imagePullPolicy"),
        ({"ports": [{"containerPort": 1, "name": "Bad"}]}, "ports[0].name"),
        ({"ports": [{"hostPort": 70000}]}, "ports[0].containerPort"),
        ({"env": [{"name": "A", "valueFrom": {}}]}, "env[0].valueFrom"),
        (
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]},
            "env[0].valueFrom.fieldRef.fieldPath",
        ),
        ({"volumeMounts": [{"name": "none", "mountPath": "/x"}]}, "volumeMounts[0].name"),
        ({"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}, "resources.requests"),
        ({"livenessProbe": {}}, "livenessProbe"),
        ({"envFrom": [{}]}, "envFrom"),
        ({"readinessProbe": {"exec": {}}}, "readinessProbe.exec.command"),
        ({"lifecycle": {"preStop": {"sleep": {"seconds": 31}}}}, "lifecycle.preStop.sleep"),
    ],
)
def test_a_container_that_cannot_run_is_refused(server, container, field):
    causes = dict(server.post(DEPLOYMENTS, deployment(container)).causes)
    assert f"spec.template.spec.containers[0].{field}" in causes


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"volumes": [{"name": "v", "secret": {}}]}, "volumes[0].secret.secretName"),
        ({"volumes": [{"name": "v"}, {"name": "v"}]}, "volumes[1].name"),
        ({"dnsPolicy": "Wild"}, "dnsPolicy"),
        ({"dnsPolicy": "None"}, "dnsConfig"),
        ({"dnsConfig": {"nameservers": ["x"]}}, "dnsConfig.nameservers[0]"),
        ({"hostAliases": [{"ip": "x"}]}, "hostAliases[0].ip"),
        ({"securityContext": {"runAsUser": -1}}, "securityContext.runAsUser"),
        ({"securityContext": {"seccompProfile": {}}}, "securityContext.seccompProfile.type"),
        ({"topologySpreadConstraints": [{"maxSkew": 1}]}, "topologySpreadConstraints[0].topologyKey"),
        (
            {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}}},
            "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey",
        ),
        (
            {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}},
            "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
        ),
        ({"tolerations": [{"operator": "Equal"}]}, "tolerations[0].operator"),
        ({"nodeSelector": {"a b": "c"}}, "nodeSelector"),
        ({"initContainers": [{"name": "f", "image": "i", "livenessProbe": {}}]}, "initContainers[0].livenessProbe"),
    ],
)
def test_a_pod_that_cannot_be_is_refused(server, spec, field):
    assert f"spec.template.spec.{field}" in dict(server.post(DEPLOYMENTS, deployment(**spec)).causes)


def test_a_selector_that_cannot_be_read_is_told_as_a_whole(server):
    body = deployment()
    body["spec"]["selector"] = {"matchExpressions": [{"key": "a", "operator": "Wild"}]}
    causes = dict(server.post(DEPLOYMENTS, body).causes)
    assert causes["spec.selector"].endswith("invalid label selector")


def test_a_class_of_priority_that_nobody_made_is_forbidden(server):
    answer = server.post(PODS, pod(priorityClassName="nobody"))
    assert (answer.status, answer.message) == (
        403,
        'pods "p" is forbidden: no PriorityClass with name nobody was found',
    )
    spec = server.created(PODS, pod(priorityClassName="system-node-critical"))["spec"]
    assert spec["priority"] == 2000001000


def test_what_has_ended_in_a_pod_that_is_not_started_again_stays_so(server):
    server.created(PODS, pod(restartPolicy="Never"))
    ended = {"name": "c", "state": {"terminated": {"exitCode": 0}}}
    server.patch(f"{PODS}/p/status", {"status": {"containerStatuses": [ended]}})
    again = {"status": {"containerStatuses": [{"name": "c", "state": {"running": {}}}]}}
    answer = server.patch(f"{PODS}/p/status", again)
    assert [field for field, _ in answer.causes] == ["status.containerStatuses[0].state"]


def test_a_status_may_change_labels_but_not_the_spec(server):
    server.created(PODS, pod())
    change = {"metadata": {"labels": {"x": "y"}}, "spec": {"nodeName": "n"}}
    body = server.patch(f"{PODS}/p/status", change).body
    assert (body["metadata"]["labels"], "nodeName" in body["spec"]) == ({"x": "y"}, False)


def test_what_is_odd_is_warned_of_when_the_template_changes(server):
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    created = server.post(DEPLOYMENTS, deployment({"env": twice}))
    assert "hides previous definition" in created.headers["Warning"]
    assert "Warning" not in server.patch(f"{DEPLOYMENTS}/d", {"metadata": {"labels": {"x": "y"}}}).headers


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"runtimeClassName": "gvisor"}, 'pod rejected: RuntimeClass "gvisor" not found'),
        (
            {"overhead": {"cpu": "1"}},
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
        ),
    ],
)
def test_a_pod_of_a_class_of_runtimes_is_refused_since_there_is_none(server, spec, why):
    answer = server.post(PODS, pod(**spec))
    assert (answer.status, answer.message) == (403, f'pods "p" is forbidden: {why}')
