"""Whether a new state of an object may be: what all kinds check, and what its own kind does."""

from __future__ import annotations

from typing import Any

from btcctl.apiserver.kinds import metadata as meta
from btcctl.apiserver.machinery import errors, names
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.objects.strategies import Strategy, strategy_of
from btcctl.apiserver.served.kind import Warn
from btcctl.apiserver.served.registry import Served
from btcctl.apiserver.storage.collection import Body


def validate(served: Served, new: dict[str, Any], old: Body | None, warn: Warn, *, subresource: str = "") -> None:
    """
    Args:
        old: What an update replaces.
        warn: Told what to warn of, some of it even if the object is refused.
        subresource: What is written of it; "" for all but the status.

    Raises:
        StatusError: It may not be.
    """
    if new.get("kind") != served.type.kind:
        raise errors.wrong_kind(served.type, new)
    strategy, metadata, is_status = strategy_of(served), new["metadata"], subresource == "status"
    causes = _of_metadata(served, strategy, new, old, is_status=is_status)
    causes += _of_kind(strategy, new, old, subresource)
    found, remarks = served.kind.validate(new, old, is_status=is_status)
    causes += found
    if old is None and not causes and not strategy.metadata.is_checked:  # every kind's rules for names are stricter
        causes = meta.validate(metadata, namespaced=served.type.namespaced, name_rule=names.path_name)
    if not causes and not subresource:
        remarks += strategy.remarks(new, old)
    for each in remarks:
        warn(each)
    if causes:
        raise errors.invalid_object(served.stored_type, metadata.get("name") or "", causes)


def _of_metadata(
    served: Served, strategy: Strategy, new: dict[str, Any], old: Body | None, *, is_status: bool
) -> list[Cause]:
    namespaced = served.type.namespaced
    if old is None:
        return meta.validate_new(new["metadata"], strategy.metadata, namespaced=namespaced)
    return meta.validate_update(
        new["metadata"], old["metadata"], strategy.metadata, namespaced=namespaced, is_status=is_status
    )


def _of_kind(strategy: Strategy, new: Body, old: Body | None, subresource: str) -> list[Cause]:
    if old is None:
        return [*strategy.check_new(new), *strategy.check(new)]
    if subresource == "status":
        return strategy.check_status(new, old)
    step = strategy.parts[subresource].check if subresource else strategy.check_update
    return [*strategy.check(new), *step(new, old)]
