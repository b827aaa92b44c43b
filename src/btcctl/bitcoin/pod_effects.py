"""What the operator says and asks about pods, beside watching them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any, Final

from cachetools import LRUCache

from btcctl.bitcoin.images import Swap, image_of
from btcctl.bitcoin.pod_problems import CONTAINER, MAX_REASON_CHARACTERS, NOT_ANSWERING, UNSCHEDULABLE, stable
from btcctl.bitcoin.pod_template import DATA_VOLUME, SYNCED_GATE
from btcctl.bitcoin.pods import NodePod
from btcctl.bitcoin.status import WARNING
from btcctl.bitcoin.wording import bounded
from btcctl.clock import Clock, rfc3339
from btcctl.controller.writing.contention import Contention, Contested
from btcctl.errors import ApiError, Conflict, NotFound
from btcctl.logging import get_logger
from btcctl.objects import Object, ObjectKey
from btcctl.resources import EVENTS, PERSISTENT_VOLUME_CLAIMS, PODS
from btcctl.rest.client import ApiClient
from btcctl.rest.collection.resource import PatchKind, Resource

logger = get_logger(__name__)

_MOST_EVENTS: Final = 50
_MOST_PODS: Final = 10_000


class _Uids:
    """Which pod of a name was written last: what was written to the one before has no bearing on the next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the one below
        self._uids: LRUCache[ObjectKey, str] = LRUCache(_MOST_PODS)

    def begin(self, pod: Object, contention: Contention) -> None:
        with self._lock:
            before, self._uids[pod.key] = self._uids.get(pod.key), pod.uid
        if before != pod.uid:
            contention.forget(PODS, pod.key)


class Gatekeeper:
    """Says in a pod's status that its node has the network's chain: only then Kubernetes takes it for ready.

    So it is that a rolling update, a drain or an eviction goes on to the next node only when the last one could
    lose its chain without a loss.

    Args:
        cached: Looks a pod up in a cache, which may be stale.
        pods: Patches them.
    """

    def __init__(self, cached: Callable[[ObjectKey], Object | None], pods: Resource, clock: Clock) -> None:
        self._cached = cached
        self._pods = pods
        self._clock = clock
        self._uids = _Uids()

    def let_in(self, namespace: str, pod: NodePod, height: int, contention: Contention) -> None:
        """Say it; if that pod is gone meanwhile, there is nothing to say, and what is taken back is left alone."""
        key = ObjectKey(namespace, pod.name)
        before = self._cached(key)
        if before is None or before.uid != pod.uid:
            return
        self._uids.begin(before, contention)
        gate = {"type": SYNCED_GATE, "status": "True"}
        condition = {
            **gate,
            "reason": "Synced",
            "message": f"the node has had the network's chain, up to block {height}",
            "lastTransitionTime": rfc3339(self._clock.wall_time()),
        }
        patch = {"metadata": {"uid": pod.uid}, "status": {"conditions": [condition]}}
        try:
            changes = contention.check_status(PODS, key, before, _with_condition(before, gate))
            after = self._pods.patch(key, patch, kind=PatchKind.STRATEGIC, subresource="status")
        except Contested as error:
            logger.debug("gate left alone", reason=str(error))
            return
        except (NotFound, Conflict) as error:
            logger.debug("a pod is gone that was to be let in", pod=pod.name, error=str(error))
            return
        contention.note_status(PODS, key, changes, before, after)
        logger.info("node has the chain", pod=pod.name, height=height)


def _with_condition(pod: Object, condition: dict[str, Any]) -> dict[str, Any]:
    body = pod.body()
    status = body.get("status") or {}
    others = [each for each in status.get("conditions") or [] if each["type"] != condition["type"]]
    return {**body, "status": {**status, "conditions": [*others, condition]}}


class ImageSwapper:
    """Changes the image of a pod in place: the kubelet ends the container, and starts the other image on its data.

    Args:
        cached: Looks a pod up in a cache, which may be stale.
        pods: Patches them.
    """

    def __init__(self, cached: Callable[[ObjectKey], Object | None], pods: Resource) -> None:
        self._cached = cached
        self._pods = pods
        self._uids = _Uids()

    def swap(self, namespace: str, swap: Swap, contention: Contention) -> bool:
        """Do it; return whether it was done: the pod may be gone, and an image that is changed back is left alone.

        Raises:
            Forbidden: We may not.
        """
        key = ObjectKey(namespace, swap.pod.name)
        before = self._cached(key)
        if before is None or before.uid != swap.pod.uid:
            return False
        self._uids.begin(before, contention)
        try:
            changes = contention.check_update(PODS, key, before, _with_image(before, swap.image))
            after = self._pods.patch(key, swap.patch, kind=PatchKind.STRATEGIC)
        except Contested as error:
            logger.debug("image left alone", reason=str(error))
            return False
        except (NotFound, Conflict) as error:
            logger.debug("a pod is gone whose image was to be changed", pod=swap.pod.name, error=str(error))
            return False
        contention.note_updated(PODS, key, changes, before, after)
        if image_of(after) != swap.image:
            logger.warning("an image is changed as it is written", pod=swap.pod.name, image=image_of(after))
            return False
        logger.info("image changed", pod=swap.pod.name, image=swap.image)
        return True


def _with_image(pod: Object, image: str) -> dict[str, Any]:
    body = pod.body()
    for each in body["spec"]["containers"]:
        if each.get("name") == CONTAINER:
            each["image"] = image
    return body


class Complaints:
    """What others say in Events, and in no status."""

    def __init__(self, client: ApiClient) -> None:
        self._events = client

    def why_missing(self, stateful_set: Object) -> str:
        """Why its pods cannot be made, by its controller's newest words; "" if there are none or we may not look.

        Which of several pods it was said of last changes with each try, and so does not stand in it.
        """
        message = self._newest(stateful_set.namespace, f"involvedObject.uid={stateful_set.uid},reason=FailedCreate")
        name = stateful_set.name
        return bounded(re.sub(rf"\b{re.escape(name)}-\d+\b", f"{name}-…", message), MAX_REASON_CHARACTERS)

    def why_stuck(self, namespace: str, pod: NodePod) -> str:
        """What a pod that is not ready waits for, where its status does not say; "" likewise.

        Of one that is unready, what was wrong when it was probed last. Of one that does not start, and of the claim of
        one that has no machine, what happened last, if that is a trouble: whatever followed has overcome it.
        """
        fields = f"involvedObject.uid={pod.uid}"
        if pod.reason == NOT_ANSWERING:
            fields += ",reason=Unhealthy"
        elif pod.reason == UNSCHEDULABLE:
            fields = f"involvedObject.kind={PERSISTENT_VOLUME_CLAIMS.kind},involvedObject.name={DATA_VOLUME}-{pod.name}"
        return bounded(self._newest(namespace, fields), MAX_REASON_CHARACTERS)

    def _newest(self, namespace: str, fields: str) -> str:
        """Of the Events that `fields` select the newest, if it is a warning; the same as long as the cause is."""
        try:
            page = self._events.resource(EVENTS, namespace).list_page(
                field_selector=fields, limit=_MOST_EVENTS, resource_version=""
            )
        except ApiError as error:
            logger.debug("events cannot be had", fields=fields, error=str(error))
            return ""
        newest: dict[str, Any] = max((each.body() for each in page.items), key=_last_seen, default={})
        return stable(str(newest.get("message") or "")) if newest.get("type") == WARNING else ""


def _last_seen(event: dict[str, Any]) -> str:
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return max((str(each) for each in times if each), default="")
