"""Which objects are a controller's: its own, and orphans it adopts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from btcctl.apiserver.machinery.labels import matches_selector
from btcctl.controller.writing.writes import set_controller
from btcctl.errors import Conflict, Invalid, NotFound
from btcctl.informers.cache.lister import Lister
from btcctl.logging import get_logger
from btcctl.objects import Object
from btcctl.resources import ResourceType
from btcctl.rest.client import ApiClient

logger = get_logger(__name__)


def by_controller(obj: Object) -> list[str]:
    """An index: the controller's UID, or for an orphan its namespace."""
    owner = obj.controller
    return [owner.uid if owner else orphans_of(obj.namespace)]


def orphans_of(namespace: str) -> str:
    """The index value under which `by_controller` puts pods without a controller; no UID has a slash."""
    return f"orphans/{namespace}"


def anyone(_owner: Object, _obj: Object) -> bool:
    return True


def no_labels(_obj: Object) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """Whose the objects are, and which.

    Attributes:
        owner: The kind that controls.
        owned: The kind that is controlled.
        may_be: Whether an object may be one of an owner's, beside the selector.
        labels: What an adopted one gets.
    """

    owner: ResourceType
    owned: ResourceType
    may_be: Callable[[Object, Object], bool] = anyone
    labels: Callable[[Object], Mapping[str, str]] = no_labels


class Claims:
    """Sorts the objects of a namespace into ours and others', and says so to the API server.

    Args:
        cache: Of what is controlled, with the index `by_controller`.
        index: That index's name.
    """

    def __init__(self, client: ApiClient, cache: Lister, index: str, rules: ClaimRules) -> None:
        self._cache = cache
        self._index = index
        self._rules = rules
        self._owned = client.resource(rules.owned)
        self._owners = client.resource(rules.owner)

    def claim(self, owner: Object, selector: Mapping[str, Any]) -> list[Object]:
        """The owner's objects, after letting go of those that match no longer and adopting orphans that do.

        Args:
            owner: Not being deleted.
        """
        owned = self._candidates(owner, self._cache.by_index(self._index, owner.uid))
        orphans = self._candidates(owner, self._cache.by_index(self._index, orphans_of(owner.namespace)))
        ours = [each for each in owned if matches_selector(selector, each.labels) or not self._release(owner, each)]
        wanted = [
            each for each in orphans if each.deletion_timestamp is None and matches_selector(selector, each.labels)
        ]
        if wanted and self._is_alive(owner):
            ours += [adopted for each in wanted if (adopted := self._adopt(owner, each)) is not None]
        return ours

    def _candidates(self, owner: Object, objects: list[Object]) -> list[Object]:
        return [each for each in objects if self._rules.may_be(owner, each)]

    def _is_alive(self, owner: Object) -> bool:
        """Ask the server: adopting for an owner that is being deleted would delete the objects."""
        try:
            live = self._owners.get(owner.key)
        except NotFound:
            return False
        return live.uid == owner.uid and live.deletion_timestamp is None

    def _adopt(self, owner: Object, obj: Object) -> Object | None:
        body = obj.body()
        set_controller(body, self._rules.owner, owner, adopt=True)
        change = {
            "uid": obj.uid,
            "resourceVersion": obj.resource_version,
            "labels": self._rules.labels(obj),
            "ownerReferences": body["metadata"]["ownerReferences"],
        }
        return self._patch(obj, change, "adopted")

    def _release(self, owner: Object, obj: Object) -> bool:
        """Return whether the object is no longer ours."""
        if obj.deletion_timestamp is not None:
            return False
        references = obj.body()["metadata"]["ownerReferences"]
        kept = [each for each in references if each["uid"] != owner.uid]
        return self._patch(obj, {"uid": obj.uid, "ownerReferences": kept or None}, "released") is not None

    def _patch(self, obj: Object, metadata: Mapping[str, Any], event: str) -> Object | None:
        try:
            patched = self._owned.patch(obj.key, {"metadata": metadata})
        except (NotFound, Conflict, Invalid):  # another UID makes a patch Invalid, as no field may change it
            return None  # it has changed: its next state will be looked at
        logger.info(event, kind=self._rules.owned.kind, name=obj.name)
        return patched
