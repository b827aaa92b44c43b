"""What is read of one collection: get, list, watch, logs, and to wait until an object is as one wants it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from btcctl.errors import Gone, NotFound, ObjectDecodeError
from btcctl.logging import get_logger
from btcctl.metadata import TypeMeta
from btcctl.mistakes import check_is
from btcctl.objects import ListPage, Object, ObjectKey
from btcctl.resources import ResourceType
from btcctl.rest.answers import decode_answer
from btcctl.rest.collection.addressing import explained, path_of
from btcctl.rest.collection.caller import Caller
from btcctl.rest.collection.logs import LogLines, log_query
from btcctl.rest.collection.waiting import Condition, follow_until
from btcctl.rest.limits import ReadLimits, StreamLimits
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request, Response
from btcctl.rest.watching.lister_watcher import ResourceListerWatcher, StreamingListerWatcher
from btcctl.rest.watching.pages import PageDecoder
from btcctl.rest.watching.stream import WatchStream
from btcctl.secret import hiding_frames
from btcctl.threads import Stop

logger = get_logger(__name__)

LIMITS = ReadLimits()
# Without bookmarks a stream may rightly be silent until the server ends it, after at most an hour.
SILENT_IDLE_SECONDS = 3700.0


class ReadableResource:
    """The half of a `Resource` that changes nothing. Thread-safe; cheap to make.

    Args:
        metadata_only: Lists and watches bring objects with nothing but their metadata.

    Attributes:
        type: What kind of objects it holds.
        namespace: "" for all namespaces, or cluster scope.
    """

    def __init__(
        self, client: Caller, type_: ResourceType, namespace: str = "", *, metadata_only: bool = False
    ) -> None:
        check_is("the namespace of a collection", namespace, str, 'one text, or "" for all')
        if namespace:
            type_.path(namespace)  # says if it is none
        self.type = type_
        self.namespace = namespace
        self._client = client
        self._metadata_only = metadata_only
        self._type_meta = type_.type_meta if not client.cluster else replace(type_.type_meta, cluster=client.cluster)
        of_metadata = _METADATA_ONLY if not client.cluster else replace(_METADATA_ONLY, cluster=client.cluster)
        self._listed_meta = of_metadata if metadata_only else self._type_meta

    @property
    def cluster(self) -> str:
        """Where it is, in a program that looks after several clusters; else ""."""
        return self._client.cluster

    def get(self, key: ObjectKey, *, subresource: str = "") -> Object:
        """Read one object, or a subresource of it that is an object itself, such as "scale".

        Raises:
            NotFound: There is none; the message says so if there is no such kind.
        """
        return self._object(self._call(Request("GET", self._path(key, subresource))))

    def list(
        self, *, label_selector: str = "", field_selector: str = "", page_size: int = 500
    ) -> tuple[list[Object], str]:
        """Read all pages.

        Returns:
            The objects, and the list's resourceVersion, from which a watch can go on.
        """
        items: list[Object] = []
        token = ""
        seen: set[str] = set()
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
                if not token or not page_size:
                    raise
                # The snapshot the pages come from has expired: everything at once cannot.
                items, token, page_size = [], "", 0
                seen.clear()
                continue
            items += page.items
            for error in page.unreadable:
                logger.warning("object left out of a list", list=str(self.type), error=error)
            token = page.continue_token
            if not token:
                return items, page.resource_version
            if token in seen:
                raise ObjectDecodeError(f"the list of {self.type} does not end: the same continue token came twice")
            seen.add(token)

    @hiding_frames
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
        query = selectors(label_selector, field_selector)
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
        page = PageDecoder(f"list of {self.type}", self._listed_meta)
        request = Request("GET", self._collection(), query, headers, receive=page.feed)
        response = self._call(request, timeout=limits.list_seconds, breaker=breaker, stop=stop)
        page.feed(response.body)  # of a transport that gives it all at once
        return page.finish()

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
        query = {"watch": "true", **selectors(label_selector, field_selector)}
        query |= without_empty(
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
        try:
            return self._client.open_watch(
                request,
                limits=stream_limits,
                breaker=breaker or Breaker(),
                type_meta=self._listed_meta,
            )
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
            ReadableResource(self._client, self.type, self.namespace, metadata_only=metadata_only),
            label_selector=label_selector,
            field_selector=field_selector,
            limits=limits,
            clock=self._client.clock,
        )

    def logs(
        self,
        key: ObjectKey,
        *,
        container: str = "",
        follow: bool = False,
        previous: bool = False,
        since_seconds: int | None = None,
        tail_lines: int | None = None,
        timestamps: bool = False,
        idle_seconds: float | None = None,
    ) -> LogLines:
        """What a pod's container has written, line by line as it comes. Leave its `with` block.

        Args:
            container: May be left out if the pod has one, or names a default one.
            follow: Go on with what is written from now on, until the container ends.
            previous: Of the container's last run instead of this one.
            since_seconds: Only what is not older.
            tail_lines: Only so many of the last lines.
            timestamps: Begin each line with the time (RFC 3339) it was written at.
            idle_seconds: How long nothing may come; with `follow` for ever if None, else 60 s.

        Raises:
            NotFound: There is no such pod.
            BadRequest: There is no such container, or it has not started.
            ValueError: A number is out of range.
        """
        query = log_query(container, follow, previous, since_seconds, tail_lines, timestamps)
        request = Request("GET", self._path(key, "log"), query, {"Accept": "*/*"})
        return LogLines.open(self._client, request, follow=follow, idle_seconds=idle_seconds)

    def wait_until(self, key: ObjectKey, condition: Condition, *, timeout: float) -> Object | None:
        """Wait until an object is as `condition` wants it: read it once, then watch it alone.

        Args:
            condition: Given the object as it is, None while there is none: `lambda obj: obj is None` waits for
                its end. Called in this thread; what it raises is raised.
            timeout: Seconds.

        Returns:
            The object for which the condition was true: None if that was its absence.

        Raises:
            DeadlineExceeded: It was never so in time; says what was seen last.
            NotFound: There is no such kind.
        """
        self._path(key)  # says if it is none of ours
        collection = ReadableResource(self._client, self.type, key.namespace)
        return follow_until(collection, key, condition, timeout=timeout, clock=self._client.clock)

    def _call(self, request: Request, **options: Any) -> Response:
        try:
            return self._client.call(request, **options)
        except NotFound as error:
            raise explained(error, self.type) from error

    def _accept(self, metadata_form: str) -> dict[str, str]:
        if not self._metadata_only:
            return {}
        return {"Accept": f"application/json;as={metadata_form};g=meta.k8s.io;v=v1"}

    def _collection(self) -> str:
        return self.type.path(self.namespace)

    def _path(self, key: ObjectKey, subresource: str = "") -> str:
        return path_of(self.type, self.namespace, key, subresource, cluster=self._client.cluster)

    @hiding_frames
    def _object(self, response: Response) -> Object:
        try:
            return Object.from_raw(response.body, self._type_meta)
        except ObjectDecodeError:
            decode_answer(response, str(self.type))  # says more, if it is no JSON at all
            raise


_METADATA_ONLY = TypeMeta("meta.k8s.io/v1", "PartialObjectMetadata")


def selectors(labels: str, fields: str) -> dict[str, str]:
    """The part of a query that chooses objects.

    Raises:
        TypeError: One is no text.
    """
    given: tuple[Any, ...] = (labels, fields)  # by programs that no type checker has seen
    for each in given:
        if not isinstance(each, str):
            raise TypeError(f"a selector is text like 'app=web,tier!=db', not of type {type(each).__name__}")
    return without_empty(labelSelector=labels, fieldSelector=fields)


def without_empty(**items: Any) -> dict[str, Any]:
    return {name: value for name, value in items.items() if value}
