"""Who goes with its owners, and who waits for its dependents: what any garbage collector decides, wherever it looks.

It looks at an object that has changed, at the dependents of one that is gone or is being deleted, and at the owners of
one that is gone or has let go of them.

Source: kubernetes 1.36.2, pkg/controller/garbagecollector/garbagecollector.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"  # finalizers
_Body = Mapping[str, Any]


class UnknownOwnerError(LookupError):
    """Nobody can tell whether it lives: its kind is not served, or a reference cannot lead there."""


class Objects(Protocol):
    """What a collector sees, and what it can do. Changes hold for the version of the object that was seen only."""

    def owner(self, reference: _Body, namespace: str) -> _Body | None:
        """What a reference of an object in that namespace means; None: it is gone.

        Raises:
            UnknownOwnerError: Nobody can tell.
        """

    def dependents(self, uid: str) -> Iterable[_Body]: ...

    def delete(self, body: _Body, policy: str) -> None: ...

    def change(self, body: _Body, metadata: _Body) -> _Body:
        """Set these fields of the object's metadata; returns the object then."""


def collect(objects: Objects, body: _Body) -> None:
    """Do what its owners, or its own deletion, ask for.

    Raises:
        UnknownOwnerError: Nobody can tell what its owners ask for. Nothing was done.
    """
    uid, finalizers = body["metadata"]["uid"], body["metadata"].get("finalizers") or ()
    if not body["metadata"].get("deletionTimestamp"):
        _follow_owners(objects, body)
    elif ORPHAN in finalizers:
        for each in objects.dependents(uid):
            objects.change(each, {"ownerReferences": [other for other in _references(each) if other["uid"] != uid]})
        objects.change(body, {"finalizers": [each for each in finalizers if each != ORPHAN]})
    elif FOREGROUND in finalizers and not any(_blocks(each, uid) for each in objects.dependents(uid)):
        objects.change(body, {"finalizers": [each for each in finalizers if each != FOREGROUND]})


def _follow_owners(objects: Objects, body: _Body) -> None:
    """Delete an object none of whose owners stays; let go of those that do not."""
    metadata, references = body["metadata"], _references(body)
    owners = [objects.owner(each, metadata.get("namespace") or "") for each in references]
    staying = [each for each, owner in zip(references, owners, strict=True) if owner and not _waits(owner)]
    if staying and len(staying) < len(references):
        objects.change(body, {"ownerReferences": staying})
    elif references and not staying:
        below = [*objects.dependents(metadata["uid"])]
        is_waited_for = any(owners) and bool(below)
        if is_waited_for and any(map(_waits, below)):  # perhaps a circle, in which each would wait for the next
            loose = [{**each, "blockOwnerDeletion": False} for each in references]
            body = objects.change(body, {"ownerReferences": loose})
        objects.delete(body, "Foreground" if is_waited_for else _policy(metadata.get("finalizers") or ()))


def _policy(finalizers: Iterable[str]) -> str:
    """As somebody has asked for already."""
    return "Orphan" if ORPHAN in finalizers else "Foreground" if FOREGROUND in finalizers else "Background"


def _waits(owner: _Body) -> bool:
    """Whether it goes when those are gone that block it."""
    metadata = owner["metadata"]
    return bool(metadata.get("deletionTimestamp")) and FOREGROUND in (metadata.get("finalizers") or ())


def _blocks(dependent: _Body, owner: str) -> bool:
    return any(each["uid"] == owner and each.get("blockOwnerDeletion") for each in _references(dependent))


def _references(body: _Body) -> list[_Body]:
    return body["metadata"].get("ownerReferences") or []
