"""Paths and bodies that the cases send."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Talk

CONFIG_MAPS = "/api/v1/namespaces/{ns}/configmaps"
SECRETS = "/api/v1/namespaces/{ns}/secrets"
PODS = "/api/v1/namespaces/{ns}/pods"
SERVICES = "/api/v1/namespaces/{ns}/services"
STATEFUL_SETS = "/apis/apps/v1/namespaces/{ns}/statefulsets"
DEPLOYMENTS = "/apis/apps/v1/namespaces/{ns}/deployments"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases"
ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles"
WIDGETS = "/apis/{group}/v1/namespaces/{ns}/widgets"
FINALIZER = "conformance.example.org/hold"

SIZED = {"type": "object", "properties": {"size": {"type": "integer", "minimum": 0, "maximum": 10}}}


#: Everything that happens to what `define_widgets` defines, for policies and webhooks.
WIDGETS_RULE: dict[str, list[str]] = {
    "operations": ["*"],
    "apiGroups": ["{group}"],
    "apiVersions": ["v1"],
    "resources": ["widgets", "widgets/status"],
}


def define_widgets(talk: Talk, spec: dict[str, Any] | None = None, *, status: bool = True, scale: bool = False) -> None:
    """Serve widgets in the case's own group.

    Args:
        spec: The schema of their spec; sized things if None.
    """
    counts = {"type": "object", "properties": {"ready": {"type": "integer"}, "selector": {"type": "string"}}}
    subresources: dict[str, Any] = {"status": {}} if status else {}
    if scale:
        paths = {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.ready"}
        subresources["scale"] = {**paths, "labelSelectorPath": ".status.selector"}
    properties = {"spec": SIZED if spec is None else spec, "status": counts}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": subresources,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
    }
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    talk.define({"group": talk.group, "scope": "Namespaced", "names": names, "versions": [version]})


def config_map(name: str = "a", data: dict[str, str] | None = None, **metadata: Any) -> dict[str, Any]:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}
    return body if data is None else {**body, "data": data}


def widget(name: str = "a", spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    head = {"apiVersion": "{group}/v1", "kind": "Widget", "metadata": {"name": name, **metadata}}
    return {**head, "spec": {"size": 1} if spec is None else spec}


def pod(name: str = "a", *, metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A pod that mounts no token: the name of that volume is random."""
    head = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **(metadata or {})}}
    containers = [{"name": "main", "image": "example.org/image:1"}]
    return {**head, "spec": {"automountServiceAccountToken": False, "containers": containers, **spec}}


def template(**spec: Any) -> dict[str, Any]:
    containers = [{"name": "main", "image": "example.org/image:1"}]
    return {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": containers, **spec}}


def stateful_set(name: str = "a", *, metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A StatefulSet without replicas, so that no controller makes pods."""
    head = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name, **(metadata or {})}}
    selector = {"matchLabels": {"app": "a"}}
    usual = {"replicas": 0, "serviceName": "a", "selector": selector, "template": template()}
    return {**head, "spec": {**usual, **spec}}


def deployment(name: str = "a", *, metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    head = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, **(metadata or {})}}
    return {**head, "spec": {"selector": {"matchLabels": {"app": "a"}}, "template": template(), **spec}}


def service(name: str = "a", *, metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A headless service: other addresses differ from server to server."""
    head = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, **(metadata or {})}}
    return {**head, "spec": {"clusterIP": "None", "selector": {"app": "a"}, "ports": [{"port": 80}], **spec}}


def secret(name: str = "a", **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, **fields}


def lease(name: str = "a", **spec: Any) -> dict[str, Any]:
    head = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}}
    return {**head, "spec": {"holderIdentity": "me", "leaseDurationSeconds": 10, **spec}}


def owner(body: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An ownerReference to an object as a server answered it."""
    metadata = body["metadata"]
    head = {"apiVersion": body["apiVersion"], "kind": body["kind"]}
    return {**head, "name": metadata["name"], "uid": metadata["uid"], **more}


def versioned(body: dict[str, Any], answered: dict[str, Any]) -> dict[str, Any]:
    """The body, with the resourceVersion of an answer."""
    version = answered["metadata"]["resourceVersion"]
    return {**body, "metadata": {**body["metadata"], "resourceVersion": version}}
