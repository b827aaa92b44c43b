"""What the server serves, told to clients: groups, versions, resources, health.

Shapes as kube-apiserver 1.36.2 answers them; both the plain lists and the aggregated form that
kubectl asks for first.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from btcctl import codecs
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.printers.negotiation import accepted, choose
from btcctl.apiserver.requests.messages import JSON, ApiRequest, ApiResponse, json_response, text_response
from btcctl.apiserver.served.registry import Registry, Served

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_AGGREGATED = {"g": "apidiscovery.k8s.io", "v": "v2", "as": "APIGroupDiscoveryList"}
#: The version whose behaviour is imitated; clients compare theirs with it.
MAJOR, MINOR = "1", "36"
_HEALTH_PATHS = ("/healthz", "/livez", "/readyz")
_HEALTH_CHECKS = ("ping", "log", "store")
_Body = dict[str, Any]


def respond(registry: Registry, request: ApiRequest) -> ApiResponse | None:
    """Answer a GET of a path that names no resource; None if it is none of these either.

    Raises:
        StatusError: 406, none of the accepted media types can be had.
    """
    parts = tuple(part for part in request.path.split("/") if part)
    if f"/{parts[0]}" in _HEALTH_PATHS if parts else False:
        return _health(parts, request)
    if parts == ("version",):
        _check_json(request.headers.get("accept", ""), JSON)
        return json_response(200, version())
    if not parts:
        return json_response(200, {"paths": _paths(registry)})
    if parts in {("api",), ("apis",)}:
        return _root(registry, request, core=parts == ("api",))
    body = _group(registry, parts)
    if body is None:
        return None
    _check_json(request.headers.get("accept", ""), errors.MEDIA_TYPES if is_read_only(request.path) else "")
    return json_response(200, body)


def version() -> _Body:
    """The body of `/version`."""
    git_version = f"v{MAJOR}.{MINOR}.0-btcctl"
    return {
        "major": MAJOR,
        "minor": MINOR,
        "emulationMajor": MAJOR,
        "emulationMinor": MINOR,
        "minCompatibilityMajor": MAJOR,
        "minCompatibilityMinor": str(int(MINOR) - 1),
        "gitVersion": git_version,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{sys.version_info.major}.{sys.version_info.minor}",
        "compiler": sys.implementation.name,
        "platform": f"{sys.platform}/embedded",
    }


def wants_aggregated(accept: str) -> bool:
    """Whether the aggregated form is among the accepted ones: it goes before all others.

    Raises:
        StatusError: 406, none can be served.
    """
    if any(each.media_type == JSON and each.parameters == _AGGREGATED for each in accepted(accept)):
        return True
    return choose(accept, _is_aggregated)


def is_read_only(path: str) -> bool:
    """Whether other methods than GET are refused; elsewhere they do the same as GET."""
    parts = [part for part in path.split("/") if part]
    return parts[:1] == ["api"] or (parts[:1] == ["apis"] and len(parts) > 2) or parts == ["version"]


def is_built_in(registry: Registry, path: str) -> bool:
    """Whether a path is below a built-in group: what is unknown there is told in JSON."""
    parts = [part for part in path.split("/") if part]
    group = "" if parts[:1] == ["api"] else parts[1] if parts[:1] == ["apis"] and len(parts) > 1 else None
    return any(each.type.group == group and each.kind.has_own_routes for each in registry.resources())


def _is_aggregated(parameters: Mapping[str, str]) -> bool | None:
    return None if "as" in parameters else False


def _check_json(accept: str, available: str) -> None:
    choose(accept, lambda parameters: None if "as" in parameters and available != JSON else True, available=available)


def _health(parts: tuple[str, ...], request: ApiRequest) -> ApiResponse | None:
    if len(parts) > 2 or (len(parts) == 2 and parts[1] not in _HEALTH_CHECKS):
        return None
    if "verbose" not in request.query or len(parts) == 2:
        response = text_response(200, "ok")
        if len(parts) == 2:
            del response.headers["X-Content-Type-Options"]
        return response
    lines = [f"[+]{check} ok" for check in _HEALTH_CHECKS]
    return text_response(200, "\n".join([*lines, f"{parts[0]} check passed", ""]))


def _paths(registry: Registry) -> list[str]:
    found = ["/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
    for group in registry.groups():
        root = f"/apis/{group}" if group else "/api"
        found += [root, *(f"{root}/{version}" for version in registry.versions(group))]
    return sorted(set(found))


def _root(registry: Registry, request: ApiRequest, *, core: bool) -> ApiResponse:
    groups = [group for group in registry.groups() if (group == "") is core]
    if wants_aggregated(request.headers.get("accept", "")):
        return _aggregated(request, [_group_discovery(registry, group) for group in groups])
    if not core:
        body: _Body = {"kind": "APIGroupList", "apiVersion": "v1"}
        return json_response(200, {**body, "groups": [_group_versions(registry, group) for group in groups]})
    address = {"clientCIDR": "0.0.0.0/0", "serverAddress": request.headers.get("host", "")}
    body = {"kind": "APIVersions", "versions": registry.versions(""), "serverAddressByClientCIDRs": [address]}
    return json_response(200, body)


def _group(registry: Registry, parts: tuple[str, ...]) -> _Body | None:
    """/apis/G, /apis/G/V or /api/V."""
    if parts[0] == "api" and len(parts) == 2:
        return _resource_list(registry, "", parts[1])
    if parts[0] != "apis" or len(parts) > 3 or not registry.versions(parts[1]):
        return None
    if len(parts) == 3:
        return _resource_list(registry, parts[1], parts[2])
    return {"kind": "APIGroup", "apiVersion": "v1", **_group_versions(registry, parts[1])}


def _group_versions(registry: Registry, group: str) -> _Body:
    versions = [{"groupVersion": f"{group}/{each}", "version": each} for each in registry.versions(group)]
    return {"name": group, "versions": versions, "preferredVersion": versions[0]}


def _resource_list(registry: Registry, group: str, version: str) -> _Body | None:
    if version not in registry.versions(group):
        return None
    resources = [entry for served in registry.resources_of(group, version) for entry in _entries(served)]
    head = {"kind": "APIResourceList"} if not group else {"kind": "APIResourceList", "apiVersion": "v1"}
    return {**head, "groupVersion": f"{group}/{version}" if group else version, "resources": resources}


def _entries(served: Served) -> list[_Body]:
    """A resource and its subresources, as in an APIResourceList."""
    type_ = served.type
    main: _Body = {
        "name": type_.plural,
        "singularName": served.singular,
        "namespaced": type_.namespaced,
        "kind": type_.kind,
        "verbs": list(served.verbs),
        "shortNames": list(served.short_names),
        "categories": list(served.categories),
        "storageVersionHash": _storage_hash(served),
    }
    entries = [{key: value for key, value in main.items() if value not in ([], "")}]
    for name in served.subresources:
        group, version, kind, verbs = served.subresource_kind(name)
        entry: _Body = {"name": f"{type_.plural}/{name}", "singularName": "", "namespaced": type_.namespaced}
        if (group, version) != (type_.group, type_.version):
            entry |= {"group": group, "version": version}
        entries.append({**entry, "kind": kind, "verbs": list(verbs)})
    return entries


def _storage_hash(served: Served) -> str:
    """Opaque, and different for each resource; only what is stored has one."""
    if "list" not in served.verbs:
        return ""
    digest = hashlib.sha256(f"{served.type.group}/{served.type.version}/{served.type.kind}".encode()).digest()
    return codecs.encode(digest[:8]).decode().strip('"')


def _aggregated(request: ApiRequest, items: list[_Body]) -> ApiResponse:
    body = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}
    encoded = codecs.encode(body)
    etag = f'"{hashlib.sha512(encoded).hexdigest().upper()}"'
    headers = {"Cache-Control": "public", "ETag": etag, "Vary": "Accept"}
    if request.headers.get("if-none-match") == etag:
        return ApiResponse(304, headers, b"")
    return json_response(200, encoded, {**headers, "Content-Type": AGGREGATED})


def _group_discovery(registry: Registry, group: str) -> _Body:
    versions = [
        {
            "version": version,
            "resources": [_resource_discovery(served) for served in registry.resources_of(group, version)],
            "freshness": "Current",
        }
        for version in registry.versions(group)
    ]
    return {"metadata": {"name": group} if group else {}, "versions": versions}


def _resource_discovery(served: Served) -> _Body:
    type_ = served.type
    described: _Body = {
        "resource": type_.plural,
        "responseKind": _response_kind(served, type_.group, type_.version, type_.kind),
        "scope": "Namespaced" if type_.namespaced else "Cluster",
        "singularResource": served.singular,
        "verbs": list(served.verbs),
    }
    optional: tuple[tuple[str, Callable[[], list[Any]]], ...] = (
        ("shortNames", lambda: list(served.short_names)),
        ("categories", lambda: list(served.categories)),
        ("subresources", lambda: [_subresource_discovery(served, name) for name in served.subresources]),
    )
    return described | {key: value for key, make in optional if (value := make())}


def _subresource_discovery(served: Served, name: str) -> _Body:
    group, version, kind, verbs = served.subresource_kind(name)
    return {"subresource": name, "responseKind": _response_kind(served, group, version, kind), "verbs": list(verbs)}


def _response_kind(served: Served, group: str, version: str, kind: str) -> _Body:
    """A built-in resource leaves out what it shares with its list."""
    shared = served.kind.shares_version_with_list and (group, version) == (served.type.group, served.type.version)
    return {"group": "" if shared else group, "version": "" if shared else version, "kind": kind}
