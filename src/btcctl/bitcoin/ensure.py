"""Creates and repairs the children of a network, and leaves alone what is not ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from btcctl.bitcoin.rollouts import let_roll
from btcctl.bitcoin.spec.from_spec import settle
from btcctl.bitcoin.status import NORMAL, WARNING, Notice
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.bitcoin.unchangeable import settable
from btcctl.bitcoin.wording import bounded
from btcctl.controller.writing.contention import Contention, Contested
from btcctl.controller.writing.fields import set_fields
from btcctl.controller.writing.writes import (
    Ensured,
    NotControlled,
    Outcome,
    Writable,
    create_or_update,
    is_controlled_by,
    set_controller,
)
from btcctl.errors import ApiError, Conflict, NotFound
from btcctl.logging import get_logger
from btcctl.objects import Object, ObjectKey
from btcctl.resources import STATEFUL_SETS

logger = get_logger(__name__)

Tell = Callable[[Notice], None]  #: records an Event about the network
# What admission has changed as it was made is not to be told from what was made for another spec.
_REPLACE = "delete it to replace it; if the new one differs as well, an admission webhook or policy changes it"
# Pods that are left alone so are taken over by the next StatefulSet, and go on.
_DELETE_IT = "delete it with --cascade=orphan, and it is made anew; pods run on"
# Of the two the API server takes one.
_EXCLUDED = {"maxUnavailable": "minAvailable"}


@dataclass(frozen=True, slots=True)
class Child:
    """How it stands with a child after `ensure`."""

    object: Object | None = None  #: ours, or None: there is none, or none that we may touch
    problem: str = ""  #: why it is not as it should be and we cannot mend it; "" if all is well
    pending: bool = False  #: an earlier one is on its way out
    waits: str = ""  #: for what, while it is pending
    created: bool = False
    dispute: str = ""  #: what somebody else keeps changing; "" if nobody does


@dataclass(frozen=True, slots=True)
class Children:
    """How it stands with the children of a network."""

    service: Child
    stateful_set: Child
    disruption_budget: Child
    exposed_service: Child

    @property
    def all(self) -> tuple[Child, ...]:
        return self.service, self.stateful_set, self.disruption_budget, self.exposed_service


class ChildResource(Writable, Protocol):
    """The part of `btcctl.rest.collection.resource.Resource` that is needed."""

    def delete(self, key: ObjectKey, *, uid: str = "") -> object: ...


class ChildKeeper:
    """Keeps one kind of child.

    Args:
        cached: Looks the child up in a cache, which may be stale and holds labelled objects only.
        resource: Reads and writes them.
    """

    def __init__(self, cached: Callable[[ObjectKey], Object | None], resource: ChildResource) -> None:
        self._cached = cached
        self._resource = resource

    def find(self, key: ObjectKey) -> Object | None:
        """From the cache; a child that is not there is asked for, because the cache may lag behind."""
        cached = self._cached(key)
        if cached is not None:
            return cached
        try:
            return self._resource.get(key)
        except NotFound:
            return None

    def remove(self, network: Object, name: str, tell: Tell, contention: Contention) -> None:
        """Delete a child of ours that is not wanted any more, if the cache has one."""
        key = ObjectKey(network.namespace, name)
        found = self._cached(key)
        if found is None or found.deletion_timestamp is not None or not is_controlled_by(found, network):
            return
        try:
            self._resource.delete(key, uid=found.uid)
        except (NotFound, Conflict) as error:
            logger.debug("a child was gone already", name=name, error=str(error))
            return
        contention.forget(self._resource.type, key)  # that it was deleted is nobody else's doing
        logger.info("deleted", child=found.kind, name=name)
        tell(Notice(NORMAL, f"{self._resource.type.kind}Deleted", f'deleted {self._resource.type.kind} "{name}"'))

    def ensure(
        self, network: Object, desired: Mapping[str, Any], found: Object | None, tell: Tell, contention: Contention
    ) -> Child:
        """Create the child if there is none, repair it if it differs.

        A repair that is undone time and again is not repeated for a while: somebody else wants it otherwise.

        Args:
            network: Whose child it is.
            desired: From `btcctl.bitcoin.children`.
            found: From `find`.
            tell: Takes what was done, or what failed.
            contention: What was written for this network.

        Raises:
            Conflict: It has changed since it was read, or somebody else has just made it.
            ApiError: The API server refuses.
        """
        obstacle = None if found is None else _obstacle(desired, found, network)
        if obstacle is not None:
            return obstacle
        wish = _Wish(network, desired)
        key = ObjectKey(network.namespace, desired["metadata"]["name"])
        try:
            ensured = create_or_update(self._resource, key, wish, cached=found, contention=contention)
        except Contested as error:
            logger.debug("not repaired", reason=str(error))
            ensured = None
        except NotControlled:  # made a moment ago
            return Child(problem=_in_the_way(desired))
        except Conflict:
            raise
        except ApiError as error:
            if not error.is_namespace_terminating:
                tell(_refusal(desired, found, error))
            raise
        dispute = contention.dispute_of(self._resource.type, key)
        if ensured is None:
            return Child(found, wish.problem, dispute=dispute)
        _tell_of(ensured, found, tell)
        return Child(ensured.object, wish.problem, created=ensured.outcome is Outcome.CREATED, dispute=dispute)


class _Wish:
    """Makes a child what it should be. A `mutate` of `create_or_update`.

    Attributes:
        problem: What of it cannot be had; "" if all can.
    """

    def __init__(self, network: Object, desired: Mapping[str, Any]) -> None:
        self.problem = ""
        self._network = network
        self._desired = desired

    def __call__(self, body: dict[str, Any]) -> None:
        desired, immutable = settable(settle(self._desired, body), body)
        if immutable:
            what, fields = _described(desired), ", ".join(immutable)
            self.problem = f"{what} differs in {fields}, which cannot change: {_REPLACE}"
        for ours, other in _EXCLUDED.items():
            if ours in desired["spec"]:
                (body.get("spec") or {}).pop(other, None)
        if desired["kind"] == STATEFUL_SETS.kind:
            let_roll(body)
        set_fields(body, desired)
        set_controller(body, BITCOIN_NETWORKS, self._network)


def _obstacle(desired: Mapping[str, Any], found: Object, network: Object) -> Child | None:
    """What is said of a child that we may not touch; None of one that we may."""
    if found.deletion_timestamp is not None:
        held = f", held by {', '.join(found.finalizers)}" if found.finalizers else ""
        return Child(pending=True, waits=bounded(f"{_described(desired)} is on its way out{held}"))
    if _is_predecessors(found, network):
        return Child(pending=True, waits=f"{_described(desired)} is a deleted network's, and not collected yet")
    return None if is_controlled_by(found, network) else Child(problem=_in_the_way(desired, found))


def _is_predecessors(child: Object, network: Object) -> bool:
    """Whether it was left by a deleted network of this name: garbage collection is on its way."""
    owner = child.controller
    ours = (BITCOIN_NETWORKS.group, BITCOIN_NETWORKS.kind, network.name)
    return owner is not None and (owner.group, owner.kind, owner.name) == ours and owner.uid != network.uid


def _in_the_way(desired: Mapping[str, Any], found: Object | None = None) -> str:
    what = _described(desired)
    labels = desired["metadata"]["labels"].items()
    if found is not None and found.controller is None and labels <= found.labels.items():
        return f"{what} is not controlled by this network, though it bears its labels, as after a restore: {_DELETE_IT}"
    return f"{what} exists and is not controlled by this network: delete or rename one of them"


def _refusal(desired: Mapping[str, Any], found: Object | None, error: ApiError) -> Notice:
    reason, verb = ("NotCreated", "created") if found is None else ("NotUpdated", "updated")
    what = f"{_described(desired)} cannot be {verb}: {error}"
    return Notice(WARNING, f"{desired['kind']}{reason}", bounded(what))


def _tell_of(ensured: Ensured, found: Object | None, tell: Tell) -> None:
    child = ensured.object
    what = _described(child.body()) if ensured.outcome is not Outcome.UNCHANGED else ""
    if ensured.outcome is Outcome.CREATED:
        logger.info("created", child=child.kind, name=child.name)
        tell(Notice(NORMAL, f"{child.kind}Created", f"created {what}"))
    elif ensured.outcome is Outcome.UPDATED:
        before, after = None if found is None else replicas_of(found.body()), replicas_of(child.body())
        logger.info("repaired", child=child.kind, name=child.name, replicas=after)
        if before != after:
            tell(Notice(NORMAL, "Scaled", f"scaled {what} from {before} to {after}"))
        else:
            tell(Notice(NORMAL, f"{child.kind}Updated", f"made {what} what it should be"))


def _described(body: Mapping[str, Any]) -> str:
    return f'{body["kind"]} "{body["metadata"]["name"]}"'


def replicas_of(body: Mapping[str, Any]) -> int | None:
    """`spec.replicas`, None for what has none."""
    replicas: int | None = body["spec"].get("replicas")
    return replicas
