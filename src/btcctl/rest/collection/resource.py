"""One collection of the API: what is read of it, and create, update, patch, apply, delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from btcctl import codecs
from btcctl.errors import NotFound, ObjectDecodeError
from btcctl.json_values import encode_json
from btcctl.mistakes import check_is
from btcctl.objects import Object, ObjectKey
from btcctl.rest.answers import decode_answer
from btcctl.rest.collection.addressing import checked_patch, explained, explained_status, metadata_of
from btcctl.rest.collection.differences import merge_patch
from btcctl.rest.collection.field_manager import MUST_BE_CHOSEN, checked_manager
from btcctl.rest.collection.reading import ReadableResource, selectors, without_empty
from btcctl.rest.collection.written import record_deletion, record_deletions, record_eviction, record_write
from btcctl.rest.transport.transport import Request, Response
from btcctl.secret import SecretBytes, hiding_bodies, hiding_frames


class PatchKind(Enum):
    """How a patch is to be understood: its Content-Type."""

    MERGE = "application/merge-patch+json"  #: RFC 7386: null deletes, lists are replaced
    JSON = "application/json-patch+json"  #: RFC 6902: a list of operations
    STRATEGIC = "application/strategic-merge-patch+json"  #: lists merged by key; built-in kinds only
    APPLY = "application/apply-patch+yaml"  #: server-side apply: all that this field manager wants


class Resource(ReadableResource):
    """One collection. Thread-safe; cheap to make.

    Every call has a timeout, and raises errors of `btcctl.errors`; what cannot be asked of a server is refused before,
    by ValueError or TypeError: a key of another namespace than the collection's, a body that is no JSON.

    What is sent is in no local variable of ours while it is on its way: bodies may be secrets, and tracebacks may be
    rendered with the values of variables.

    Args:
        metadata_only: Lists and watches bring objects with nothing but their metadata.

    Attributes:
        type: What kind of objects it holds.
        namespace: "" for all namespaces, or cluster scope.
    """

    @property
    def field_manager(self) -> str:
        """Owns what is written, if a call names no other."""
        return self._client.field_manager

    @hiding_bodies
    def create(self, body: Mapping[str, Any]) -> Object:
        """Create an object, in the body's namespace or else this collection's.

        Raises:
            AlreadyExists: There is one of that name.
            Invalid: It breaks its schema.
            ValueError: A namespaced object has no namespace.
        """
        namespace = self._namespace_of(body)
        if self.type.namespaced and not namespace:
            raise ValueError(f"{self.type} needs a namespace")
        content = _encoded(self._complete(body))
        del body
        return self._write("POST", self.type.path(namespace), content)

    @hiding_bodies
    def update(self, body: Mapping[str, Any], *, subresource: str = "") -> Object:
        """Replace an object, or a subresource; its resourceVersion guards against overwriting others' changes.

        Args:
            subresource: "status" (nothing else of the body counts), "scale" (the body is a Scale, as `get` gives it),
                or "" for the object itself.

        Raises:
            Conflict: It has changed since: read it again.
            NotFound: It is gone.
        """
        path = self._path(self._key_of(body), subresource)
        content = SecretBytes(encode_json(self._complete(body)))
        del body
        return self._write("PUT", path, content)

    @hiding_bodies
    def update_status(self, body: Mapping[str, Any]) -> Object:
        """Replace an object's status, and nothing else. NotFound may mean that its CRD has no status subresource."""
        path = self._path(self._key_of(body), "status")
        content = _encoded(self._complete(body))
        del body
        try:
            return self._write("PUT", path, content)
        except NotFound as error:
            raise explained_status(error) from error

    @hiding_bodies
    def patch(
        self,
        key: ObjectKey,
        patch: Mapping[str, Any] | Sequence[Any],
        *,
        kind: PatchKind = PatchKind.MERGE,
        subresource: str = "",
        force: bool = False,
        field_manager: str | None = None,
    ) -> Object:
        """Change part of an object; APPLY creates it if it is missing.

        Args:
            patch: A list of operations for JSON, a partial object for the others.
            subresource: "status", "scale" or "" for the object itself.
            force: Take over fields that other managers own (APPLY only).
            field_manager: Instead of the client's.

        Raises:
            Conflict: The patch names an old resourceVersion; or, with APPLY, another manager's
                fields, which `causes` lists.
            ValueError: `force` without APPLY; APPLY without a field manager that was chosen.
        """
        if force and kind is not PatchKind.APPLY:
            raise ValueError("only an apply can be forced")
        query = self._patch_query(kind, field_manager, force=force)
        patch = checked_patch(patch)
        is_manifest = kind is PatchKind.APPLY and isinstance(patch, Mapping)
        content = _encoded(self._complete(patch) if is_manifest else patch)  # type: ignore[arg-type]
        del patch
        return self._patch(key, content, kind, query, subresource)

    @hiding_bodies
    def patch_from(
        self,
        old: Object | Mapping[str, Any],
        new: Mapping[str, Any],
        *,
        subresource: str = "",
        locked: bool = False,
    ) -> Object:
        """Send what makes `new` of `old`, as a merge patch: what was not changed here stays as others have it.

        Nothing is sent if they are the same. A list that differs is sent whole.

        Args:
            old: As it was read.
            new: As it is to be.
            subresource: "status", "scale" or "" for the object itself.
            locked: Only if the object still has `old`'s resourceVersion: needed where lists are changed.

        Returns:
            What the server made of it; `old` if there was no difference.

        Raises:
            Conflict: `locked`, and it has changed since.
            ValueError: They are two objects, or `locked`, and `old` has no resourceVersion.
        """
        before = old if isinstance(old, Object) else Object.from_body(old)
        key = ObjectKey(before.namespace or self.namespace, before.name, self._client.cluster)
        uid = metadata_of(new).get("uid", before.uid)
        if self._key_of(new) != key or uid != before.uid:
            raise ValueError(f"a patch from {key} cannot make {self._key_of(new)} of it: that is another object")
        patch = merge_patch(before.body(), {"apiVersion": self.type.api_version, "kind": self.type.kind, **new})
        for name in ("apiVersion", "kind"):  # which items of a list come without
            patch.pop(name, None)
        patch_meta = patch.get("metadata")
        if patch_meta is not None:
            for name in _OF_THE_SERVER:
                patch_meta.pop(name, None)
            if not patch_meta:
                del patch["metadata"]
        if not patch:
            return before
        if locked:
            if not before.resource_version:
                raise ValueError(f"{key} has no resourceVersion that the patch could be locked to")
            patch["metadata"] = {**(patch.get("metadata") or {}), "resourceVersion": before.resource_version}
        content, query = _encoded(patch), self._patch_query(PatchKind.MERGE, None)
        del old, new, patch, patch_meta
        return self._patch(key, content, PatchKind.MERGE, query, subresource)

    @hiding_bodies
    def apply(
        self,
        body: Mapping[str, Any],
        *,
        force: bool = False,
        field_manager: str | None = None,
        subresource: str = "",
    ) -> Object:
        """Server-side apply: make an object hold all that `body` says, and drop what it no longer says.

        Creates the object if it is missing. Fields of others stay theirs.

        Args:
            body: A whole manifest, but only of what this field manager wants.
            force: Take over fields that other managers own.
            field_manager: Instead of the client's.
            subresource: "status", "scale" or "" for the object itself.

        Raises:
            Conflict: Others own some of the fields, which `causes` lists.
            ValueError: No field manager was chosen: neither here nor for the client.
        """
        query = self._patch_query(PatchKind.APPLY, field_manager, force=force)
        key, content = self._key_of(body), _encoded(self._complete(body))
        del body
        return self._patch(key, content, PatchKind.APPLY, query, subresource)

    def delete(
        self,
        key: ObjectKey,
        *,
        uid: str = "",
        resource_version: str = "",
        propagation_policy: str = "",
        grace_period_seconds: int | None = None,
    ) -> None:
        """Ask for an object's deletion, which its finalizers or its grace period may delay.

        Args:
            uid: Delete only this incarnation.
            resource_version: Delete only this version.
            propagation_policy: What becomes of dependents: Background, Foreground or Orphan;
                the server's default if "".
            grace_period_seconds: For pods: seconds to shut down in; the pod's own if None.

        Raises:
            NotFound: It is gone already.
            Conflict: Another incarnation or version is there.
        """
        preconditions = without_empty(uid=uid, resourceVersion=resource_version)
        options = _delete_options(propagation_policy, grace_period_seconds) | without_empty(preconditions=preconditions)
        answer = self._call(Request("DELETE", self._path(key), {}, _JSON, codecs.encode(options)))
        if not answer.is_hypothetical:
            record_deletion(self.type, key.within(self._client.cluster), answer.body)

    def delete_collection(
        self,
        *,
        label_selector: str = "",
        field_selector: str = "",
        propagation_policy: str = "",
        grace_period_seconds: int | None = None,
        dry_run: bool = False,
    ) -> None:
        """Ask for the deletion of all objects that are selected: of the whole namespace without selectors.

        Args:
            propagation_policy: As for `delete`.
            grace_period_seconds: As for `delete`.
            dry_run: The server only says whether it would.

        Raises:
            ValueError: This is a collection over all namespaces, which no server deletes at once; or a selector is
                blank, which a server reads as everything.
        """
        if self.type.namespaced and not self.namespace:
            raise ValueError(f"{self.type} can be deleted in one namespace at a time: client.resource(type, namespace)")
        options = _delete_options(propagation_policy, grace_period_seconds)
        query = selectors(label_selector, field_selector)
        for name, given in query.items():
            if not given.strip(" ,"):
                raise ValueError(f"{name} {given!r} selects everything: leave it out if that is what is to be deleted")
        if dry_run:
            options["dryRun"], query["dryRun"] = ["All"], "All"
        answer = self._call(Request("DELETE", self._collection(), query, _JSON, codecs.encode(options)))
        if not (dry_run or answer.is_hypothetical):
            record_deletions(self.type, answer.body, self._client.cluster)

    def evict(self, key: ObjectKey, *, grace_period_seconds: int | None = None, uid: str = "") -> None:
        """Ask for a pod's deletion if its disruption budgets allow that.

        Raises:
            TooManyRequests: They do not, at the moment.
            NotFound: It is gone already.
        """
        options = _delete_options("", grace_period_seconds) | without_empty(preconditions=without_empty(uid=uid))
        metadata = {"name": key.name, "namespace": key.namespace}
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata, "deleteOptions": options}
        answer = self._post(key, "eviction", _encoded(eviction))
        if not answer.is_hypothetical:
            record_eviction(self.type, key.within(self._client.cluster), uid)

    @hiding_bodies
    def subresource_post(self, key: ObjectKey, subresource: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST to a subresource, such as a pod's "binding"; returns the answer as it came."""
        content = _encoded(body)
        del body
        return decode_answer(self._post(key, subresource, content), f"{self.type} {key}, {subresource}")

    def _post(self, key: ObjectKey, subresource: str, content: SecretBytes) -> Response:
        query = {"fieldManager": self._client.field_manager}
        return self._call(Request("POST", self._path(key, subresource), query, _JSON, content))

    def _namespace_of(self, body: Mapping[str, Any]) -> str:
        return metadata_of(body).get("namespace") or self.namespace

    def _key_of(self, body: Mapping[str, Any]) -> ObjectKey:
        metadata = metadata_of(body)
        name = metadata.get("name") or ""
        return ObjectKey(metadata.get("namespace") or self.namespace, name, self._client.cluster)

    def _complete(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """With the kind, which items of a list of a built-in kind come without."""
        return {"apiVersion": self._type_meta.api_version, "kind": self._type_meta.kind, **body}

    def _patch_query(self, kind: PatchKind, field_manager: str | None, *, force: bool = False) -> dict[str, str]:
        check_is("the kind of a patch", kind, PatchKind, "PatchKind.MERGE or another")
        if kind is not PatchKind.APPLY:
            return {"fieldManager": checked_manager(field_manager) if field_manager else self._client.field_manager}
        if not field_manager and not self._client.has_chosen_field_manager:
            raise ValueError(MUST_BE_CHOSEN)
        manager = checked_manager(field_manager) if field_manager else self._client.field_manager
        return {"fieldManager": manager, "force": "true" if force else "false"}

    def _patch(
        self, key: ObjectKey, content: SecretBytes, kind: PatchKind, query: Mapping[str, str], subresource: str
    ) -> Object:
        request = Request("PATCH", self._path(key, subresource), query, {"Content-Type": kind.value}, content)
        # A JSON patch may add to a list: twice is not once.
        obj = self._object(self._call(request, idempotent=kind is not PatchKind.JSON))
        record_write(self.type, obj, may_be_new=kind is PatchKind.APPLY)
        return obj

    @hiding_frames
    def _write(self, method: str, path: str, content: SecretBytes) -> Object:
        query = {"fieldManager": self._client.field_manager}
        try:
            answer = self._client.call(Request(method, path, query, _JSON, content))
        except NotFound as error:
            raise explained(error, self.type) from error
        try:
            obj = Object.from_raw(answer.body, self._type_meta)
        except ObjectDecodeError:
            obj = self._object(answer)  # says more
        record_write(self.type, obj, may_be_new=method == "POST")
        return obj


_JSON = {"Content-Type": "application/json"}
# Metadata that no patch changes: a manifest that was not read from the server says nothing of it.
_OF_THE_SERVER = (
    "uid",
    "namespace",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
)


def _encoded(body: Any) -> SecretBytes:
    return SecretBytes(encode_json(body))


def _delete_options(propagation_policy: str, grace_period_seconds: int | None) -> dict[str, Any]:
    options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
    options |= without_empty(propagationPolicy=propagation_policy)
    if grace_period_seconds is not None:
        check_is("grace_period_seconds", grace_period_seconds, int, "a whole number of seconds")
        options["gracePeriodSeconds"] = grace_period_seconds
    return options
