"""Which kinds of object there are, and where they live in the API."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from btcctl.metadata import TypeMeta

# With "/" and "%" the API server's own rule for names as path segments (path.IsValidPathSegmentName).
_NO_SEGMENTS = frozenset({".", ".."})


class ResourceType(msgspec.Struct, frozen=True, gc=False):
    """One kind of API object, and the collection it is served from. A key of many dicts: its hash is no Python call."""

    group: str  #: "" for the core group
    version: str
    plural: str  #: as in paths: "statefulsets"
    kind: str  #: as in manifests: "StatefulSet"
    namespaced: bool = True

    @classmethod
    def defined_by(cls, spec: Mapping[str, Any], version: str) -> ResourceType:
        """One version of what the `spec` of a CustomResourceDefinition defines."""
        names = spec["names"]
        return cls(spec["group"], version, names["plural"], names["kind"], spec["scope"] == "Namespaced")

    @property
    def api_version(self) -> str:
        """As in manifests: "apps/v1", or "v1" for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_resource(self) -> str:
        """As in the API server's messages: "statefulsets.apps", or "pods" for the core group."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def type_meta(self) -> TypeMeta:
        """What every object of it is."""
        return _type_meta(self)

    def __str__(self) -> str:
        return self.group_resource

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The path of a collection, an object or a subresource.

        Raises:
            ValueError: A cluster-scoped type got a namespace, an object of a namespaced type
                got none, or a part is no single path segment.
        """
        if namespace and not self.namespaced:
            raise ValueError(f"{self} is cluster-scoped and cannot be in namespace {namespace!r}")
        if name and self.namespaced and not namespace:
            raise ValueError(f"{self} {name!r} needs a namespace")
        parts = (namespace, name, subresource)
        try:
            joined = "/".join(parts)
        except TypeError:
            odd = next(each for each in parts if not isinstance(each, str))
            raise TypeError(f"{self}: {odd!r} cannot be part of an API path: it must be text") from None
        if joined.count("/") != 2 or "%" in joined or not _NO_SEGMENTS.isdisjoint(parts):
            wrong = next(each for each in parts if "/" in each or "%" in each or each in _NO_SEGMENTS)
            raise ValueError(f"{wrong!r} cannot be part of an API path")
        path = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        path = f"{path}/namespaces/{namespace}/{self.plural}" if namespace else f"{path}/{self.plural}"
        if name:
            path = f"{path}/{name}"
        return f"{path}/{subresource}" if subresource else path


@lru_cache(maxsize=1000)
def _type_meta(type_: ResourceType) -> TypeMeta:
    return TypeMeta(type_.api_version, type_.kind)


NAMESPACES = ResourceType("", "v1", "namespaces", "Namespace", namespaced=False)
NODES = ResourceType("", "v1", "nodes", "Node", namespaced=False)
PODS = ResourceType("", "v1", "pods", "Pod")
SERVICES = ResourceType("", "v1", "services", "Service")
ENDPOINTS = ResourceType("", "v1", "endpoints", "Endpoints")
ENDPOINT_SLICES = ResourceType("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
NETWORK_POLICIES = ResourceType("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
SECRETS = ResourceType("", "v1", "secrets", "Secret")
CONFIG_MAPS = ResourceType("", "v1", "configmaps", "ConfigMap")
PERSISTENT_VOLUME_CLAIMS = ResourceType("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
SERVICE_ACCOUNTS = ResourceType("", "v1", "serviceaccounts", "ServiceAccount")
EVENTS = ResourceType("", "v1", "events", "Event")
EVENTS_V1 = ResourceType("events.k8s.io", "v1", "events", "Event")
DEPLOYMENTS = ResourceType("apps", "v1", "deployments", "Deployment")
REPLICA_SETS = ResourceType("apps", "v1", "replicasets", "ReplicaSet")
STATEFUL_SETS = ResourceType("apps", "v1", "statefulsets", "StatefulSet")
CONTROLLER_REVISIONS = ResourceType("apps", "v1", "controllerrevisions", "ControllerRevision")
JOBS = ResourceType("batch", "v1", "jobs", "Job")
POD_DISRUPTION_BUDGETS = ResourceType("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
LEASES = ResourceType("coordination.k8s.io", "v1", "leases", "Lease")
ROLES = ResourceType("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDINGS = ResourceType("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
CLUSTER_ROLES = ResourceType("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False)
CLUSTER_ROLE_BINDINGS = ResourceType(
    "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False
)
CUSTOM_RESOURCE_DEFINITIONS = ResourceType(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
_ADMISSION = "admissionregistration.k8s.io"
MUTATING_WEBHOOK_CONFIGURATIONS = ResourceType(
    _ADMISSION, "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", namespaced=False
)
MUTATING_ADMISSION_POLICIES = ResourceType(
    _ADMISSION, "v1", "mutatingadmissionpolicies", "MutatingAdmissionPolicy", namespaced=False
)
MUTATING_ADMISSION_POLICY_BINDINGS = ResourceType(
    _ADMISSION, "v1", "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", namespaced=False
)
VALIDATING_WEBHOOK_CONFIGURATIONS = ResourceType(
    _ADMISSION, "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", namespaced=False
)
VALIDATING_ADMISSION_POLICIES = ResourceType(
    _ADMISSION, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", namespaced=False
)
VALIDATING_ADMISSION_POLICY_BINDINGS = ResourceType(
    _ADMISSION, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", namespaced=False
)
