"""Get, list and watch."""

from __future__ import annotations

import random
from collections.abc import Callable

from btcctl.apiserver.machinery import errors
from btcctl.apiserver.objects.strategies import strategy_of
from btcctl.apiserver.printers.views import AVAILABLE_STREAMS, View, wanted_form
from btcctl.apiserver.requests import field_selectors
from btcctl.apiserver.requests import list_options as query
from btcctl.apiserver.requests.list_options import ListOptions
from btcctl.apiserver.requests.messages import ApiRequest, ApiResponse, WatchResponse, json_response
from btcctl.apiserver.requests.routing import Route
from btcctl.apiserver.served.registry import Served
from btcctl.apiserver.storage.collection import Body, Compacted, path_of
from btcctl.apiserver.storage.store import Records, Store, key_of
from btcctl.apiserver.storage.watches import Watch, WatchOptions

_WATCH_SECONDS = (1800, 3600)  # kube-apiserver's --min-request-timeout, and twice that
_LIST_EXPIRED = "The resourceVersion for the provided list is too old."
_CONTINUE_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
    "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
    "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
    "modified, or deleted between the time the first chunk was returned and now may show up in the list."
)


class Reader:
    """Answers reads from the store. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def view(self, route: Route, request: ApiRequest, *, can_stream: bool = False) -> View:
        """The form in which the client wants its answer.

        Args:
            can_stream: Whether it may be a watch.

        Raises:
            StatusError: 406, or a Table cannot include what is asked for.
        """
        available = AVAILABLE_STREAMS if can_stream else errors.MEDIA_TYPES
        form = wanted_form(
            request.headers.get("accept", ""),
            available if route.served.kind.lists_media_types else "",
            has_table=route.subresource != "status" or strategy_of(route.served).has_status_table,
        )
        return View(route.served, form, request.option("includeObject"), self._store.clock.wall_time)

    def get(self, route: Route, request: ApiRequest) -> ApiResponse:
        view = self.view(route, request)
        self._check_reached(query.object_version(request))
        record = self._store.get(route.served.collection, route.key)
        if record is None:
            raise errors.not_found(route.served.type, route.name)
        view.check(is_list=False)
        return json_response(200, view.record(record))

    def list(self, route: Route, request: ApiRequest) -> ApiResponse:
        view = self.view(route, request, can_stream=True)
        page, metadata = self.page(route, request)
        view.check(is_list=True)
        return json_response(200, view.list(page, metadata))

    def page(
        self, route: Route, request: ApiRequest, *, in_chunks: bool = False
    ) -> tuple[Records, dict[str, str | int]]:
        """The objects that a list is asked for, and the metadata of that list.

        Args:
            in_chunks: The server itself reads them bit by bit: a version is that very one, as it is with a limit.

        Raises:
            StatusError: What is asked for makes no sense, or is not there any more, or not yet.
        """
        options = query.list_options(request, watch=False)
        matches = _selection(route.served, "", options.label_selector, options.field_selector)
        self._check_reached(options.version)
        records, revision, start = self._snapshot(route, options, in_chunks=in_chunks)
        prefix = f"{route.namespace}/" if route.namespace else ""
        after = f"{prefix}{start}"
        rest = [each for each in records if matches(each.body) and (not start or path_of(key_of(each.body)) >= after)]
        limit = 0 if options.version == 0 else options.limit
        page = rest[:limit] if limit else rest
        metadata: dict[str, str | int] = {"resourceVersion": str(revision)}
        if len(page) < len(rest):
            last = path_of(key_of(page[-1].body)).removeprefix(prefix)
            metadata["continue"] = query.encode_continue(revision, f"/{last.removeprefix('/')}")
            if not (options.label_selector or options.field_selector):
                metadata["remainingItemCount"] = len(rest) - len(page)
        return page, metadata

    def watch(self, route: Route, request: ApiRequest) -> WatchResponse:
        """A watch, not yet started."""
        view = self.view(route, request, can_stream=True)
        if view.is_for_lists:
            raise errors.not_implemented("a watch of PartialObjectMetadataList")
        options = query.list_options(request, watch=True)
        field = f"metadata.name={route.name}" if route.name else ""
        fields = ",".join(each for each in (options.field_selector, field) if each)
        matches = _selection(route.served, route.namespace, options.label_selector, fields)
        from_state = options.initial_events or (options.version in {None, 0} and options.initial_events is None)
        since = None if from_state else (options.version or self._store.revision)
        seconds = options.timeout_seconds or random.uniform(*_WATCH_SECONDS)
        watch_options = WatchOptions(
            since=since,
            matches=matches,
            api_version=route.served.type.api_version,
            encode=None if view.is_direct else view.event,
            bookmark=view.bookmark,
            bookmarks=options.bookmarks,
            initial_end=options.bookmarks and since is None,
            deadline=self._store.clock.now() + seconds,
            waits=route.served.kind.conversion is not None,
        )
        headers = {"Cache-Control": "no-cache, private", "Content-Type": "application/json"}
        return WatchResponse(headers, Watch(self._store, route.served.collection, watch_options))

    def _snapshot(self, route: Route, options: ListOptions, *, in_chunks: bool) -> tuple[Records, int, str]:
        """The objects, their revision, and from where on they are wanted."""
        start = ""
        revision = None
        if options.continue_token:
            revision, start = query.decode_continue(options.continue_token)
            start = start.removeprefix("/")
        elif options.match == "Exact" or ((options.limit or in_chunks) and options.version and not options.match):
            revision = options.version
        if revision is not None and revision < 0:
            revision = None
        try:
            records, found = self._store.list(route.served.collection, route.namespace, revision)
        except Compacted as error:
            if not options.continue_token:
                raise errors.expired(_LIST_EXPIRED) from error
            token = query.encode_continue(-1, start.removesuffix("\0"))
            raise errors.expired(_CONTINUE_EXPIRED, continue_token=token) from error
        return records, found, start

    def _check_reached(self, version: int | None) -> None:
        """A real server waits 3 s for the future to come; this one knows that it is alone."""
        if version is not None and version > self._store.revision:
            raise errors.too_large_version(version, self._store.revision)


def _selection(served: Served, namespace: str, labels: str, fields: str) -> Callable[[Body], bool]:
    """What of the stored objects is asked for: fields are those that the version shows."""
    matches = field_selectors.select(served, namespace, labels, fields)
    kind = served.kind
    return (lambda body: matches(kind.seen_body(body))) if kind.is_converted else matches
