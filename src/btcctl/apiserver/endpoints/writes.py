"""Requests that change something: their bodies and options read, their answers written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

from msgspec import structs

from btcctl.apiserver.admission.admission import Admission
from btcctl.apiserver.admission.gate import Gate
from btcctl.apiserver.endpoints.reads import Reader
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.objects.apply import Applier
from btcctl.apiserver.objects.strategies import strategy_of
from btcctl.apiserver.objects.writer import Writer
from btcctl.apiserver.printers.views import View
from btcctl.apiserver.requests import bodies, patches
from btcctl.apiserver.requests import options as query
from btcctl.apiserver.requests.context import RequestContext
from btcctl.apiserver.requests.messages import ApiRequest, ApiResponse, json_response
from btcctl.apiserver.requests.options import DeleteOptions, Rights, WriteOptions
from btcctl.apiserver.requests.routing import Route
from btcctl.apiserver.served.kind import APPLY
from btcctl.apiserver.storage.answers import answered
from btcctl.apiserver.storage.collection import Record
from btcctl.apiserver.storage.conversions import as_served
from btcctl.apiserver.storage.store import Store, key_of


class Changes:
    """Answers create, update, patch, delete and deletecollection of objects and their status.

    Args:
        rights_of: What a client may do beyond what his request says; None for everything.
    """

    def __init__(
        self,
        store: Store,
        writer: Writer,
        reader: Reader,
        applier: Applier,
        admission: Admission,
        rights_of: Callable[[ApiRequest], Rights] | None,
    ) -> None:
        self._store = store
        self._rights_of = rights_of
        self._admission = admission
        self._writer = writer
        self._reader = reader
        self._applier = applier

    def handle(self, verb: str, context: RequestContext) -> ApiResponse:
        """
        Raises:
            StatusError: It may not be.
        """
        request, route = context.request, context.route
        if route.served.type.namespaced and not route.namespace:
            has_routes = route.served.kind.has_own_routes
            raise errors.method_not_allowed() if has_routes else errors.path_not_found()
        view = self._reader.view(route, request)  # an answer that cannot be given is refused before anything is done
        if verb == "create" and route.name:
            route = Route(route.served, route.namespace)
            context = structs.replace(context, route=route)
        if verb == "delete":
            options = self._delete_options(context)
            deleted = answered(lambda: self._writer.delete(route, options))
            is_accepted = not deleted.is_gone and options.is_old_style and options.policy == "Background"
            is_status = deleted.body.get("kind") == "Status"  # which every client gets as it is
            return json_response(202 if is_accepted else 200, deleted.body if is_status else view.body(deleted.body))
        if verb == "deletecollection":
            return self._delete_collection(context, view)
        handler = {"create": self._create, "update": self._update, "patch": self._patch}[verb]
        gate = self._gate(context)
        status, record = answered(lambda: handler(context, gate))
        return json_response(status, view.record(record))

    def _gate(self, context: RequestContext) -> Gate | None:
        return self._admission.gate(context, partial(query.admission_options, context.request))

    def _options(
        self, context: RequestContext, gate: Gate | None, kind: str, causes: Iterable[Cause] = ()
    ) -> WriteOptions:
        request = context.request
        rights = None if self._rights_of is None else self._rights_of(request)
        return query.write_options(request, kind, causes, gate=gate, rights=rights, warn=context.warn)

    def _delete_options(self, context: RequestContext) -> DeleteOptions:
        options, gate = query.delete_options(context.request), self._gate(context)
        remark = strategy_of(context.route.served).orphans
        if remark and not options.policy:
            context.warn(remark)
        return options if gate is None else replace(options, gate=gate)

    def _create(self, context: RequestContext, gate: Gate | None) -> tuple[int, Record]:
        options = self._options(context, gate, "CreateOptions")
        body, problems = bodies.read_object(context, context.route.served)
        return 201, self._writer.create(context.route, body, options, problems)

    def _update(self, context: RequestContext, gate: Gate | None) -> tuple[int, Record]:
        options = self._options(context, gate, "UpdateOptions")
        body, problems = bodies.read_object(context, context.route.served, self._known(context.route))
        updated, created = self._writer.update(context.route, body, options, problems)
        return (201 if created else 200), updated

    def _known(self, route: Route) -> Mapping[str, Any] | None:
        """How the object is; None if there is none."""
        record = self._store.get(route.served.collection, route.key)
        if record is None:
            return None
        body = as_served(record.body, route.served.type.api_version)
        return {**body, "metadata": dict(body["metadata"])}  # what is wrong there is mended in place

    def _patch(self, context: RequestContext, gate: Gate | None) -> tuple[int, Record]:
        request, route = context.request, context.route
        content_type = request.headers.get("content-type", "").partition(";")[0].strip()
        patches.check_type(route.served, content_type)
        is_apply = content_type == APPLY
        options = self._options(context, gate, "PatchOptions", _patch_causes(request, is_apply=is_apply))
        if is_apply:
            return self._applier.apply(route, request.body, options)
        patch = patches.read_patch(route.served, content_type, request.body, options.field_validation)
        return 200, self._writer.patch(route, patch, options)

    def _delete_collection(self, context: RequestContext, view: View) -> ApiResponse:
        request, route = context.request, context.route
        options = self._delete_options(context)
        version = request.option("resourceVersion")
        if version:  # of the collection, and of each object in it
            options = replace(options, version=version)
        # With somebody to ask about each the store cannot stay locked.
        is_alone = options.gate is None and route.served.kind.conversion is None
        with self._store.transaction() if is_alone else nullcontext():
            records, metadata = self._reader.page(route, request, in_chunks=True)
            for record in records:
                key = key_of(record.body)
                one = Route(route.served, key.namespace, key.name)
                try:
                    answered(partial(self._writer.delete, one, options))
                except errors.StatusError as error:
                    if error.status != 404:  # it has gone meanwhile
                        raise
        return json_response(200, view.list(records, metadata))


def _patch_causes(request: ApiRequest, *, is_apply: bool) -> Iterator[Cause]:
    """What is wrong with the options for the kind of patch it is."""
    if is_apply and not request.option("fieldManager"):
        yield Cause("FieldValueRequired", "Required value: is required for apply patch", "fieldManager")
    if not is_apply and "force" in request.query:
        yield Cause("FieldValueForbidden", "Forbidden: may not be specified for non-apply patch", "force")
