"""What kube-controller-manager does for a network, where there is only an API server.

The StatefulSet controller is a part of `Cluster`; the owner collector is the other one. Nothing
stands in for the namespace controller: without it a deleted namespace stays.
"""

from __future__ import annotations

from collections.abc import Sequence

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.manager import Manager
from btcctl.informers.factory import SharedInformerFactory
from btcctl.resources import (
    CONTROLLER_REVISIONS,
    DEPLOYMENTS,
    JOBS,
    PERSISTENT_VOLUME_CLAIMS,
    POD_DISRUPTION_BUDGETS,
    PODS,
    REPLICA_SETS,
    SERVICES,
    STATEFUL_SETS,
    ResourceType,
)
from btcctl.rest.client import ApiClient
from btcctl.sandbox.controllers.owner_collector import build_owner_collectors

OWNERS = (STATEFUL_SETS, DEPLOYMENTS, REPLICA_SETS, JOBS, PODS)
COLLECTED = (
    *(STATEFUL_SETS, REPLICA_SETS, JOBS, SERVICES, PODS, CONTROLLER_REVISIONS),
    *(POD_DISRUPTION_BUDGETS, PERSISTENT_VOLUME_CLAIMS),
)


def build_stand_ins(client: ApiClient, owners: Sequence[ResourceType], *, clock: Clock = SYSTEM_CLOCK) -> Manager:
    """The owner collector, ready to start.

    Args:
        owners: Kinds that own something, beside workloads and pods; they must be served.
    """
    factory = SharedInformerFactory(client, clock=clock)
    collectors = build_owner_collectors(client, factory, [*owners, *OWNERS], COLLECTED, clock=clock)
    return Manager(factory, collectors, clock=clock)
