"""The PersistentVolumeClaims of a StatefulSet's pods, as kube-controller-manager 1.36 makes and keeps them.

A claim outlives its pod. The set's retention policy says whose end is the claim's, too, and that is written down as an
owner reference: of the set, or of the pod that is scaled away. Whoever collects what has no owner does the rest.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from btcctl.errors import AlreadyExists, NotFound
from btcctl.informers.cache.lister import Lister
from btcctl.logging import get_logger
from btcctl.objects import Object, ObjectKey
from btcctl.resources import PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS
from btcctl.rest.client import ApiClient
from btcctl.sandbox.controllers.stateful.statefulset_plan import PodState, SetSpec, claim_name, claim_templates
from btcctl.typed.owners import Named, controller_reference

logger = get_logger(__name__)


def build_claims(stateful_set: Mapping[str, Any], ordinal: int) -> list[dict[str, Any]]:
    """The claims of one pod, without owners."""
    labels = stateful_set["spec"]["selector"].get("matchLabels") or {}
    return [_build_claim(stateful_set, template, ordinal, labels) for template in claim_templates(stateful_set)]


def _build_claim(
    stateful_set: Mapping[str, Any], template: Mapping[str, Any], ordinal: int, labels: Mapping[str, str]
) -> dict[str, Any]:
    metadata = {name: each for name, each in template["metadata"].items() if name in {"annotations", "finalizers"}}
    metadata["name"] = claim_name(stateful_set, template, ordinal)
    metadata["namespace"] = stateful_set["metadata"]["namespace"]
    metadata["labels"] = {**(template["metadata"].get("labels") or {}), **labels}
    head = {"apiVersion": PERSISTENT_VOLUME_CLAIMS.api_version, "kind": PERSISTENT_VOLUME_CLAIMS.kind}
    return {**head, "metadata": metadata, "spec": template["spec"]}


def wanted_owners(
    stateful_set: Mapping[str, Any],
    owner: Named,
    pod: PodState,
    known: Iterable[Mapping[str, Any]],
    *,
    is_surplus: bool,
) -> list[Mapping[str, Any]]:
    """The owner references a claim should have: others' stay.

    Args:
        stateful_set: The set's body.
        owner: The set.
        known: Those it has.
        is_surplus: The pod is being scaled away.
    """
    policy = stateful_set["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    owners = [each for each in known if not _is_ours(each, stateful_set, pod)]
    if is_surplus and policy.get("whenScaled") == "Delete":
        owners.append(controller_reference(PODS, pod))
    elif policy.get("whenDeleted") == "Delete":
        owners.append(controller_reference(STATEFUL_SETS, owner))
    return owners


def _is_ours(owner: Mapping[str, Any], stateful_set: Mapping[str, Any], pod: PodState) -> bool:
    kind, name = owner.get("kind"), owner.get("name")
    return (kind, name) in {(STATEFUL_SETS.kind, stateful_set["metadata"]["name"]), (PODS.kind, pod.name)}


class SetClaims:
    """Makes the claims of pods, and says whose they are.

    Args:
        claims: A cache; one that is behind is harmless, as a claim is written by its uid and version.
    """

    def __init__(self, client: ApiClient, claims: Lister) -> None:
        self._cache = claims
        self._resource = client.resource(PERSISTENT_VOLUME_CLAIMS)

    def provide(self, stateful_set: Mapping[str, Any], ordinal: int) -> bool:
        """Make the claims of a pod that is to be made; False if one of them is going, and has to be gone first."""
        provided = [self._provide(each) for each in build_claims(stateful_set, ordinal)]
        return all(provided)

    def assign(self, owner: Object, stateful_set: Mapping[str, Any], spec: SetSpec, pods: Iterable[PodState]) -> None:
        """Give the claims of these pods the owners they should have.

        Raises:
            Conflict: Our copy of one is old.
        """
        for pod in pods:
            for template in claim_templates(stateful_set):
                name = claim_name(stateful_set, template, pod.ordinal)
                key = ObjectKey(stateful_set["metadata"]["namespace"], name)
                claim = self._find(key)
                if claim is not None and claim.deletion_timestamp is None:
                    known = claim.body()["metadata"].get("ownerReferences") or []
                    is_surplus = pod.ordinal not in spec.ordinals
                    self._assign(claim, known, wanted_owners(stateful_set, owner, pod, known, is_surplus=is_surplus))

    def _provide(self, wanted: Mapping[str, Any]) -> bool:
        key = ObjectKey(wanted["metadata"]["namespace"], wanted["metadata"]["name"])
        claim = self._find(key)
        if claim is None:
            try:
                self._resource.create(wanted)
            except AlreadyExists:
                return False  # our copy is old
            logger.info("claim created", claim=key.name)
            return True
        # A pod that owned it is gone, or there would be no need for another one.
        return claim.deletion_timestamp is None and all(each.kind != PODS.kind for each in claim.owner_references)

    def _assign(self, claim: Object, known: list[Mapping[str, Any]], wanted: list[Mapping[str, Any]]) -> None:
        if wanted != known:
            change = {"uid": claim.uid, "resourceVersion": claim.resource_version, "ownerReferences": wanted or None}
            with contextlib.suppress(NotFound):
                self._resource.patch(claim.key, {"metadata": change})
            logger.info("claim has other owners", claim=claim.name, owners=[each["kind"] for each in wanted])

    def _find(self, key: ObjectKey) -> Object | None:
        """What was made just now is not in the cache yet."""
        found = self._cache.get(key)
        if found is not None:
            return found
        try:
            return self._resource.get(key)
        except NotFound:
            return None
