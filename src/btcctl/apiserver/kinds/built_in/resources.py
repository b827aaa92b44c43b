"""Which kinds are built in, and how they are served.

Names, short names and subresources as kube-apiserver 1.36.2's discovery lists them.
"""

from __future__ import annotations

from btcctl import resources
from btcctl.apiserver.kinds.built_in.kind import BuiltInKind
from btcctl.apiserver.served.kind import ScalePaths
from btcctl.apiserver.served.registry import ALL_VERBS, Served
from btcctl.resources import ResourceType

_REPLICAS = ScalePaths(".spec.replicas", ".status.replicas", ".spec.selector")
_POD_SUBRESOURCES = (
    "attach",
    "binding",
    "ephemeralcontainers",
    "eviction",
    "exec",
    "log",
    "portforward",
    "resize",
    "status",
)
_NAMESPACE_VERBS = tuple(verb for verb in ALL_VERBS if verb != "deletecollection")

# Kinds of which there is never one: clients that go through all they know, as `kubectl apply --prune` does, find them
# empty, and whoever wants to make one is refused.
_READ_ONLY = ("get", "list", "watch")
_NEVER = (
    (ResourceType("", "v1", "persistentvolumes", "PersistentVolume", namespaced=False), "pv"),
    (ResourceType("", "v1", "replicationcontrollers", "ReplicationController"), "rc"),
    (ResourceType("apps", "v1", "daemonsets", "DaemonSet"), "ds"),
    (ResourceType("batch", "v1", "cronjobs", "CronJob"), "cj"),
    (ResourceType("networking.k8s.io", "v1", "ingresses", "Ingress"), "ing"),
)

_NO_ENDPOINTS = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
_AUTHORIZATION = "authorization.k8s.io"
_REVIEWS = (
    ResourceType(_AUTHORIZATION, "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview"),
    ResourceType(_AUTHORIZATION, "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False),
    ResourceType(_AUTHORIZATION, "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", namespaced=False),
    ResourceType(_AUTHORIZATION, "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False),
    ResourceType("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False),
)
SUBJECT_REVIEWS = ResourceType(
    "authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False
)


def _served(
    type_: ResourceType,
    *short_names: str,
    categories: tuple[str, ...] = (),
    subresources: tuple[str, ...] = (),
    verbs: tuple[str, ...] = ALL_VERBS,
    scale: ScalePaths | None = None,
    stored_as: ResourceType | None = None,
    deprecation: str = "",
) -> Served:
    return Served(
        type_,
        type_.kind.lower(),
        f"{type_.kind}List",
        BuiltInKind(type_, stored_as or type_, "status" in subresources, scale),
        short_names,
        categories,
        verbs,
        subresources,
        stored_as=stored_as,
        deprecation=deprecation,
    )


BUILT_INS = (
    _served(resources.CONFIG_MAPS, "cm"),
    _served(resources.EVENTS, "ev"),
    _served(resources.NAMESPACES, "ns", subresources=("finalize", "status"), verbs=_NAMESPACE_VERBS),
    _served(resources.NODES, "no", subresources=("status",)),
    _served(resources.PERSISTENT_VOLUME_CLAIMS, "pvc", subresources=("status",)),
    _served(resources.PODS, "po", categories=("all",), subresources=_POD_SUBRESOURCES),
    _served(resources.SECRETS),
    _served(resources.SERVICE_ACCOUNTS, "sa", subresources=("token",)),
    _served(resources.SERVICES, "svc", categories=("all",), subresources=("status",)),
    _served(resources.ENDPOINTS, "ep", deprecation=_NO_ENDPOINTS),
    _served(resources.CONTROLLER_REVISIONS),
    _served(resources.REPLICA_SETS, "rs", categories=("all",), subresources=("scale", "status"), scale=_REPLICAS),
    _served(resources.DEPLOYMENTS, "deploy", categories=("all",), subresources=("scale", "status"), scale=_REPLICAS),
    _served(resources.STATEFUL_SETS, "sts", categories=("all",), subresources=("scale", "status"), scale=_REPLICAS),
    _served(resources.JOBS, categories=("all",), subresources=("status",)),
    _served(resources.ENDPOINT_SLICES),
    _served(resources.NETWORK_POLICIES, "netpol"),
    *(_served(each, name, verbs=_READ_ONLY) for each, name in _NEVER),
    _served(SUBJECT_REVIEWS, verbs=("create",)),
    *(_served(each, verbs=("create",)) for each in _REVIEWS),
    _served(resources.LEASES),
    _served(resources.EVENTS_V1, "ev", stored_as=resources.EVENTS),
    _served(resources.POD_DISRUPTION_BUDGETS, "pdb", subresources=("status",)),
    _served(resources.CLUSTER_ROLE_BINDINGS),
    _served(resources.CLUSTER_ROLES),
    _served(resources.ROLE_BINDINGS),
    _served(resources.ROLES),
    _served(resources.MUTATING_WEBHOOK_CONFIGURATIONS, categories=("api-extensions",)),
    _served(resources.VALIDATING_WEBHOOK_CONFIGURATIONS, categories=("api-extensions",)),
    _served(resources.MUTATING_ADMISSION_POLICIES, categories=("api-extensions",)),
    _served(resources.MUTATING_ADMISSION_POLICY_BINDINGS, categories=("api-extensions",)),
    _served(resources.VALIDATING_ADMISSION_POLICIES, categories=("api-extensions",), subresources=("status",)),
    _served(resources.VALIDATING_ADMISSION_POLICY_BINDINGS, categories=("api-extensions",)),
    _served(
        resources.CUSTOM_RESOURCE_DEFINITIONS,
        "crd",
        "crds",
        categories=("api-extensions",),
        subresources=("status",),
    ),
)
