"""What each kind adds to the rules that hold for all: defaults, checks, what an update keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from btcctl.apiserver.apiextensions import crds
from btcctl.apiserver.apiextensions.crds import (
    check_definition,
    check_update,
    default_definition,
    keep_definition,
    prepare_definition,
)
from btcctl.apiserver.kinds import (
    budgets,
    claims,
    core_kinds,
    events,
    rbac,
    secrets,
    services,
    warnings,
    workloads,
)
from btcctl.apiserver.kinds.admission import policies, webhooks
from btcctl.apiserver.kinds.batch import jobs
from btcctl.apiserver.kinds.batch.job_status import check_job_status
from btcctl.apiserver.kinds.metadata import MetadataRules, finalizer_warnings
from btcctl.apiserver.kinds.networks import endpoints, network_policies
from btcctl.apiserver.kinds.pods import debugging, pod_updates, pods, resizing
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.names import label_name, path_name
from btcctl.apiserver.served.registry import Served
from btcctl.apiserver.storage.collection import Body


def nothing(_: dict[str, Any]) -> None:
    """What most kinds do."""


def _no_complaint(_: Body) -> list[Cause]:
    return []


def _no_remark(_new: Body, _old: Body | None) -> list[str]:
    return []


def _anything_goes(_new: Body, _old: Body) -> list[Cause]:
    return []


_USUAL = MetadataRules()
_FREE = MetadataRules(finalizers_need_domain=False)
_ANEW = MetadataRules(is_checked_anew=True)


@dataclass(frozen=True, slots=True)
class Part:
    """What a subresource writes of an object, if that is neither its status nor all of it.

    Attributes:
        spec: The spec that comes of what was sent and the object before.
        check: What is wrong with the step to it.
    """

    spec: Callable[[Body, Body], dict[str, Any]]
    check: Callable[[Body, Body], list[Cause]]


@dataclass(frozen=True, slots=True)
class Strategy:
    """The rules of one kind, beyond its type's defaults.

    Attributes:
        metadata: How it looks at metadata.
        prepare: Makes, in place, an object the client sent a new one; without a status.
        complete: Fills in, in place, what a new state is given by others than the client.
        finish: Takes away, in place, what nobody is shown, once it is written down who set what.
        keep: Puts back, in place, into a new body what an update may not touch.
        keep_status: The same for a write of the status.
        check: What is wrong with a new state.
        check_new: What is wrong with a new object besides.
        check_admitted: Raises StatusError if admission refuses a new object; before the others.
        check_update: What is wrong with the step from the old state to the new.
        check_status: The same for a write of the status.
        remarks: What to warn of in a new state that is valid; given the old one if there is one.
        has_generation: Whether `metadata.generation` counts changes of the spec.
        needs_version: Whether a PUT must name a resourceVersion.
        creates_on_update: Whether a PUT of a missing object creates it.
        counts_annotations: Whether `metadata.generation` counts changes of the annotations, too.
        takes_status: Whether a new object may bring its status along.
        kept_by_status: What of the metadata a write to the status leaves alone; None for all.
        parts: Other subresources that are the object itself.
        has_status_table: Whether its status subresource can be had as a Table.
        orphans: What to warn of where a deletion does not say what becomes of the dependents: they stay. "": they go.
    """

    metadata: MetadataRules = _USUAL
    prepare: Callable[[dict[str, Any]], None] = nothing
    complete: Callable[[dict[str, Any]], None] = nothing
    finish: Callable[[dict[str, Any]], None] = nothing
    keep: Callable[[dict[str, Any], Body], None] = lambda _new, _old: None
    keep_status: Callable[[dict[str, Any], Body], None] = lambda _new, _old: None
    check: Callable[[Body], list[Cause]] = _no_complaint
    check_update: Callable[[Body, Body], list[Cause]] = _anything_goes
    check_status: Callable[[Body, Body], list[Cause]] = _anything_goes
    remarks: Callable[[Body, Body | None], list[str]] = _no_remark
    has_generation: bool = False
    needs_version: bool = False
    creates_on_update: bool = False
    takes_status: bool = False
    counts_annotations: bool = False
    check_new: Callable[[Body], list[Cause]] = _no_complaint
    check_admitted: Callable[[Body], None] = lambda _: None
    kept_by_status: frozenset[str] | None = frozenset()
    parts: Mapping[str, Part] = field(default_factory=dict)
    has_status_table: bool = True
    orphans: str = ""


_DEFINED = Strategy(
    _FREE,
    kept_by_status=None,
    has_generation=True,
    needs_version=True,
    remarks=lambda new, old: finalizer_warnings(new["metadata"], {} if old is None else old["metadata"]),
)
_PLAIN = Strategy()
_RBAC = MetadataRules(path_name, is_checked_anew=True)
_WEBHOOKS = Strategy(_ANEW, check=webhooks.check_configuration, has_generation=True, needs_version=True)

_STRATEGIES: Mapping[tuple[str, str], Strategy] = {
    ("", "namespaces"): Strategy(
        MetadataRules(label_name, is_checked_anew=True),
        prepare=core_kinds.prepare_namespace,
        keep=core_kinds.keep_namespace,
        check_status=core_kinds.check_namespace_status,
    ),
    ("", "nodes"): Strategy(_ANEW, takes_status=True),
    ("", "serviceaccounts"): Strategy(_ANEW),
    ("", "pods"): Strategy(
        _ANEW,
        prepare=pods.prepare_pod,
        complete=pods.admit_pod,
        finish=pods.finish_pod,
        check=pods.check_pod,
        check_new=debugging.check_new_pod,
        check_admitted=pods.check_classes,
        check_update=pod_updates.check_pod_update,
        check_status=pods.check_pod_status,
        remarks=warnings.of_pod,
        keep_status=pods.keep_pod_status,
        parts={
            "ephemeralcontainers": Part(debugging.with_debuggers, debugging.check_debuggers_update),
            "resize": Part(resizing.resized, resizing.check_resize),
        },
        kept_by_status=frozenset({"ownerReferences", "deletionTimestamp"}),
        has_generation=True,
    ),
    ("", "persistentvolumeclaims"): Strategy(
        _ANEW,
        prepare=claims.prepare_claim,
        finish=claims.finish_claim,
        check=claims.check_claim,
        remarks=claims.claim_remarks,
        check_update=claims.check_claim_update,
    ),
    ("", "services"): Strategy(
        MetadataRules(label_name),
        complete=services.complete_service,
        finish=services.finish_service,
        keep=services.keep_service,
        check=services.check_service,
        remarks=warnings.of_service,
        check_update=services.check_service_update,
        creates_on_update=True,
    ),
    ("", "secrets"): Strategy(
        _ANEW,
        complete=core_kinds.complete_secret,
        remarks=secrets.remarks,
        check=core_kinds.check_secret,
        check_update=core_kinds.check_secret_update,
    ),
    ("", "configmaps"): Strategy(
        _ANEW, check=core_kinds.check_config_map, check_update=core_kinds.check_config_map_update
    ),
    ("", "events"): Strategy(MetadataRules(is_checked=False), check=events.check_core, creates_on_update=True),
    ("events.k8s.io", "events"): Strategy(
        check=events.check_new,
        check_new=events.check_create,
        check_update=events.check_update,
        creates_on_update=True,
    ),
    ("apps", "statefulsets"): Strategy(
        MetadataRules(label_name),
        complete=workloads.complete_stateful_set,
        finish=workloads.finish_workload,
        check=workloads.check_stateful_set,
        check_new=workloads.check_new_stateful_set,
        remarks=warnings.of_stateful_set,
        check_update=workloads.check_stateful_set_update,
        check_status=workloads.check_status,
        has_generation=True,
    ),
    ("apps", "deployments"): Strategy(
        kept_by_status=frozenset({"labels"}),
        counts_annotations=True,
        finish=workloads.finish_workload,
        check=workloads.check_deployment,
        remarks=warnings.of_workload,
        check_update=workloads.check_deployment_update,
        check_status=workloads.check_status,
        has_generation=True,
    ),
    ("apps", "replicasets"): Strategy(
        finish=workloads.finish_workload,
        check=workloads.check_replica_set,
        remarks=warnings.of_workload,
        check_update=workloads.check_deployment_update,
        check_status=workloads.check_status,
        has_generation=True,
    ),
    ("batch", "jobs"): Strategy(
        _ANEW,
        complete=jobs.complete_job,
        finish=jobs.finish_job,
        check=jobs.check_job,
        check_update=jobs.check_job_update,
        check_status=check_job_status,
        remarks=warnings.of_workload,
        has_generation=True,
        orphans=jobs.PODS_STAY,
    ),
    ("", "endpoints"): Strategy(_ANEW, check=endpoints.check_endpoints, creates_on_update=True),
    ("discovery.k8s.io", "endpointslices"): Strategy(
        _ANEW,
        complete=endpoints.complete_slice,
        check=endpoints.check_slice,
        check_new=endpoints.check_slice_endpoints,
        remarks=endpoints.slice_remarks,
        check_update=endpoints.check_slice_update,
        has_generation=True,
    ),
    ("networking.k8s.io", "networkpolicies"): Strategy(_ANEW, check=network_policies.check_policy, has_generation=True),
    ("apps", "controllerrevisions"): Strategy(
        _ANEW,
        check=workloads.check_revision,
        check_new=workloads.check_new_revision,
        check_update=workloads.check_revision_update,
    ),
    ("coordination.k8s.io", "leases"): Strategy(
        _FREE,
        complete=core_kinds.complete_lease,
        check=core_kinds.check_lease,
        needs_version=True,
        creates_on_update=True,
    ),
    ("policy", "poddisruptionbudgets"): Strategy(
        MetadataRules(is_checked=False),
        check=budgets.check_budget,
        check_status=budgets.check_budget_status,
        has_generation=True,
        needs_version=True,
    ),
    ("rbac.authorization.k8s.io", "roles"): Strategy(_RBAC, check=rbac.check_role, creates_on_update=True),
    ("rbac.authorization.k8s.io", "clusterroles"): Strategy(
        _RBAC, check=rbac.check_cluster_role, creates_on_update=True
    ),
    ("rbac.authorization.k8s.io", "rolebindings"): Strategy(
        _RBAC, check=rbac.check_binding, check_update=rbac.check_binding_update, creates_on_update=True
    ),
    ("rbac.authorization.k8s.io", "clusterrolebindings"): Strategy(
        _RBAC, check=rbac.check_cluster_binding, check_update=rbac.check_binding_update, creates_on_update=True
    ),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"): _WEBHOOKS,
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"): _WEBHOOKS,
    ("admissionregistration.k8s.io", "mutatingadmissionpolicies"): Strategy(
        _ANEW, check=policies.check_mutating_policy, has_generation=True, needs_version=True
    ),
    ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"): Strategy(
        _ANEW, check=policies.check_mutating_binding, has_generation=True, needs_version=True
    ),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"): Strategy(
        _ANEW, check=policies.check_policy, has_generation=True, needs_version=True
    ),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"): Strategy(
        _ANEW, check=policies.check_binding, has_generation=True, needs_version=True
    ),
    ("apiextensions.k8s.io", "customresourcedefinitions"): Strategy(
        _FREE,
        has_status_table=False,
        prepare=prepare_definition,
        keep=keep_definition,
        kept_by_status=None,
        complete=default_definition,
        check_new=check_definition,
        remarks=lambda new, _: crds.remarks(new),
        check_update=check_update,
        has_generation=True,
        needs_version=True,
    ),
}


def strategy_of(served: Served) -> Strategy:
    if served.kind.definition:
        return _DEFINED
    return _STRATEGIES.get((served.type.group, served.type.plural), _PLAIN)
