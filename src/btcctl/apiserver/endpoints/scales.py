"""The scale subresource: an object's replicas, read and written as an autoscaling/v1 Scale, or shown as its Table."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from msgspec import structs

from btcctl.apiserver.kinds.built_in.kind import BuiltInKind
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.machinery.field_errors import not_negative
from btcctl.apiserver.machinery.labels import selector_text
from btcctl.apiserver.managedfields import Author, applying, scaling, track
from btcctl.apiserver.objects.apply import read_configuration
from btcctl.apiserver.objects.writer import Writer, check_name, check_uid
from btcctl.apiserver.patching.merge_patch import merge
from btcctl.apiserver.printers.more_columns import SCALES
from btcctl.apiserver.printers.tables import common_description
from btcctl.apiserver.printers.views import View, wanted_form
from btcctl.apiserver.requests import options as query
from btcctl.apiserver.requests import patches
from btcctl.apiserver.requests.bodies import Patched, patched, read_object, validate_fields
from btcctl.apiserver.requests.context import RequestContext
from btcctl.apiserver.requests.messages import ApiRequest, ApiResponse, json_response
from btcctl.apiserver.requests.options import WriteOptions
from btcctl.apiserver.requests.routing import Route, check_place
from btcctl.apiserver.served.kind import APPLY, PrinterColumn, ScalePaths
from btcctl.apiserver.served.registry import Registry, Served
from btcctl.apiserver.storage.answers import time_of_request
from btcctl.apiserver.storage.collection import Body, Record
from btcctl.apiserver.storage.store import Store

_UNSET = -(2**31)  # what stands for replicas that a custom resource has not
_SCALES = Served(SCALES, "scale", "ScaleList", BuiltInKind(SCALES, SCALES))


class _CustomScale(BuiltInKind):
    """A scale of a custom resource, whose tables are another server's."""

    def go_name(self, list_kind: str = "") -> str:
        return f"*{SCALES.version}.{list_kind or SCALES.kind}"


@functools.cache
def _custom_scales() -> Served:
    columns = (
        PrinterColumn("Desired", "integer", ".spec.replicas", "Number of desired replicas"),
        PrinterColumn("Available", "integer", ".status.replicas", "Number of actual replicas"),
        PrinterColumn("Age", "date", ".metadata.creationTimestamp", common_description("Age")),
    )
    return replace(_SCALES, kind=_CustomScale(SCALES, SCALES, printer_columns=columns))


@dataclass(frozen=True)
class _Turn:
    """One request to a scale."""

    context: RequestContext
    paths: ScalePaths

    @property
    def route(self) -> Route:
        return self.context.route

    @property
    def request(self) -> ApiRequest:
        return self.context.request

    @property
    def content_type(self) -> str:
        return self.request.headers.get("content-type", "").partition(";")[0].strip()

    @functools.cached_property
    def options(self) -> WriteOptions:
        kind = "PatchOptions" if self.request.method == "PATCH" else "UpdateOptions"
        return query.write_options(self.request, kind, warn=self.context.warn)

    def check_identity(self, metadata: Mapping[str, Any]) -> None:
        check_place(self.route, metadata)
        check_name(self.route, metadata)


class Scales:
    """Thread-safe."""

    def __init__(self, store: Store, registry: Registry, writer: Writer) -> None:
        self._store = store
        self._registry = registry
        self._writer = writer

    def handle(self, context: RequestContext) -> ApiResponse:
        """
        Raises:
            StatusError: There is no such object, or it may not be scaled so.
        """
        request, route = context.request, context.route
        paths = route.served.kind.scale
        if paths is None:
            raise errors.resource_not_found()
        view = self._view(route, request)
        turn = _Turn(context, paths)
        sent = _read(turn) if request.method == "PUT" else None
        if request.method == "PATCH":
            patches.check_type(route.served, turn.content_type)
        with self._store.transaction():
            record = self._store.get(route.served.collection, route.key)
            if record is None:
                raise errors.not_found(route.served.type, route.name)
            record = route.served.kind.seen(record)
            if request.method != "GET":
                body = self._write(turn, record, sent)
            elif not route.served.kind.scales_as_type and _at(record.body, paths.replicas) is None:
                raise errors.internal_error(f'the spec replicas field "{paths.replicas}" does not exist')
            else:
                body = record.body
            view.check(is_list=False)
            return json_response(200, view.body(scale_of(paths, body)))

    def _view(self, route: Route, request: ApiRequest) -> View:
        """The form in which the client wants the scale."""
        served = _SCALES if route.served.kind.scales_as_type else _custom_scales()
        available = errors.MEDIA_TYPES if route.served.kind.lists_media_types else ""
        form = wanted_form(request.headers.get("accept", ""), available)
        return View(served, form, request.option("includeObject"), self._store.clock.wall_time)

    def _write(self, turn: _Turn, record: Record, sent: dict[str, Any] | None) -> Body:
        route, options, body = turn.route, turn.options, record.body
        stored, replicas_at = body["metadata"].get("managedFields"), self._paths(route)
        scale = scale_of(turn.paths, body)
        if not route.served.kind.scales_as_type and _at(body, turn.paths.replicas) is None:
            scale["spec"] = {"replicas": _UNSET}
        managed = scaling.to_scale(stored, replicas_at)
        scale["metadata"] |= {"managedFields": managed} if managed else {}
        if sent is not None and sent["metadata"].get("uid"):
            check_uid(route, sent["metadata"]["uid"], body["metadata"]["uid"], options)
        wanted = self._wanted(turn, scale, sent)
        change = _nested(turn.paths.replicas, _replicas(turn, wanted, body))
        entries = scaling.to_object(
            stored, wanted["metadata"]["managedFields"], replicas_at, route.served.type.api_version
        )
        change["metadata"] = {"managedFields": entries}
        version = wanted["metadata"].get("resourceVersion")
        if version:
            change["metadata"]["resourceVersion"] = version
        bare = Route(route.served, route.namespace, route.name)
        inner = structs.replace(options, is_apply=True, field_validation="Ignore")
        return self._writer.patch(bare, patches.Patch(lambda obj: merge(obj, change)), inner).body

    def _wanted(self, turn: _Turn, scale: dict[str, Any], sent: dict[str, Any] | None) -> dict[str, Any]:
        """The Scale that the client wants, and who sets what by that.

        Args:
            sent: What a PUT has brought.
        """
        options, request = turn.options, turn.request
        author = Author(options.manager, time_of_request(self._store.clock))
        if request.method == "PATCH" and turn.content_type == APPLY:
            configuration = read_configuration(request.body, "Scale", scaling.SCALE)
            applied = applying.apply(scaling.TARGET, scale, configuration, author, force=options.force)
            if not turn.route.served.kind.scales_as_type and applied.get("spec") != scale["spec"]:
                raise _unconvertible(configuration)
            return applied
        wanted = _patched(turn, scale) if sent is None else sent
        spec = {name: value for name, value in (wanted.get("spec") or {}).items() if value != 0}
        entries = track(scaling.TARGET, scale, {**scale, "spec": spec}, author)
        return {**wanted, "metadata": {**(wanted.get("metadata") or {}), "managedFields": entries}}

    def _paths(self, route: Route) -> scaling.Paths:
        """Where the replicas are in each version."""
        served = route.served
        scales = {each.type.api_version: each.kind.scale for each in self._registry.definition(served.kind.definition)}
        scales[served.type.api_version] = served.kind.scale
        return {version: None if each is None else scaling.path_of(each.replicas) for version, each in scales.items()}


