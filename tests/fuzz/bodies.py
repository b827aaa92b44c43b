"""Objects of each kind that the server takes: what they become is up to `values`."""

from __future__ import annotations

from typing import Any

from tests.unit.apiserver.calls import definition, pod, stateful_set, thing

Body = dict[str, Any]
_LABELS = {"matchLabels": {"a": "b"}}
_TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
_ROLE_REF = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"}
_RULE = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["configmaps"]}
_CLIENT = {"url": "https://127.0.0.1:1/x"}
_HOOK = {
    "name": "a.b.c", "clientConfig": _CLIENT, "rules": [{**_RULE, "resources": ["nothing"]}], "sideEffects": "None",
    "admissionReviewVersions": ["v1"], "timeoutSeconds": 1, "failurePolicy": "Ignore",
}  # fmt: skip
_MATCHED = {"resourceRules": [_RULE]}
_RULES = [
    {"rule": "self.size < 100", "messageExpression": "self.size > 5 ? 'large' : 'small'"},
    {"rule": "!has(self.args) || self.args.all(x, x.size() < 20)"},
    {"rule": "!has(oldSelf.color) || self.color == oldSelf.color", "message": "fixed"},
]


def ruled_definition() -> Body:
    """The CustomResourceDefinition of things, with rules of CEL."""
    body = definition()
    body["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = {
        **body["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"],
        "x-kubernetes-validations": _RULES,
    }
    return body


def _spec(**spec: Any) -> Body:
    return {"spec": spec}


_BODIES: dict[str, Body] = {
    "configmaps": {"data": {"a": "b"}, "binaryData": {"c": "eA=="}},
    "secrets": {"data": {"a": "eA=="}, "type": "Opaque"},
    "services": _spec(ports=[{"port": 80, "name": "a", "targetPort": "http"}], selector={"a": "b"}),
    "endpoints": {"subsets": [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}]},
    "endpointslices": {
        "addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": [{"port": 80, "name": "a"}],
    },
    "events": {"involvedObject": {"kind": "Pod", "name": "a", "namespace": "default"}, "reason": "R", "message": "m"},
    "nodes": {}, "namespaces": {}, "serviceaccounts": {}, "pods": pod(),
    "persistentvolumeclaims": _spec(accessModes=["ReadWriteOnce"], resources={"requests": {"storage": "1Gi"}}),
    "statefulsets": stateful_set(),
    "deployments": _spec(selector=_LABELS, template=_TEMPLATE, replicas=1),
    "replicasets": _spec(selector=_LABELS, template=_TEMPLATE, replicas=1),
    "controllerrevisions": {"revision": 1, "data": {"a": 1}},
    "jobs": _spec(template={"spec": {**_TEMPLATE["spec"], "restartPolicy": "Never"}}),
    "networkpolicies": _spec(podSelector=_LABELS, ingress=[{"ports": [{"port": 80}]}]),
    "leases": _spec(holderIdentity="a", leaseDurationSeconds=15, renewTime="2020-01-01T00:00:00.000000Z"),
    "poddisruptionbudgets": _spec(minAvailable="50%", selector=_LABELS),
    "roles": {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
    "clusterroles": {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
    "rolebindings": {"roleRef": _ROLE_REF, "subjects": [{"kind": "User", "name": "u"}]},
    "clusterrolebindings": {"roleRef": _ROLE_REF, "subjects": [{"kind": "User", "name": "u"}]},
    "validatingwebhookconfigurations": {"webhooks": [_HOOK]},
    "mutatingwebhookconfigurations": {"webhooks": [{**_HOOK, "reinvocationPolicy": "IfNeeded"}]},
    "validatingadmissionpolicies": _spec(
        matchConstraints=_MATCHED, variables=[{"name": "v", "expression": "object.metadata.name"}],
        validations=[{"expression": "variables.v != 'z'", "messageExpression": "string(variables.v)"}],
        failurePolicy="Ignore",
    ),
    "validatingadmissionpolicybindings": _spec(policyName="a", validationActions=["Deny"]),
    "mutatingadmissionpolicies": _spec(
        matchConstraints=_MATCHED, reinvocationPolicy="IfNeeded", failurePolicy="Ignore",
        mutations=[
            {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{data: {'m': 'n'}}"}},
            {"patchType": "JSONPatch", "jsonPatch": {
                "expression": "[JSONPatch{op: 'add', path: '/metadata/labels', value: {'l': object.metadata.name}}]"}},
        ],
    ),
    "mutatingadmissionpolicybindings": _spec(policyName="a"),
    "customresourcedefinitions": ruled_definition(),
    "things": thing(args=["x"], parts=[{"name": "p"}], free={"y": 1}, limits={"z": 2}),
    "selfsubjectreviews": {},
    "selfsubjectaccessreviews": _spec(resourceAttributes={"verb": "get", "resource": "pods"}),
    "selfsubjectrulesreviews": _spec(namespace="default"),
    "subjectaccessreviews": _spec(user="u", resourceAttributes={"verb": "get", "resource": "pods"}),
    "localsubjectaccessreviews": _spec(user="u", resourceAttributes={"verb": "get", "resource": "pods"}),
}  # fmt: skip


def body_of(plural: str, name: str) -> Body:
    """One that is taken as it is."""
    body = _BODIES.get(plural, {})
    if plural.endswith("reviews"):
        return body
    return body if plural == "customresourcedefinitions" else {**body, "metadata": {"name": name}}
