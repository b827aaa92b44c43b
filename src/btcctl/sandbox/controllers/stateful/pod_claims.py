"""Which pods are a StatefulSet's: its own, and orphans it adopts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl.apiserver.machinery.labels import matches_selector
from btcctl.controller.writing.writes import set_controller
from btcctl.errors import Conflict, Invalid, NotFound
from btcctl.informers.cache.lister import Lister
from btcctl.logging import get_logger
from btcctl.objects import Object
from btcctl.resources import PODS, STATEFUL_SETS
from btcctl.rest.client import ApiClient
from btcctl.sandbox.controllers.stateful.statefulset_plan import identity_labels, ordinal_of

logger = get_logger(__name__)


def by_controller(obj: Object) -> list[str]:
    """An index: the controller's UID, or for an orphan its namespace."""
    owner = obj.controller
    return [owner.uid if owner else orphans_of(obj.namespace)]


def orphans_of(namespace: str) -> str:
    """The index value under which `by_controller` puts pods without a controller; no UID has a slash."""
    return f"orphans/{namespace}"


class PodClaims:
    """Sorts the pods of a namespace into ours and others', and says so to the API server.

    Args:
        pods: A cache with the index `by_controller`.
        index: That index's name.
    """

    def __init__(self, client: ApiClient, pods: Lister, index: str) -> None:
        self._cache = pods
        self._index = index
        self._pods = client.resource(PODS)
        self._sets = client.resource(STATEFUL_SETS)

    def claim(self, obj: Object, stateful_set: Mapping[str, Any]) -> list[Object]:
        """The set's pods, after letting go of those that match no longer and adopting orphans that do.

        Args:
            obj: The set, which is not being deleted.
            stateful_set: Its body.
        """
        selector = stateful_set["spec"]["selector"]
        owned = self._named(obj, self._cache.by_index(self._index, obj.uid))
        orphans = self._named(obj, self._cache.by_index(self._index, orphans_of(obj.namespace)))
        ours = [pod for pod in owned if matches_selector(selector, pod.labels) or not self._release(obj, pod)]
        wanted = [pod for pod in orphans if pod.deletion_timestamp is None and matches_selector(selector, pod.labels)]
        if wanted and self._is_alive(obj):
            ours += [adopted for pod in wanted if (adopted := self._adopt(obj, pod)) is not None]
        return ours

    @staticmethod
    def _named(obj: Object, pods: list[Object]) -> list[Object]:
        return [pod for pod in pods if ordinal_of(obj.name, pod.name) is not None]

    def _is_alive(self, obj: Object) -> bool:
        """Ask the server: adopting for a set that is being deleted would delete the pods."""
        try:
            live = self._sets.get(obj.key)
        except NotFound:
            return False
        return live.uid == obj.uid and live.deletion_timestamp is None

    def _adopt(self, obj: Object, pod: Object) -> Object | None:
        body = pod.body()
        set_controller(body, STATEFUL_SETS, obj, adopt=True)
        ordinal = ordinal_of(obj.name, pod.name) or 0
        change = {
            "uid": pod.uid,
            "resourceVersion": pod.resource_version,
            "labels": identity_labels(pod.name, ordinal),
            "ownerReferences": body["metadata"]["ownerReferences"],
        }
        return self._patch(pod, change, "pod adopted")

    def _release(self, obj: Object, pod: Object) -> bool:
        """Return whether the pod is no longer ours."""
        if pod.deletion_timestamp is not None:
            return False
        references = pod.body()["metadata"]["ownerReferences"]
        kept = [each for each in references if each["uid"] != obj.uid]
        return self._patch(pod, {"uid": pod.uid, "ownerReferences": kept or None}, "pod released") is not None

    def _patch(self, pod: Object, metadata: Mapping[str, Any], event: str) -> Object | None:
        try:
            patched = self._pods.patch(pod.key, {"metadata": metadata})
        except (NotFound, Conflict, Invalid):  # another UID makes a patch Invalid, as no field may change it
            return None  # it has changed: its next state will be looked at
        logger.info(event, pod=pod.name)
        return patched