def scale_of(paths: ScalePaths, body: Body) -> dict[str, Any]:
    """The autoscaling/v1 Scale of an object."""
    metadata = {
        name: body["metadata"][name]
        for name in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        if name in body["metadata"]
    }
    status: dict[str, Any] = {"replicas": _at(body, paths.status_replicas) or 0}
    selector = _at(body, paths.selector) if paths.selector else None
    if selector:
        status["selector"] = selector if isinstance(selector, str) else selector_text(selector)
    replicas = _at(body, paths.replicas)
    spec = {} if not replicas else {"replicas": replicas}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}


def _read(turn: _Turn) -> dict[str, Any]:
    """The Scale that a PUT sends. A server of custom resources has no words for what is none."""
    try:
        body, problems = read_object(turn.context, _SCALES)
        validate_fields(_SCALES, body, problems, turn.options)
    except StatusError as error:
        if turn.route.served.kind.scales_as_type or error.status != HTTPStatus.BAD_REQUEST:
            raise
        why = 'no kind is registered for the type v1.Scale in scheme "pkg/runtime/scheme.go:111"'
        raise errors.bad_request(why) from error
    turn.check_identity(body["metadata"])
    return body


def _patched(turn: _Turn, scale: dict[str, Any]) -> dict[str, Any]:
    """The Scale that a PATCH makes of this one."""
    patch = patches.read_patch(_SCALES, turn.content_type, turn.request.body, turn.options.field_validation)
    made = Patched(patch(scale), patch.shown)
    body, problems = patched(made, _SCALES)
    validate_fields(_SCALES, body, [*patch.problems, *problems], turn.options, made)
    turn.check_identity(body["metadata"])
    return body


def _replicas(turn: _Turn, wanted: Mapping[str, Any], body: Body) -> int:
    """How many are wanted; of a custom resource its schema says how many may be."""
    replicas: int = (wanted.get("spec") or {}).get("replicas", 0)
    if not turn.route.served.kind.scales_as_type:
        if replicas == _UNSET:
            raise errors.bad_request(f'the spec replicas field "{turn.paths.replicas}" cannot be empty')
        return replicas
    causes = not_negative("spec.replicas", replicas)
    if causes:
        raise errors.invalid("autoscaling", "Scale", turn.route.name, causes)
    uid, own = wanted["metadata"].get("uid") or "", body["metadata"]["uid"]
    if uid and uid != own:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {own}"
        type_ = turn.route.served.type
        raise errors.conflict(structs.replace(type_, plural=f"{type_.plural}/scale"), turn.route.name, why)
    return replicas


def _unconvertible(configuration: Mapping[str, Any]) -> StatusError:
    """A custom resource cannot be scaled by an apply: upstream fails, and so do we."""
    metadata = configuration.get("metadata") or {}
    name = f"{metadata.get('namespace') or ''}/{metadata.get('name') or ''}"
    return errors.internal(
        f"failed to convert new object ({name}; autoscaling/v1, Kind=Scale) to proper version: "
        "request to convert CR to an invalid group/version: autoscaling/v1"
    )


def _at(body: Any, path: str) -> Any:
    for name in path.strip(".").split("."):
        body = body.get(name) if isinstance(body, Mapping) else None
    return body


def _nested(path: str, value: Any) -> dict[str, Any]:
    for name in reversed(path.strip(".").split(".")):
        value = {name: value}
    found: dict[str, Any] = value
    return found
