"""What each kind adds to the rules that hold for all: defaults, checks, what an update keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from btcctl.apiserver import core_kinds, pods, workloads
from btcctl.apiserver.collection import Body
from btcctl.apiserver.crds import check_definition, check_update, default_definition
from btcctl.apiserver.metadata import MetadataRules, label_name, path_name
from btcctl.apiserver.registry import Served
from btcctl.apiserver.statuses import Cause


def _nothing(_: dict[str, Any]) -> None:
    return None


def _no_complaint(_: Body) -> list[Cause]:
    return []


def _anything_goes(_new: Body, _old: Body) -> list[Cause]:
    return []


_USUAL = MetadataRules()
_FREE = MetadataRules(finalizers_need_domain=False)
_ANEW = MetadataRules(is_checked_anew=True)


@dataclass(frozen=True, slots=True)
class Strategy:
    """The rules of one kind.

    Attributes:
        metadata: How it looks at metadata.
        default: Fills in, in place, what a client left out.
        initial_status: The status of a new object; None for none.
        keep: Puts back, in place, into a new body what an update may not touch.
        check: What is wrong with a new state.
        check_update: What is wrong with the step from the old state to the new.
        has_generation: Whether `metadata.generation` counts changes of the spec.
        needs_version: Whether a PUT must name a resourceVersion.
        creates_on_update: Whether a PUT of a missing object creates it.
    """

    metadata: MetadataRules = _USUAL
    default: Callable[[dict[str, Any]], None] = _nothing
    initial_status: Mapping[str, Any] | None = None
    keep: Callable[[dict[str, Any], Body], None] = lambda _new, _old: None
    check: Callable[[Body], list[Cause]] = _no_complaint
    check_update: Callable[[Body, Body], list[Cause]] = _anything_goes
    has_generation: bool = False
    needs_version: bool = False
    creates_on_update: bool = False


_CUSTOM = Strategy(_FREE, has_generation=True, needs_version=True)
_PLAIN = Strategy()
_RBAC = Strategy(MetadataRules(path_name, is_checked_anew=True), creates_on_update=True)

_STRATEGIES: Mapping[tuple[str, str], Strategy] = {
    ("", "namespaces"): Strategy(
        MetadataRules(label_name, is_checked_anew=True),
        core_kinds.default_namespace,
        initial_status={"phase": "Active"},
        keep=core_kinds.keep_namespace,
    ),
    ("", "nodes"): Strategy(_ANEW, initial_status={}),
    ("", "pods"): Strategy(
        _ANEW,
        default=pods.default_pod,
        initial_status={"phase": "Pending", "qosClass": "BestEffort"},
        check=pods.check_pod,
        check_update=pods.check_pod_update,
        has_generation=True,
    ),
    ("", "serviceaccounts"): Strategy(_ANEW),
    ("", "services"): Strategy(
        MetadataRules(label_name),
        core_kinds.default_service,
        {"loadBalancer": {}},
        core_kinds.keep_service,
        core_kinds.check_service,
        core_kinds.check_service_update,
        creates_on_update=True,
    ),
    ("", "secrets"): Strategy(
        _ANEW,
        default=core_kinds.default_secret,
        check=core_kinds.check_secret,
        check_update=core_kinds.check_secret_update,
    ),
    ("", "configmaps"): Strategy(
        _ANEW, check=core_kinds.check_config_map, check_update=core_kinds.check_config_map_update
    ),
    ("", "events"): Strategy(
        MetadataRules(is_checked=False),
        core_kinds.default_event,
        check=core_kinds.check_event,
        creates_on_update=True,
    ),
    ("apps", "statefulsets"): Strategy(
        MetadataRules(label_name),
        workloads.default_stateful_set,
        {"replicas": 0, "availableReplicas": 0},
        check=workloads.check_stateful_set,
        check_update=workloads.check_stateful_set_update,
        has_generation=True,
    ),
    ("apps", "deployments"): Strategy(
        default=workloads.default_deployment,
        initial_status={},
        check=workloads.check_deployment,
        check_update=workloads.check_deployment_update,
        has_generation=True,
    ),
    ("apps", "controllerrevisions"): Strategy(_ANEW, check_update=workloads.check_revision_update),
    ("coordination.k8s.io", "leases"): Strategy(
        _FREE,
        check=core_kinds.check_lease,
        needs_version=True,
        creates_on_update=True,
    ),
    ("rbac.authorization.k8s.io", "roles"): _RBAC,
    ("rbac.authorization.k8s.io", "clusterroles"): _RBAC,
    ("rbac.authorization.k8s.io", "rolebindings"): _RBAC,
    ("rbac.authorization.k8s.io", "clusterrolebindings"): _RBAC,
    ("apiextensions.k8s.io", "customresourcedefinitions"): Strategy(
        _FREE,
        default=default_definition,
        initial_status={},
        check=check_definition,
        check_update=check_update,
        has_generation=True,
        needs_version=True,
    ),
}


def strategy_of(served: Served) -> Strategy:
    return _CUSTOM if served.is_custom else _STRATEGIES.get(served.collection, _PLAIN)
