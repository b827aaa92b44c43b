"""One collection of the API: get, list, create, update, patch, delete, watch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from btcctl import codecs
from btcctl.errors import Gone, NotFound, ObjectDecodeError
from btcctl.json_values import encode_json
from btcctl.logging import get_logger
from btcctl.metadata import TypeMeta
from btcctl.objects import ListPage, Object, ObjectKey
from btcctl.resources import ResourceType
from btcctl.rest.addressing import checked_patch, explained, explained_status, metadata_of, path_of
from btcctl.rest.answers import decode_answer
from btcctl.rest.breaker import Breaker
from btcctl.rest.caller import Caller
from btcctl.rest.limits import ReadLimits, StreamLimits
from btcctl.rest.lister_watcher import ResourceListerWatcher, StreamingListerWatcher
from btcctl.rest.pages import PageDecoder
from btcctl.rest.stream import WatchStream
from btcctl.rest.transport import Request, Response
from btcctl.rest.written import record_deletion, record_write
from btcctl.threads import Stop

logger = get_logger(__name__)

LIMITS = ReadLimits()
# Without bookmarks a stream may rightly be silent until the server ends it, after at most an hour.
SILENT_IDLE_SECONDS = 3700.0


class PatchKind(Enum):
    """How a patch is to be understood: its Content-Type."""

    MERGE = "application/merge-patch+json"  #: RFC 7386: null deletes, lists are replaced
    JSON = "application/json-patch+json"  #: RFC 6902: a list of operations
    STRATEGIC = "application/strategic-merge-patch+json"  #: lists merged by key; built-in kinds only
    APPLY = "application/apply-patch+yaml"  #: server-side apply: all that this field manager wants


class Resource:
    """One collection. Thread-safe; cheap to make.

    Every call has a timeout, and raises errors of `btcctl.errors`; what cannot be asked of a server is refused before,
    by ValueError or TypeError: a key of another namespace than the collection's, a body that is no JSON.

    Args:
        metadata_only: Lists and watches bring objects with nothing but their metadata.

    Attributes:
        type: What kind of objects it holds.
        namespace: "" for all namespaces, or cluster scope.
    """

    def __init__(
        self, client: Caller, type_: ResourceType, namespace: str = "", *, metadata_only: bool = False
    ) -> None:
        if namespace:
            type_.path(namespace)  # says if it is none
        self.type = type_
        self.namespace = namespace
        self._client = client
        self._metadata_only = metadata_only
        self._type_meta = type_.type_meta

    def get(self, key: ObjectKey) -> Object:
        """Read one object.

        Raises:
            NotFound: There is none.
        """
        return self._object(self._call(Request("GET", self._path(key))))

    def list(
        self, *, label_selector: str = "", field_selector: str = "", page_size: int = 500
    ) -> tuple[list[Object], str]:
        """Read all pages.

        Returns:
            The objects, and the list's resourceVersion, from which a watch can go on.
        """
        items: list[Object] = []
        token = ""
        while True:
            try:
                page = self.list_page(
                    resource_version="",
                    limit=page_size,
                    continue_token=token,
                    label_selector=label_selector,
                    field_selector=field_selector,
                )
            except Gone:
                if not token:
                    raise
                # The snapshot the pages come from has expired: everything at once cannot.
                items, token, page_size = [], "", 0
                continue
            items += page.items
            for error in page.unreadable:
                logger.warning("object left out of a list", list=str(self.type), error=error)
            token = page.continue_token
            if not token:
                return items, page.resource_version

    def list_page(
        self,
        *,
        resource_version: str,
        limit: int,
        continue_token: str = "",
        label_selector: str = "",
        field_selector: str = "",
        limits: ReadLimits = LIMITS,
        breaker: Breaker | None = None,
        stop: Stop | None = None,
    ) -> ListPage:
        """Read one page.

        Args:
            resource_version: "" for the newest state, "0" for whatever the server has at hand
                (all of it: the limit is ignored then), else a state not older than this.
                Ignored with `continue_token`.
            limit: Objects per page; 0 for all.
            continue_token: From the page before.
            limits: How long it may take.
            breaker: Breaks the call off.
            stop: Ends a wait that the server asked for.

        Raises:
            Gone: The token or the version is too old.
        """
        query = _selectors(label_selector, field_selector)
        if limit:
            query["limit"] = str(limit)
        if continue_token:
            query["continue"] = continue_token
        elif resource_version:
            query["resourceVersion"] = resource_version
            if resource_version != "0":  # with a limit it would mean exactly this version
                query["resourceVersionMatch"] = "NotOlderThan"
        headers = self._accept("PartialObjectMetadataList")
        if self._client.gzip:
            headers["Accept-Encoding"] = "gzip"
        page = PageDecoder(f"list of {self.type}", _METADATA_ONLY if self._metadata_only else self._type_meta)
        request = Request("GET", self._collection(), query, headers, receive=page.feed)
        response = self._call(request, timeout=limits.list_seconds, breaker=breaker, stop=stop)
        page.feed(response.body)  # of a transport that gives it all at once
        return page.finish()

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
        return self._write("POST", self.type.path(namespace), self._complete(body))

    def update(self, body: Mapping[str, Any]) -> Object:
        """Replace an object; its resourceVersion guards against overwriting others' changes.

        Raises:
            Conflict: It has changed since: read it again.
            NotFound: It is gone.
        """
        return self._write("PUT", self._path(self._key_of(body)), self._complete(body))

    def update_status(self, body: Mapping[str, Any]) -> Object:
        """Replace an object's status, and nothing else. NotFound may mean that its CRD has no status subresource."""
        try:
            return self._write("PUT", self._path(self._key_of(body), "status"), self._complete(body))
        except NotFound as error:
            raise explained_status(error) from error

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
            ValueError: `force` without APPLY.
        """
        if force and kind is not PatchKind.APPLY:
            raise ValueError("only an apply can be forced")
        body = checked_patch(patch)
        query = {"fieldManager": field_manager or self._client.field_manager}
        if kind is PatchKind.APPLY:
            query["force"] = "true" if force else "false"
            body = self._complete(patch) if isinstance(patch, Mapping) else body
        request = Request("PATCH", self._path(key, subresource), query, {"Content-Type": kind.value}, encode_json(body))
        # A JSON patch may add to a list: twice is not once.
        obj = self._object(self._call(request, idempotent=kind is not PatchKind.JSON))
        record_write(self.type, obj, may_be_new=kind is PatchKind.APPLY)
        return obj

    def apply(self, body: Mapping[str, Any], *, force: bool = False, field_manager: str | None = None) -> Object:
        """Server-side apply: make an object hold all that `body` says, and drop what it no longer says.

        Creates the object if it is missing. Fields of others stay theirs.

        Args:
            body: A whole manifest, but only of what this field manager wants.
            force: Take over fields that other managers own.
            field_manager: Instead of the client's.

        Raises:
            Conflict: Others own some of the fields, which `causes` lists.
        """
        key = self._key_of(body)
        return self.patch(key, body, kind=PatchKind.APPLY, force=force, field_manager=field_manager)

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
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
        preconditions = _without_empty(uid=uid, resourceVersion=resource_version)
        options |= _without_empty(preconditions=preconditions, propagationPolicy=propagation_policy)
        if grace_period_seconds is not None:
            options["gracePeriodSeconds"] = grace_period_seconds
        answer = self._call(Request("DELETE", self._path(key), {}, _JSON, codecs.encode(options)))
        if not answer.is_hypothetical:
            record_deletion(self.type, key, answer.body)

    def watch(
        self,
        *,
        resource_version: str,
        label_selector: str = "",
        field_selector: str = "",
        timeout_seconds: int | None = None,
        bookmarks: bool = True,
        initial_events: bool = False,
        limits: ReadLimits = LIMITS,
        breaker: Breaker | None = None,
    ) -> WatchStream:
        """Follow changes after `resource_version`, until the server ends the stream.

        Args:
            resource_version: From a list or an event. "" or "0" begin with an ADDED for each
                object there is.
            timeout_seconds: When the server is to end it; 30 to 60 minutes if None.
            bookmarks: Ask for BOOKMARK events, which keep the version to resume from fresh.
            initial_events: Begin with an ADDED for each object there is, as of a state not older
                than `resource_version` ("" for the newest), and a BOOKMARK that ends them.
            limits: How long silence, and the stream, may last.
            breaker: Breaks the stream off from another thread.

        Returns:
            A context manager that iterates over WatchEvents.

        Raises:
            Gone: The version is older than the server remembers: list again. May also come
                while iterating.
        """
        query = {"watch": "true", **_selectors(label_selector, field_selector)}
        query |= _without_empty(
            resourceVersion=resource_version,
            allowWatchBookmarks="true" if bookmarks else "",
            timeoutSeconds=str(timeout_seconds or ""),
            sendInitialEvents="true" if initial_events else "",
            resourceVersionMatch="NotOlderThan" if initial_events else "",
        )
        stream_limits = StreamLimits(
            limits.idle_seconds if bookmarks else SILENT_IDLE_SECONDS,
            limits.initial_idle_seconds if initial_events else None,
            timeout_seconds + limits.overrun_seconds if timeout_seconds else None,
        )
        request = Request("GET", self._collection(), query, self._accept("PartialObjectMetadata"))
        type_meta = _METADATA_ONLY if self._metadata_only else self._type_meta
        try:
            breaker = breaker or Breaker()
            return self._client.open_watch(request, limits=stream_limits, breaker=breaker, type_meta=type_meta)
        except NotFound as error:
            raise explained(error, self.type) from error

    def lister_watcher(
        self,
        *,
        label_selector: str = "",
        field_selector: str = "",
        metadata_only: bool = False,
        streaming: bool = False,
        limits: ReadLimits = LIMITS,
    ) -> ResourceListerWatcher:
        """What an informer reads this collection through; can be broken off as a whole.

        Args:
            metadata_only: Objects come with nothing but their metadata.
            streaming: Read what exists as the beginning of a watch (WatchList) instead of in pages, where
                the server knows how. Costs the server less and this side more.
            limits: How long it waits for the server.
        """
        kind = StreamingListerWatcher if streaming else ResourceListerWatcher
        return kind(
            Resource(self._client, self.type, self.namespace, metadata_only=metadata_only),
            label_selector=label_selector,
            field_selector=field_selector,
            limits=limits,
            clock=self._client.clock,
        )

    def subresource_post(self, key: ObjectKey, subresource: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST to a subresource, such as a pod's "binding"; returns the answer as it came."""
        query = {"fieldManager": self._client.field_manager}
        request = Request("POST", self._path(key, subresource), query, _JSON, encode_json(body))
        return decode_answer(self._call(request), f"{self.type} {key}, {subresource}")

    def _call(self, request: Request, **how: Any) -> Response:
        try:
            return self._client.call(request, **how)
        except NotFound as error:
            raise explained(error, self.type) from error

    def _accept(self, metadata_form: str) -> dict[str, str]:
        if not self._metadata_only:
            return {}
        return {"Accept": f"application/json;as={metadata_form};g=meta.k8s.io;v=v1"}

    def _collection(self) -> str:
        return self.type.path(self.namespace)

    def _path(self, key: ObjectKey, subresource: str = "") -> str:
        return path_of(self.type, self.namespace, key, subresource)

    def _namespace_of(self, body: Mapping[str, Any]) -> str:
        return metadata_of(body).get("namespace") or self.namespace

    def _key_of(self, body: Mapping[str, Any]) -> ObjectKey:
        return ObjectKey(self._namespace_of(body), metadata_of(body).get("name") or "")

    def _complete(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """With the kind, which items of a list of a built-in kind come without."""
        return {"apiVersion": self.type.api_version, "kind": self.type.kind, **body}

    def _write(self, method: str, path: str, body: Mapping[str, Any]) -> Object:
        query = {"fieldManager": self._client.field_manager}
        obj = self._object(self._call(Request(method, path, query, _JSON, encode_json(body))))
        record_write(self.type, obj, may_be_new=method == "POST")
        return obj

    def _object(self, response: Response) -> Object:
        try:
            return Object.from_raw(response.body, self._type_meta)
        except ObjectDecodeError:
            decode_answer(response, str(self.type))  # says more, if it is no JSON at all
            raise


_JSON = {"Content-Type": "application/json"}
_METADATA_ONLY = TypeMeta("meta.k8s.io/v1", "PartialObjectMetadata")


def _selectors(labels: str, fields: str) -> dict[str, str]:
    return _without_empty(labelSelector=labels, fieldSelector=fields)


def _without_empty(**items: Any) -> dict[str, Any]:
    return {name: value for name, value in items.items() if value}
