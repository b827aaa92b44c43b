"""What the operator may do beyond what it cannot do without.

The first bitcoin-controller's role, which must keep working, knows neither disruption budgets nor the status of pods.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from btcctl.errors import ApiError, NotFound
from btcctl.logging import get_logger
from btcctl.resources import POD_DISRUPTION_BUDGETS, PODS, ResourceType
from btcctl.rest.client import ApiClient

logger = get_logger(__name__)

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, slots=True)
class Rights:
    """What is done only if it is allowed.

    Attributes:
        gates: Pods may be held back until they have the network's chain.
        budgets: PodDisruptionBudgets may be made.
    """

    gates: bool = True
    budgets: bool = True

    @classmethod
    def of(cls, client: ApiClient, namespaces: tuple[str, ...]) -> Self:
        """Ask the API server; what it does not say is not allowed.

        Raises:
            TransportError: It cannot be reached.
        """

        def may(type_: ResourceType, *verbs: str, subresource: str = "") -> bool:
            allowed = _is_served(client, type_) and all(
                _is_allowed(client, namespace, type_, verb, subresource)
                for namespace in namespaces or ("",)
                for verb in verbs
            )
            if not allowed:
                what = f"{type_}/{subresource}" if subresource else str(type_)
                logger.warning("a right is missing, so something is left out", resource=what, verbs=verbs)
            return allowed

        return cls(
            gates=may(PODS, "patch", subresource="status"),
            budgets=may(POD_DISRUPTION_BUDGETS, "list", "watch", "create", "update"),
        )


def _is_allowed(client: ApiClient, namespace: str, type_: ResourceType, verb: str, subresource: str) -> bool:
    attributes = {
        "namespace": namespace,
        "group": type_.group,
        "resource": type_.plural,
        "subresource": subresource,
        "verb": verb,
    }
    try:
        answer = client.post_json(_REVIEWS, {"spec": {"resourceAttributes": attributes}})
    except ApiError as error:
        logger.debug("the API server does not say what we may do", error=str(error))
        return False
    return bool((answer.get("status") or {}).get("allowed"))


def _is_served(client: ApiClient, type_: ResourceType) -> bool:
    try:
        client.type_of(type_.api_version, type_.kind)
    except NotFound:
        return False
    return True
