"""The operator on a real API server, as the ServiceAccount of its manifests, under real RBAC.

Where kube-controller-manager would be is our owner collector: the pods are run by the test.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.errors import NotFound
from btcctl.objects import ObjectKey
from btcctl.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    EVENTS,
    POD_DISRUPTION_BUDGETS,
    PODS,
    SECRETS,
    SERVICES,
    STATEFUL_SETS,
)
from btcctl.rest.client import ApiClient
from btcctl.sandbox.controllers.owner_collector import build_owner_collector
from btcctl.sandbox.demonstration.manifests import Applier
from btcctl.testing.control_plane import ControlPlane
from tests.integration.access import are_in_force, is_allowed
from tests.integration.api_servers import leaving
from tests.integration.audit import AuditLog
from tests.integration.bitcoin.operated import CONTROLLER, KEY, Asked, Operated, objects
from tests.integration.support import eventually

_LEFT_BEHIND = (BITCOIN_NETWORKS, STATEFUL_SETS, PODS, SERVICES, POD_DISRUPTION_BUDGETS, EVENTS, SECRETS)
_WHATEVER_IT_IS_FOR = {"apiGroups": [BITCOIN_NETWORKS.group], "resources": [BITCOIN_NETWORKS.plural], "verbs": ["list"]}
_BUILT_IN = "kubernetes"  # the Service of the API server itself


@contextmanager
def operated_for_real(folder: Path, plane: ControlPlane, audit_log: AuditLog) -> Iterator[Operated]:
    """A cluster where the controller may do what the rbac.yaml in a folder says."""
    admin = plane.client()
    eventually(lambda: not leaving(admin), 60)
    applier = Applier(admin)
    applier.apply(load_crd())
    _, _, namespace, name = CONTROLLER.split(":")
    applier.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    rights = objects(folder / "rbac.yaml")
    for each in rights:
        applier.apply(each)
    eventually(lambda: are_in_force(admin, CONTROLLER, rights))
    controller = plane.client_from(plane.service_account_kubeconfig(namespace, name))
    collector = build_owner_collector(admin, [BITCOIN_NETWORKS])
    collector.start()
    try:
        yield Operated(admin, controller, _Audited(audit_log))
    finally:
        collector.stop()
        _clear(admin)
        eventually(lambda: not is_allowed(admin, CONTROLLER, _WHATEVER_IT_IS_FOR))  # or the next would have our rights
        controller.close()
        admin.close()


class _Audited:
    """What the controller has asked for since this was made."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log
        self._before = len(log.records(CONTROLLER))

    def asked(self) -> list[Asked]:
        return [*map(_asked, self._log.records(CONTROLLER)[self._before :])]


def _asked(record: dict[str, Any]) -> Asked:
    reference = record.get("objectRef") or {}
    return Asked(
        record["verb"],
        reference.get("resource", ""),
        reference.get("subresource", ""),
        record["responseStatus"]["code"],
    )


def _clear(admin: ApiClient) -> None:
    """Leave nothing to the next test but the definition, which takes seconds to be served."""
    for type_ in _LEFT_BEHIND:
        resource = admin.resource(type_, KEY.namespace)
        for each in resource.list()[0]:
            if each.name != _BUILT_IN:
                with suppress(NotFound):
                    resource.delete(each.key, grace_period_seconds=0)
    for type_ in (CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES):
        for each in admin.resource(type_).list()[0]:
            if each.name.startswith("bitcoin-controller"):
                admin.resource(type_).delete(ObjectKey("", each.name))
