"""What a request is about, by its path alone: an authorizer is asked before anybody looks for the thing.

Source: k8s.io/apiserver/pkg/endpoints/request of Kubernetes 1.36.
"""

from __future__ import annotations

from btcctl.apiserver.requests.messages import ApiRequest, RequestAttributes
from btcctl.resources import ResourceType

_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})
_LONG_RUNNING = frozenset({"attach", "exec", "log", "portforward", "proxy"})


def attributes_of(request: ApiRequest) -> RequestAttributes:
    """Of a path that is no resource's, only the method and the path."""
    parts = [part for part in request.path.split("/") if part]
    if len(parts) > 2 and parts[0] == "api":
        group, rest = "", parts[2:]
    elif len(parts) > 3 and parts[0] == "apis":
        group, rest = parts[1], parts[3:]
    else:
        return RequestAttributes(request.method.lower(), path=request.path, user=request.user, groups=request.groups)
    verb = _VERBS.get(request.method, "")
    if rest[0] == "watch" and len(rest) > 1:
        verb, rest = "watch", rest[1:]
    namespace, rest = _namespace(rest)
    resource, name, subresource = (*rest[:3], "", "")[:3]
    if not name and verb == "get":
        verb, name = "watch" if is_watch(request) else "list", _selected_name(request)
    elif not name and verb == "delete":
        verb = "deletecollection"
    place = (group, resource, subresource, namespace, name)
    return RequestAttributes(verb, *place, user=request.user, groups=request.groups)


def resource_of(attributes: RequestAttributes) -> ResourceType:
    """The resource as errors name it, whether there is one or not."""
    return ResourceType(attributes.group, "", attributes.resource, "")


def is_long_running(attributes: RequestAttributes) -> bool:
    """Whether it may take longer than any timeout."""
    return attributes.verb in {"watch", "proxy"} or attributes.subresource in _LONG_RUNNING


def is_watch(request: ApiRequest) -> bool:
    """Any value of `watch` but 0 and false starts one, even "maybe"."""
    return "watch" in request.query and request.option("watch").lower() not in {"0", "false"}


def _namespace(rest: list[str]) -> tuple[str, list[str]]:
    """A namespace is in itself."""
    if rest[0] != "namespaces" or len(rest) == 1:
        return "", rest
    return rest[1], rest[2:] if len(rest) > 2 and rest[2] not in _NAMESPACE_SUBRESOURCES else rest


def _selected_name(request: ApiRequest) -> str:
    """The one object that a field selector leaves, which may be all that a client may see."""
    terms = request.option("fieldSelector").split(",")
    names = [term.partition("=")[2].removeprefix("=") for term in terms if term.startswith("metadata.name=")]
    return names[0] if names else ""
