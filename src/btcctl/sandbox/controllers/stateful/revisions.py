"""The history of a StatefulSet's pod template, as ControllerRevisions. Pure.

A revision is named after its content, so two equal templates have one revision and a collision
of names is a wrong-template bug, not bad luck.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from btcctl.resources import CONTROLLER_REVISIONS
from btcctl.sandbox.controllers.template_hash import template_hash

HASH_LABEL = "controller.kubernetes.io/hash"


@dataclass(frozen=True, slots=True)
class HistoryPlan:
    """Which revision is current, which is wanted, and what to write for it."""

    current: Mapping[str, Any]
    update: Mapping[str, Any]
    create: bool  #: `update` does not exist
    renumber: bool  #: `update` exists, but an older template has become the newest again


def plan_history(stateful_set: Mapping[str, Any], revisions: Sequence[Mapping[str, Any]]) -> HistoryPlan:
    """Find the set's revisions, or build the one that is missing.

    Args:
        stateful_set: The StatefulSet's body.
        revisions: The bodies of the ControllerRevisions it owns.
    """
    by_name = {each["metadata"]["name"]: each for each in revisions}
    newest = max((each["revision"] for each in revisions), default=0)
    wanted = build_revision(stateful_set, newest + 1)
    existing = by_name.get(wanted["metadata"]["name"])
    update: Mapping[str, Any] = wanted if existing is None else existing
    renumber = existing is not None and existing["revision"] != newest
    if renumber:
        update = {**update, "revision": newest + 1}
    current_name = stateful_set.get("status", {}).get("currentRevision", "")
    return HistoryPlan(by_name.get(current_name, update), update, create=existing is None, renumber=renumber)


def build_revision(stateful_set: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The ControllerRevision of the template the StatefulSet has now, without its owner."""
    metadata = stateful_set["metadata"]
    template = stateful_set["spec"]["template"]
    digest = template_hash(template)
    return {
        "apiVersion": CONTROLLER_REVISIONS.api_version,
        "kind": CONTROLLER_REVISIONS.kind,
        "metadata": {
            "name": f"{metadata['name']}-{digest}",
            "namespace": metadata["namespace"],
            "labels": {**template.get("metadata", {}).get("labels", {}), HASH_LABEL: digest},
        },
        "data": {"spec": {"template": {"$patch": "replace", **template}}},
        "revision": number,
    }


def template_of(revision: Mapping[str, Any]) -> dict[str, Any]:
    """The pod template that a revision remembers."""
    template = dict(revision["data"]["spec"]["template"])
    template.pop("$patch", None)
    return template


def surplus_revisions(
    revisions: Sequence[Mapping[str, Any]], live: Collection[str], limit: int
) -> list[Mapping[str, Any]]:
    """The oldest revisions beyond the limit.

    Args:
        revisions: All that the set owns.
        live: Names in use, by the status or by a pod: never surplus, and not counted.
        limit: `spec.revisionHistoryLimit`.
    """
    unused = sorted((each for each in revisions if each["metadata"]["name"] not in live), key=lambda r: r["revision"])
    return unused[: max(0, len(unused) - limit)]
