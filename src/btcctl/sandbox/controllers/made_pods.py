"""Pods that a controller makes under names that the API server makes up, until the cache shows them.

An old cache is not harmless there: what it does not show yet would be made once more. So what was made is remembered
until the cache has shown it, and what the cache does not show is asked of the server. Only the worker that has an
owner's key touches that owner's entry.
"""

from __future__ import annotations

from typing import Any

from btcctl.controller.writing.writes import set_controller
from btcctl.errors import ApiError, Conflict, NotFound
from btcctl.events.recorder import NORMAL, WARNING, EventRecorder
from btcctl.events.reference import ObjectReference
from btcctl.informers.cache.lister import Lister
from btcctl.objects import Object, ObjectKey
from btcctl.resources import PODS, ResourceType
from btcctl.rest.client import ApiClient


class MadePods:
    """Makes and deletes them, and says so in Events of their owner.

    Args:
        shown: The cache of pods.
        owners: The type of the owners.
    """

    def __init__(self, client: ApiClient, shown: Lister, recorder: EventRecorder, owners: ResourceType) -> None:
        self._pods = client.resource(PODS)
        self._shown = shown
        self._recorder = recorder
        self._owners = owners
        self._made: dict[ObjectKey, dict[str, Object]] = {}  # by uid, until the cache shows them

    def unseen(self, owner: ObjectKey, shown: set[str]) -> list[Object]:
        """Those that were made and that the cache does not show: asked of the server, as they may be gone.

        Args:
            shown: UIDs of those that are counted already.
        """
        living = {}
        for uid, pod in self._made.get(owner, {}).items():
            if uid in shown or self._shown.get(pod.key) is not None:
                continue  # the latter is shown, and its owner's not any more
            try:
                found = self._pods.get(pod.key)
            except NotFound:
                continue
            if found.uid == uid:
                living[uid] = found
        self._made[owner] = living
        return list(living.values())

    def create(self, owner: Object, pod: dict[str, Any]) -> ApiError | None:
        """Make one; return why it could not be made, if it could not: the next one would meet the same."""
        reference = ObjectReference.of(self._owners, owner)
        set_controller(pod, self._owners, owner)
        try:
            made = self._pods.create(pod)
        except ApiError as error:
            self._recorder.event(reference, WARNING, "FailedCreate", f"Error creating: {error}")
            return error
        self._made.setdefault(owner.key, {})[made.uid] = made
        self._recorder.event(reference, NORMAL, "SuccessfulCreate", f"Created pod: {made.name}")
        return None

    def delete(self, owner: Object, name: str, uid: str) -> None:
        """Ask one to go, that one only: another may have its name by now."""
        try:
            self._pods.delete(ObjectKey(owner.namespace, name), uid=uid)
        except (NotFound, Conflict):
            return
        reference = ObjectReference.of(self._owners, owner)
        self._recorder.event(reference, NORMAL, "SuccessfulDelete", f"Deleted pod: {name}")

    def forget(self, owner: ObjectKey) -> None:
        """It has gone."""
        self._made.pop(owner, None)
