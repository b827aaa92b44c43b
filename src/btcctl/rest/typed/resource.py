"""One collection, read and written as values of a type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, overload

from btcctl.errors import NotFound, ObjectDecodeError
from btcctl.json_values import is_same_json
from btcctl.objects import Object, ObjectKey
from btcctl.resources import ResourceType
from btcctl.rest.collection.differences import merge_patch
from btcctl.rest.collection.resource import PatchKind, Resource
from btcctl.rest.typed.applied import is_applied
from btcctl.secret import hiding_bodies
from btcctl.typed.differences import overlaid
from btcctl.typed.kinds import TypedKind
from btcctl.typed.owners import add_controller
from btcctl.typed.typed_object import CustomResource, TypedObject
from btcctl.typed.values import body_of, body_of_part, decoded, require_class, require_status, with_path_first

T = TypeVar("T")
S = TypeVar("S")
Many: TypeAlias = list[T]


class HasKey(Protocol):
    """A TypedObject, or another object that knows its key."""

    @property
    def key(self) -> ObjectKey: ...


class TypedResource(Generic[T]):
    """One collection of objects of a class. Thread-safe; cheap to make. Errors are those of `Resource`.

    What is written is checked first against the class, fields that the class does not know stay as they are, and what
    would change nothing is not sent.

    Args:
        untyped: The collection.
        kind: What its objects are.

    Attributes:
        untyped: For all that is not here: pages, watches, logs, evictions, other subresources.
        model: The class.
    """

    def __init__(self, untyped: Resource, kind: TypedKind[T]) -> None:
        self.untyped = untyped
        self.model = kind.model

    @property
    def type(self) -> ResourceType:
        """What kind of objects it holds."""
        return self.untyped.type

    def get(self, key: ObjectKey) -> T:
        """Read one object.

        Raises:
            NotFound: There is none; the message says so if there is no such kind.
            ObjectDecodeError: It does not fit the class; says where.
        """
        return self._decoded(self.untyped.get(key))

    def find(self, key: ObjectKey) -> T | None:
        """As `get`; None if there is none."""
        try:
            return self.get(key)
        except NotFound as error:
            if not error.details.get("name"):  # there is no such kind
                raise
            return None

    def list(self, *, label_selector: str = "", field_selector: str = "") -> Many[T]:
        """Read all of them.

        Raises:
            ObjectDecodeError: One does not fit the class; says which, and where.
        """
        objects, _ = self.untyped.list(label_selector=label_selector, field_selector=field_selector)
        return [self._decoded(each) for each in objects]

    @hiding_bodies
    def create(self, obj: T) -> T:
        """Create an object, in its namespace or else this collection's.

        Raises:
            AlreadyExists: There is one of that name.
            Invalid: It breaks its schema.
            TypeError: It does not fit the class; says where.
        """
        return self._decoded(self.untyped.create(self._body_of(obj)))

    @hiding_bodies
    def update(self, obj: T, *, subresource: str = "") -> T:
        """Replace what the class knows of an object, for the version that it was read from.

        Returns:
            What the server made of it; `obj` as it was read if there was no difference.

        Raises:
            Conflict: It has changed since: read it again.
            NotFound: It is gone.
            TypeError: It does not fit the class; says where.
        """
        body = self._body_of(obj)
        read = self._as_read(obj, body)
        known = body_of(decoded(read, self.model))
        difference = merge_patch(known, body)
        difference.get("metadata", {}).pop("resourceVersion", None)
        if not difference or difference == {"metadata": {}}:
            return self._decoded(read)
        whole = overlaid(read.body(), known, body)
        if version := (body.get("metadata") or {}).get("resourceVersion"):
            whole["metadata"]["resourceVersion"] = version
        return self._decoded(self.untyped.update(whole, subresource=subresource))

    @overload
    def write_status(self, obj: CustomResource[Any, S], status: S) -> T: ...
    @overload
    def write_status(self, obj: TypedObject, status: Mapping[str, Any]) -> T: ...
    @hiding_bodies
    def write_status(self, obj: TypedObject, status: Any) -> T:
        """Make `status` the object's. Sent only if it differs from what was read.

        Raises:
            Conflict: It has changed since it was read.
            TypeError: It does not fit the class; says where.
        """
        read = self._as_read(obj, self._body_of(obj))
        what = f"status of {obj.key}"
        require_status(status, self.model, what)
        body = read.body()
        wanted = body_of_part(status, what)
        try:
            decoded(Object.from_body({**body, "status": wanted}, read.type_meta), self.model)
        except ObjectDecodeError as error:
            _, _, complaint = str(error).partition(" cannot be decoded: ")
            raise TypeError(f"{what}: {with_path_first(complaint).removeprefix('status.')}") from None
        if is_same_json(wanted, body.get("status")):
            return self._decoded(read)
        return self._decoded(self.untyped.update_status({**body, "status": wanted}))

    @hiding_bodies
    def apply(
        self,
        obj: T,
        *,
        owner: TypedObject | None = None,
        cached: T | Object | None = None,
        force: bool = False,
        field_manager: str | None = None,
    ) -> T:
        """Server-side apply: make an object hold all that `obj` says, and drop what it no longer says.

        Creates the object if it is missing. Fields of others stay theirs.

        Args:
            owner: What controls it: garbage collection takes it when the owner is deleted.
            cached: What a lister has. Nothing is sent if our fields in it are these, with these values already; with
                a transform that drops managedFields that is never known.
            force: Take over fields that other managers own.
            field_manager: Instead of the client's.

        Raises:
            Conflict: Others own some of the fields, which `causes` lists.
            TypeError: It does not fit the class; says where.
            ValueError: No field manager was chosen; the owner cannot be one.
        """
        body = {"apiVersion": self.type.api_version, "kind": self.type.kind, **self._body_of(obj)}
        body["metadata"] = _said_in(body.get("metadata") or {})
        if owner is not None:
            if owner.cluster != self.untyped.cluster:
                raise ValueError(
                    f"{owner.key} cannot own an object in another cluster: {self.untyped.cluster or 'home'}"
                )
            add_controller(body, self.type, owner)
        body.pop("status", None)
        known = cached.as_read if isinstance(cached, TypedObject) else cached
        manager = field_manager or self.untyped.field_manager
        if isinstance(known, Object) and is_applied(body, known.body(), manager):
            return self._decoded(known)
        return self._decoded(self.untyped.apply(body, force=force, field_manager=field_manager))

    @hiding_bodies
    def patch(
        self,
        key: ObjectKey | HasKey,
        patch: Mapping[str, Any] | Sequence[Any],
        *,
        kind: PatchKind = PatchKind.MERGE,
        subresource: str = "",
    ) -> T:
        """Change part of an object, as of `Resource`."""
        return self._decoded(self.untyped.patch(_key_of(key), patch, kind=kind, subresource=subresource))

    @hiding_bodies
    def patch_from(self, old: T, new: T, *, subresource: str = "", locked: bool = False) -> T:
        """Send what makes `new` of `old`, as a merge patch; nothing is sent if they are the same.

        Args:
            old: As it was read.
            new: As it is to be: for example `copy.deepcopy(old)`, changed.
            subresource: "status", or "" for the object itself.
            locked: Only if the object still has `old`'s resourceVersion: needed where lists are changed.

        Raises:
            Conflict: `locked`, and it has changed since.
            TypeError: One does not fit the class; says where.
        """
        return self._decoded(
            self.untyped.patch_from(body_of(old), body_of(new), subresource=subresource, locked=locked)
        )

    def delete(self, key: ObjectKey | HasKey, *, propagation_policy: str = "") -> None:
        """Ask for an object's deletion; of one that was read, only of that incarnation.

        Raises:
            NotFound: It is gone already.
            Conflict: Another incarnation is there.
        """
        uid = key.uid if isinstance(key, TypedObject) else ""
        self.untyped.delete(_key_of(key), uid=uid, propagation_policy=propagation_policy)

    def wait_until(self, key: ObjectKey, condition: Callable[[T | None], bool], *, timeout: float) -> T | None:
        """Wait until an object is as `condition` wants it, as of `Resource`."""

        def is_wanted(obj: Object | None) -> bool:
            return condition(None if obj is None else self._decoded(obj))

        found = self.untyped.wait_until(key, is_wanted, timeout=timeout)
        return None if found is None else self._decoded(found)

    def _body_of(self, obj: object) -> dict[str, Any]:
        require_class(obj, self.model, f"an object of {self.type}")
        return body_of(obj)

    def _decoded(self, obj: Object) -> T:
        return decoded(obj, self.model)

    def _as_read(self, obj: object, body: Mapping[str, Any]) -> Object:
        """What it was read from; of a copy, and of a class that keeps nothing, what the server has now."""
        if isinstance(obj, TypedObject) and obj.as_read is not None:
            return obj.as_read
        metadata = body.get("metadata") or {}
        key = ObjectKey(metadata.get("namespace") or self.untyped.namespace, metadata.get("name") or "")
        return self.untyped.get(key)


def _key_of(key: ObjectKey | HasKey) -> ObjectKey:
    return key if isinstance(key, ObjectKey) else key.key


#: What a manifest that is applied may say in its metadata; the rest is the server's.
_SAID = ("name", "namespace", "labels", "annotations", "ownerReferences", "finalizers")


def _said_in(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {name: metadata[name] for name in _SAID if name in metadata}
