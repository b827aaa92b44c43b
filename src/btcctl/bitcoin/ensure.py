"""Creates and repairs the children of a network, and leaves alone what is not ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from btcctl.bitcoin.memory import RepairHistory
from btcctl.bitcoin.repair import Repair, manager_of, plan_repair
from btcctl.bitcoin.status import NORMAL, WARNING, Notice
from btcctl.bitcoin.types import BITCOIN_NETWORKS, BitcoinNetwork
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import ApiError, Conflict, NotFound
from btcctl.logging import get_logger
from btcctl.objects import Object, ObjectKey

logger = get_logger(__name__)

Tell = Callable[[Notice], None]  #: records an Event about the network


class ChildResource(Protocol):
    """The part of `btcctl.rest.resource.Resource` that is needed."""

    def get(self, key: ObjectKey) -> Object: ...

    def create(self, body: Mapping[str, Any]) -> Object: ...

    def update(self, body: Mapping[str, Any]) -> Object: ...


@dataclass(frozen=True, slots=True)
class Child:
    """How it stands with a child after `ensure`."""

    object: Object | None = None  #: ours, or None: there is none, or none that we may touch
    problem: str = ""  #: why it is not as it should be and we cannot mend it; "" if all is well
    pending: bool = False  #: an earlier one is on its way out
    created: bool = False
    dispute: str = ""  #: what somebody else keeps changing; "" if nobody does


class ChildKeeper:
    """Keeps one kind of child.

    Args:
        cached: Looks the child up in a cache, which may be stale and holds labelled objects only.
        resource: Reads and writes them.
        field_manager: As what `resource` writes.
    """

    def __init__(
        self,
        cached: Callable[[ObjectKey], Object | None],
        resource: ChildResource,
        *,
        field_manager: str = "btcctl",
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._cached = cached
        self._resource = resource
        self._field_manager = field_manager
        self._clock = clock

    def find(self, key: ObjectKey) -> Object | None:
        """From the cache; a child that is not there is asked for, because the cache may lag behind."""
        cached = self._cached(key)
        if cached is not None:
            return cached
        try:
            return self._resource.get(key)
        except NotFound:
            return None

    def ensure(
        self,
        network: BitcoinNetwork,
        desired: Mapping[str, Any],
        found: Object | None,
        tell: Tell,
        history: RepairHistory,
    ) -> Child:
        """Create the child if there is none, repair it if it differs.

        A repair that is undone time and again is not repeated for a while: somebody else wants it otherwise.

        Args:
            found: From `find`.
            tell: Takes what was done, or what failed.
            history: Of this child's repairs; kept up to date.

        Raises:
            Conflict: It has changed since it was read, or somebody else has just made it.
            ApiError: The API server refuses.
        """
        kind, name = desired["kind"], desired["metadata"]["name"]
        if found is None:
            return self._create(desired, tell)
        if found.deletion_timestamp is not None or _is_predecessors(found, network):
            return Child(pending=True)
        if not is_ours(found, network):
            return Child(
                problem=f'{kind} "{name}" exists and is not controlled by this network: delete or rename one of them'
            )
        history.want(desired)
        observed = found.body()
        repair = plan_repair(desired, observed)
        found = self._repair(found, observed, repair, tell, history)
        problem = ""
        if repair.immutable:
            fields = ", ".join(repair.immutable)
            problem = f'{kind} "{name}" differs in {fields}, which cannot change: delete it to replace it'
        return Child(found, problem, dispute=history.dispute)

    def _repair(
        self, found: Object, observed: Mapping[str, Any], repair: Repair, tell: Tell, history: RepairHistory
    ) -> Object:
        now = self._clock.now()
        if repair.body is None or not history.may_repair(now):
            history.looked(now)
            return found
        updated = self._update(found, repair.body, tell)
        history.repaired(now, self._describe_dispute(repair, observed, found, updated))
        return updated

    def _describe_dispute(self, repair: Repair, observed: Mapping[str, Any], found: Object, updated: Object) -> str:
        """Who is named is who wrote the field before us; nobody, if the API server itself did not take the repair."""
        field = repair.fields[0]
        what = f'{repair.body["kind"] if repair.body else "child"} "{updated.name}": {field}'
        if updated.resource_version == found.resource_version:
            return f"{what} is changed back as it is written: by an admission webhook or policy?"
        manager = manager_of(field, observed, but=self._field_manager)
        by = f'by "{manager}"' if manager else f'by somebody who writes as "{self._field_manager}", too'
        return f"{what} is changed again and again {by}"

    def _create(self, desired: Mapping[str, Any], tell: Tell) -> Child:
        kind, name = desired["kind"], desired["metadata"]["name"]
        try:
            created = self._resource.create(desired)
        except Conflict:
            raise
        except ApiError as error:
            tell(Notice(WARNING, f"{kind}NotCreated", f'{kind} "{name}" cannot be created: {error}'))
            raise
        logger.info("created", child=kind, name=name)
        tell(Notice(NORMAL, f"{kind}Created", f'created {kind} "{name}"'))
        return Child(created, created=True)

    def _update(self, found: Object, body: dict[str, Any], tell: Tell) -> Object:
        kind, name = body["kind"], found.name
        try:
            updated = self._resource.update(body)
        except Conflict:
            raise
        except ApiError as error:
            tell(Notice(WARNING, f"{kind}NotRepaired", f'{kind} "{name}" cannot be repaired: {error}'))
            raise
        if updated.resource_version == found.resource_version:
            logger.info("not repaired: the API server changed nothing", child=kind, name=name)
            return updated
        before, after = replicas_of(found.body()), replicas_of(body)
        logger.info("repaired", child=kind, name=name, replicas=after)
        if before != after:
            tell(Notice(NORMAL, "Scaled", f'scaled {kind} "{name}" from {before} to {after}'))
        else:
            tell(Notice(NORMAL, f"{kind}Repaired", f'set {kind} "{name}" back to what it should be'))
        return updated


def is_ours(child: Object, network: BitcoinNetwork) -> bool:
    """Whether this very network, and no namesake, controls the child."""
    owner = child.controller
    return owner is not None and owner.uid == network.metadata.uid


def _is_predecessors(child: Object, network: BitcoinNetwork) -> bool:
    """Whether it was left by a deleted network of this name: garbage collection is on its way."""
    owner = child.controller
    ours = (BITCOIN_NETWORKS.group, BITCOIN_NETWORKS.kind, network.name)
    return owner is not None and (owner.group, owner.kind, owner.name) == ours and owner.uid != network.metadata.uid


def replicas_of(body: Mapping[str, Any]) -> int | None:
    """`spec.replicas`, None for what has none."""
    replicas: int | None = body["spec"].get("replicas")
    return replicas
