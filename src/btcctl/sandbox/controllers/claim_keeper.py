"""Gives every PersistentVolumeClaim its volume: a directory of its own, which goes with it and not before.

Stands in for a cluster's volume binder and for kube-controller-manager's protection of claims that pods use.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.controller import Controller
from btcctl.controller.reconciling.result import Result
from btcctl.errors import Conflict, NotFound
from btcctl.informers.cache.lister import Lister
from btcctl.informers.factory import SharedInformerFactory
from btcctl.logging import get_logger
from btcctl.objects import Object, ObjectKey
from btcctl.resources import PERSISTENT_VOLUME_CLAIMS, PODS
from btcctl.rest.client import ApiClient
from btcctl.sandbox.kubelet.claims import BOUND, claims_of, volume_directory
from btcctl.sandbox.kubelet.pods.status import is_over
from btcctl.workqueue.rate_limiters import ItemExponentialRateLimiter

logger = get_logger(__name__)

PROTECTION = "kubernetes.io/pvc-protection"
STALE_RETRY_SECONDS = 0.1  # our copy is old: the new one is on its way
RETRY_CAP_SECONDS = 5.0  # a person is watching


def build_claim_controller(
    client: ApiClient, factory: SharedInformerFactory, volumes_dir: Path, *, clock: Clock = SYSTEM_CLOCK
) -> Controller:
    """Wire the keeper to its informers."""
    claims, pods = factory.informer(PERSISTENT_VOLUME_CLAIMS), factory.informer(PODS)
    keeper = ClaimKeeper(client, claims.lister, volumes_dir)
    rate_limiter = ItemExponentialRateLimiter[ObjectKey](cap=RETRY_CAP_SECONDS)
    controller = Controller("claims", keeper.reconcile, clock=clock, rate_limiter=rate_limiter)
    controller.watch(claims)
    controller.watch(pods, keys_of_pod)
    return controller


def keys_of_pod(pod: Object) -> list[ObjectKey]:
    return [ObjectKey(pod.namespace, name) for name in claims_of(pod.body()).values()]


class ClaimKeeper:
    """Level-triggered: looks at one claim and at whether a pod uses it.

    Only the worker that has a claim's key touches its directory and its entry here.
    """

    def __init__(self, client: ApiClient, claims: Lister, volumes_dir: Path) -> None:
        self._cache = claims
        self._resource = client.resource(PERSISTENT_VOLUME_CLAIMS)
        self._client = client
        self._volumes_dir = volumes_dir
        self._uids: dict[ObjectKey, str] = {}  # whose the directories are

    def reconcile(self, key: ObjectKey) -> Result:
        """Bind the claim, or let it go."""
        claim = self._cache.get(key)
        known = self._uids.get(key)
        if known is not None and (claim is None or claim.uid != known):
            shutil.rmtree(volume_directory(self._volumes_dir, key), ignore_errors=True)
            del self._uids[key]
            logger.info("volume removed", claim=str(key))
        if claim is None:
            return Result()
        self._uids[key] = claim.uid
        try:
            if claim.deletion_timestamp is not None:
                self._let_go(claim)
            else:
                self._bind(claim)
        except NotFound:
            return Result()
        except Conflict:
            return Result(requeue_after=STALE_RETRY_SECONDS)
        return Result()

    def _bind(self, claim: Object) -> None:
        body = claim.body()
        if (body.get("status") or {}).get("phase") == BOUND:
            return
        if not body["spec"].get("volumeName"):
            change = {"metadata": {"uid": claim.uid}, "spec": {"volumeName": f"pvc-{claim.uid}"}}
            body = self._resource.patch(claim.key, change).body()
        spec = body["spec"]
        capacity = {"storage": spec["resources"]["requests"]["storage"]}
        status: dict[str, Any] = {"phase": BOUND, "accessModes": spec["accessModes"], "capacity": capacity}
        self._resource.update_status({**body, "status": status})
        logger.info("claim bound", claim=str(claim.key))

    def _let_go(self, claim: Object) -> None:
        finalizers = claim.body()["metadata"].get("finalizers") or []
        if PROTECTION in finalizers and not self._is_used(claim.key):
            kept = [each for each in finalizers if each != PROTECTION]
            change = {"uid": claim.uid, "resourceVersion": claim.resource_version, "finalizers": kept or None}
            with contextlib.suppress(NotFound):
                self._resource.patch(claim.key, {"metadata": change})

    def _is_used(self, key: ObjectKey) -> bool:
        """Asks the server: a pod that a cache does not show yet may have the volume mounted."""
        return any(
            key.name in claims_of(pod.body()).values() and not is_over(pod.body())
            for pod in self._client.resource(PODS, key.namespace).list()[0]
        )
