"""Requests that change something: their bodies and options read, their answers written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

from btcctl.apiserver.admission.admission import Admission
from btcctl.apiserver.admission.gate import Gate
from btcctl.apiserver.endpoints.reads import Reader
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.objects.apply import Applier
from btcctl.apiserver.objects.writer import Writer
from btcctl.apiserver.requests import bodies, patches
from btcctl.apiserver.requests import options as query
from btcctl.apiserver.requests.messages import ApiRequest, ApiResponse, json_response
from btcctl.apiserver.requests.options import DeleteOptions, Rights
from btcctl.apiserver.requests.routing import Route
from btcctl.apiserver.storage.answers import answered
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

    def handle(self, verb: str, route: Route, request: ApiRequest, warnings: list[str]) -> ApiResponse:
        """
        Args:
            warnings: Warnings for the client are added to it.

        Raises:
            StatusError: It may not be.
        """
        if route.served.type.namespaced and not route.namespace:
            raise errors.path_not_found() if route.served.is_custom else errors.method_not_allowed()
        self._reader.view(route, request)  # an answer that cannot be given is refused before anything is done
        if verb == "create":
            route = Route(route.served, route.namespace)
        if verb == "delete":
            options = self._delete_options(route, request, warnings)
            deleted = answered(lambda: self._writer.delete(route, options))
            is_accepted = not deleted.is_gone and options.is_old_style and options.policy == "Background"
            return self._answer(202 if is_accepted else 200, route, request, deleted.body)
        if verb == "deletecollection":
            return self._delete_collection(route, request, warnings)
        handler = {"create": self._create, "update": self._update, "patch": self._patch}[verb]
        gate = self._gate(route, request, warnings)
        status, body = answered(lambda: handler(route, request, warnings, gate))
        return self._answer(status, route, request, body)

    def _gate(self, route: Route, request: ApiRequest, warnings: list[str]) -> Gate | None:
        return self._admission.gate(request, route, partial(query.admission_options, request), warnings)

    def _rights(self, request: ApiRequest) -> Rights | None:
        return None if self._rights_of is None else self._rights_of(request)

    def _delete_options(self, route: Route, request: ApiRequest, warnings: list[str]) -> DeleteOptions:
        options, gate = query.delete_options(request), self._gate(route, request, warnings)
        return options if gate is None else replace(options, gate=gate)

    def _create(
        self, route: Route, request: ApiRequest, warnings: list[str], gate: Gate | None
    ) -> tuple[int, Mapping[str, Any]]:
        options = query.write_options(request, "CreateOptions", gate=gate, rights=self._rights(request))
        body, problems = bodies.read_object(request, route.served, warnings)
        return 201, self._writer.create(route, body, options, warnings, problems)

    def _update(
        self, route: Route, request: ApiRequest, warnings: list[str], gate: Gate | None
    ) -> tuple[int, Mapping[str, Any]]:
        options = query.write_options(request, "UpdateOptions", gate=gate, rights=self._rights(request))
        body, problems = bodies.read_object(request, route.served, warnings)
        updated, created = self._writer.update(route, body, options, warnings, problems)
        return (201 if created else 200), updated

    def _patch(
        self, route: Route, request: ApiRequest, warnings: list[str], gate: Gate | None
    ) -> tuple[int, Mapping[str, Any]]:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip()
        patches.check_type(route.served, content_type)
        is_apply = content_type == patches.APPLY
        causes = _patch_causes(request, is_apply=is_apply)
        options = query.write_options(request, "PatchOptions", causes, gate=gate, rights=self._rights(request))
        if is_apply:
            return self._applier.apply(route, request.body, options, warnings)
        patch = patches.read_patch(route.served, content_type, request.body, options.field_validation)
        return 200, self._writer.patch(route, patch, options, warnings)

    def _delete_collection(self, route: Route, request: ApiRequest, warnings: list[str]) -> ApiResponse:
        options = self._delete_options(route, request, warnings)
        view = self._reader.view(route, request)
        # With somebody to ask about each the store cannot stay locked.
        is_alone = options.gate is None and route.served.conversion is None
        with self._store.transaction() if is_alone else nullcontext():
            records, metadata = self._reader.page(route, request)
            for record in records:
                key = key_of(record.body)
                one = Route(route.served, key.namespace, key.name)
                answered(partial(self._writer.delete, one, options))
        return json_response(200, view.list(records, metadata))

    def _answer(self, status: int, route: Route, request: ApiRequest, body: Mapping[str, Any]) -> ApiResponse:
        """A Status as it is, an object in the form and version that the client wants."""
        if body.get("kind") == "Status":
            return json_response(status, body)
        return json_response(status, self._reader.view(route, request).body(body))


def _patch_causes(request: ApiRequest, *, is_apply: bool) -> Iterator[Cause]:
    """What is wrong with the options for the kind of patch it is."""
    if is_apply and not request.option("fieldManager"):
        yield Cause("FieldValueRequired", "Required value: is required for apply patch", "fieldManager")
    if not is_apply and "force" in request.query:
        yield Cause("FieldValueForbidden", "Forbidden: may not be specified for non-apply patch", "force")
