"""Which changes are worth a reconcile: plain functions, and ways to combine them."""

from __future__ import annotations

from collections.abc import Callable

from btcctl.objects import Object

#: Given the object before and after a change: None before it was added, None after it was deleted.
Predicate = Callable[[Object | None, Object | None], bool]


def generation_changed(old: Object | None, new: Object | None) -> bool:
    """Its spec changed; of a kind without generation, such as ConfigMap, Secret or Service, anything.

    Swallows resyncs and changes of labels, annotations and status.
    """
    if old is None or new is None or old.uid != new.uid:
        return True
    if not new.generation:  # which says nothing
        return resource_version_changed(old, new)
    return old.generation != new.generation


def resource_version_changed(old: Object | None, new: Object | None) -> bool:
    """Anything changed: swallows resyncs only."""
    return old is None or new is None or old.resource_version != new.resource_version


def labels_changed(old: Object | None, new: Object | None) -> bool:
    """Its labels changed, or it came or went: swallows everything else."""
    return old is None or new is None or old.labels != new.labels


def has_label(name: str) -> Predicate:
    """It carries the label before or after the change."""
    return lambda old, new: any(obj is not None and name in obj.labels for obj in (old, new))


def all_of(*predicates: Predicate) -> Predicate:
    """Every one of them says so."""
    return lambda old, new: all(each(old, new) for each in predicates)


def any_of(*predicates: Predicate) -> Predicate:
    """At least one of them says so."""
    return lambda old, new: any(each(old, new) for each in predicates)


def not_(predicate: Predicate) -> Predicate:
    """It says no."""
    return lambda old, new: not predicate(old, new)
