"""From a path to what it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from btcctl.apiserver.machinery import errors
from btcctl.apiserver.requests.messages import ApiRequest
from btcctl.apiserver.served.registry import Registry, Served
from btcctl.objects import ObjectKey

_NO_NAMES = frozenset({".", ".."})


class Route(msgspec.Struct, frozen=True):
    """A collection (no name), an object, or a subresource of it."""

    served: Served
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def key(self) -> ObjectKey:
        return ObjectKey(self.namespace, self.name)


def find_route(registry: Registry, path: str) -> Route | None:
    """What a path names; None if it is none of a resource, for discovery or nobody.

    Raises:
        StatusError: The group and version are served, the resource or subresource is not.
    """
    parts = [part for part in path.split("/") if part]
    if len(parts) > 2 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) > 3 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    if not registry.has_version(group, version):
        return None
    is_legacy_watch = rest[0] == "watch" and len(rest) > 1  # /api/v1/watch/…
    return _route(registry, (group, version), rest[1:] if is_legacy_watch else rest)


def _route(registry: Registry, group_version: tuple[str, str], rest: list[str]) -> Route:
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and not _is_namespace_subresource(rest):
        namespace, rest = rest[1], rest[2:]
    served = registry.find(*group_version, rest[0])
    if served is None:
        has_routes = any(each.kind.has_own_routes for each in registry.resources_of(*group_version))
        raise errors.resource_not_found() if has_routes else errors.path_not_found()
    has_routes = served.kind.has_own_routes
    if namespace and not served.type.namespaced:
        raise errors.resource_not_found() if has_routes else errors.path_not_found()
    if len(rest) > 3:
        raise errors.resource_not_found()
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    if name and served.type.namespaced and not namespace:
        raise errors.resource_not_found() if has_routes else errors.path_not_found()
    if served.verbs == ("create",) and (name or (served.type.namespaced and not namespace)):
        raise errors.resource_not_found()
    if subresource and subresource not in served.subresources:
        raise errors.resource_not_found() if has_routes else errors.not_found(served.type, name)
    if name in _NO_NAMES:
        raise errors.bad_request(f"Name parameter invalid: \"{name}\": may not be '{name}'")
    return Route(served, namespace, name, subresource)


def _is_namespace_subresource(rest: list[str]) -> bool:
    return len(rest) == 3 and rest[2] in {"status", "finalize"}


def verb_of(request: ApiRequest, route: Route, asked: str) -> str:
    """The API verb of a request to a resource.

    Args:
        asked: What an authorizer was asked about.

    Raises:
        StatusError: The method is not allowed there.
    """
    if not route.served.kind.has_own_routes:
        return _custom_verb(route, asked)
    if route.subresource:
        allowed = route.served.subresource_kind(route.subresource)[3]
        verb = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch"}.get(request.method, "")
    elif route.name:
        allowed = route.served.verbs
        verb = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}.get(request.method, "")
    else:
        allowed = route.served.verbs
        verb = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}.get(request.method, "")
    if verb not in allowed:
        raise errors.method_not_allowed()
    return asked if asked == "watch" else verb


def _custom_verb(route: Route, asked: str) -> str:
    """Custom resources are told apart by verbs, not by methods and paths."""
    allowed = route.served.subresource_kind(route.subresource)[3] if route.subresource else route.served.verbs
    if asked not in allowed:
        raise errors.method_not_supported(route.served.type, asked)
    return asked


def check_place(route: Route, sent: Mapping[str, Any]) -> None:
    """
    Raises:
        StatusError: The metadata sent say another namespace than the path does. Of a cluster-wide
            object it is just forgotten.
    """
    namespace = sent.get("namespace")
    if namespace and route.namespace and namespace != route.namespace:
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
