"""The scale subresource: an object's replicas, read and written as an autoscaling/v1 Scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from btcctl.apiserver import options as query
from btcctl.apiserver import patches, statuses
from btcctl.apiserver.apply import read_configuration
from btcctl.apiserver.bodies import read_plain
from btcctl.apiserver.collection import Body
from btcctl.apiserver.managed import Author, applying, scaling, track
from btcctl.apiserver.merge_patch import merge
from btcctl.apiserver.messages import ApiRequest, ApiResponse, json_response
from btcctl.apiserver.options import WriteOptions
from btcctl.apiserver.registry import Registry, ScalePaths, Served
from btcctl.apiserver.routing import Route
from btcctl.apiserver.selectors import selector_text
from btcctl.apiserver.statuses import Cause, StatusError
from btcctl.apiserver.store import Store
from btcctl.apiserver.writer import Writer
from btcctl.clock import rfc3339


class Scales:
    """Thread-safe."""

    def __init__(self, store: Store, registry: Registry, writer: Writer) -> None:
        self._store = store
        self._registry = registry
        self._writer = writer

    def handle(self, route: Route, request: ApiRequest) -> ApiResponse:
        """
        Raises:
            StatusError: There is no such object, or it may not be scaled so.
        """
        paths = route.served.scale
        if paths is None:
            raise statuses.resource_not_found()
        with self._store.transaction():
            record = self._store.get(route.served.collection, route.key)
            if record is None:
                raise statuses.not_found(route.served.type, route.name)
            if request.method == "GET":
                return json_response(200, scale_of(paths, record.body))
            return json_response(200, scale_of(paths, self._write(route, request, paths, record.body)))

    def _write(self, route: Route, request: ApiRequest, paths: ScalePaths, body: Body) -> Body:
        options = query.write_options(request, "PatchOptions" if request.method == "PATCH" else "UpdateOptions")
        stored, replicas_at = body["metadata"].get("managedFields"), self._paths(route)
        scale = scale_of(paths, body)
        scale["metadata"]["managedFields"] = scaling.to_scale(stored, replicas_at)
        wanted = self._wanted(route.served, request, scale, options)
        replicas = _replicas(route, wanted)
        change = _nested(paths.replicas, replicas)
        entries = scaling.to_object(
            stored, wanted["metadata"]["managedFields"], replicas_at, route.served.type.api_version
        )
        change["metadata"] = {"managedFields": entries}
        version = wanted["metadata"].get("resourceVersion")
        if version:
            change["metadata"]["resourceVersion"] = version
        bare = Route(route.served, route.namespace, route.name)
        return self._writer.patch(
            bare, patches.Patch(lambda obj: merge(obj, change)), replace(options, is_apply=True), []
        )

    def _wanted(
        self, served: Served, request: ApiRequest, scale: dict[str, Any], options: WriteOptions
    ) -> dict[str, Any]:
        """The Scale that the client wants, and who sets what by that."""
        author = Author(options.manager, rfc3339(self._store.clock.wall_time()))
        content_type = request.headers.get("content-type", "").partition(";")[0].strip()
        if request.method == "PATCH" and content_type == patches.APPLY:
            configuration = read_configuration(request.body, "Scale", scaling.SCALE)
            applied = applying.apply(scaling.KIND, scale, configuration, author, force=options.force)
            if served.is_custom and applied.get("spec") != scale["spec"]:
                raise _unconvertible(configuration)
            return applied
        if request.method == "PATCH":
            wanted = patches.read_patch(served, content_type, request.body)(scale)
        else:
            wanted = read_plain(request, "autoscaling/v1", "Scale")
        spec = {name: value for name, value in (wanted.get("spec") or {}).items() if value != 0}
        entries = track(scaling.KIND, scale, {**scale, "spec": spec}, author)
        return {**wanted, "metadata": {**(wanted.get("metadata") or {}), "managedFields": entries}}

    def _paths(self, route: Route) -> scaling.Paths:
        """Where the replicas are in each version."""
        served = route.served
        versions = self._registry.definition(f"{served.type.plural}.{served.type.group}") or (served,)
        return {
            each.type.api_version: None if each.scale is None else scaling.path_of(each.scale.replicas)
            for each in versions
        }


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


def _replicas(route: Route, wanted: Mapping[str, Any]) -> int:
    replicas = (wanted.get("spec") or {}).get("replicas", 0)
    if isinstance(replicas, bool) or not isinstance(replicas, int):
        raise statuses.bad_request(
            'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal '
            "into Go struct field ScaleSpec.spec.replicas of type int32"
        )
    if replicas < 0:
        message = f"Invalid value: {replicas}: must be greater than or equal to 0"
        cause = Cause("FieldValueInvalid", message, "spec.replicas")
        raise statuses.invalid("autoscaling", "Scale", route.name, [cause])
    return replicas


def _unconvertible(configuration: Mapping[str, Any]) -> StatusError:
    """A custom resource cannot be scaled by an apply: upstream fails, and so do we."""
    metadata = configuration.get("metadata") or {}
    name = f"{metadata.get('namespace') or ''}/{metadata.get('name') or ''}"
    return statuses.internal(
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
