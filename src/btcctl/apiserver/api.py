"""The API of the embedded server: a request in, an answer out. No sockets, no threads."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from btcctl.apiserver.admission.admission import Admission
from btcctl.apiserver.admission.hooks.services import Services
from btcctl.apiserver.endpoints import discovery, openapi
from btcctl.apiserver.endpoints.evictions import Evictions
from btcctl.apiserver.endpoints.reads import Reader
from btcctl.apiserver.endpoints.reviews import Authorizer, Reviews
from btcctl.apiserver.endpoints.scales import Scales
from btcctl.apiserver.endpoints.subresources import Subresources
from btcctl.apiserver.endpoints.writes import Changes
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.objects.apply import Applier
from btcctl.apiserver.objects.garbage import Collector
from btcctl.apiserver.objects.writer import Writer
from btcctl.apiserver.requests.messages import (
    ANONYMOUS,
    ApiRequest,
    ApiResponse,
    RequestAttributes,
    Response,
    WatchResponse,
    json_response,
    text_response,
)
from btcctl.apiserver.requests.options import WriteOptions
from btcctl.apiserver.requests.request_info import attributes_of, is_long_running, resource_of
from btcctl.apiserver.requests.routing import Route, find_route, verb_of
from btcctl.apiserver.requests.timeouts import check_timeout
from btcctl.apiserver.requests.warning_header import warning_header
from btcctl.apiserver.served.builtins import BUILT_INS
from btcctl.apiserver.served.registry import Registry
from btcctl.apiserver.storage.store import Store
from btcctl.apiserver.streaming.hooks import PodConnect, PodExec, PodHooks, PodLogs
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.logging import get_logger
from btcctl.objects import ObjectKey

__all__ = ["Api", "ApiRequest", "ApiResponse", "RequestAttributes", "WatchResponse"]

logger = get_logger(__name__)

_TOO_DEEP = "what was sent is nested deeper than the embedded API server reads"
_NAMESPACES = ("default", "kube-public", "kube-system")


def random_uid() -> str:
    return str(uuid.uuid4())


class Api:
    """A Kubernetes API over a store.

    What a real server could do and this one cannot is answered 501, never wrongly. Kept apart on
    purpose: nobody is authenticated here, `ApiRequest.user` is believed.

    Args:
        store: Where the objects are; a new one if None.
        authorizer: None for allowed, or why not ("" for no particular reason). It may list what it
            allows, too: see `reviews.RuleLister`.
        observer: Told of every request and the status it was answered with.
        pod_logs: Answers the log of a pod.
        pod_exec: Runs a command in a pod.
        pod_connect: Connects to a port of a pod.
        new_uid: Makes a uid for each new object.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        clock: Clock = SYSTEM_CLOCK,
        authorizer: Authorizer | None = None,
        observer: Callable[[RequestAttributes, int], None] | None = None,
        pod_logs: PodLogs | None = None,
        pod_exec: PodExec | None = None,
        pod_connect: PodConnect | None = None,
        new_uid: Callable[[], str] = random_uid,
    ) -> None:
        self.store = store if store is not None else Store(clock)
        self.clock = clock
        self.registry = Registry(BUILT_INS)
        self._authorizer = authorizer
        self._observer = observer
        self._reviews = Reviews(self.registry, clock, authorizer)
        self._writer = Writer(self.store, self.registry, new_uid)
        self._reader = Reader(self.store)
        applier = Applier(self.store, self.registry, self._writer)
        self.services = Services(self.store)  #: where webhooks are that are named by a Service
        self.admission = Admission(self.store, self.registry, self.services.resolve)
        self._changes = Changes(self.store, self._writer, self._reader, applier, self.admission)
        self.pods = PodHooks(pod_logs, pod_exec, pod_connect)  #: may be changed later
        self._subresources = Subresources(
            self.store,
            self._writer,
            Scales(self.store, self.registry, self._writer),
            Evictions(self.store, self.registry, self._writer),
            self.pods,
        )
        self._writer.settle_definitions()
        self._create_namespaces()
        self.collector = Collector(self.store, self.registry, self._writer)

    def handle(self, request: ApiRequest) -> Response:
        """Answer a request. Never raises for anything a client can send."""
        attributes = attributes_of(request)
        warnings: list[str] = []
        try:
            if not is_long_running(attributes):
                check_timeout(request)
            self._authorize(attributes)
            route = find_route(self.registry, request.path)
            if "impersonate-user" in request.headers:
                raise errors.not_implemented("impersonation")
            if route is None:
                response: Response = self._discover(request)
            else:
                if route.served.deprecation:
                    warnings.append(route.served.deprecation)
                response = self._dispatch(route, request, verb_of(request, route, attributes.verb), warnings)
        except StatusError as error:
            response = _error_response(error)
        except RecursionError:
            response = _error_response(errors.bad_request(_TOO_DEEP))
        except Exception:
            logger.exception("request failed", method=request.method, path=request.path)
            response = _error_response(errors.internal("the embedded API server failed; its log says why"))
        if self._observer is not None:
            self._observer(attributes, _status_of(response))
        return _with_warnings(response, warnings)

    def _authorize(self, attributes: RequestAttributes) -> None:
        reason = self._refusal(attributes)
        if reason is None:
            return
        who = f'User "{attributes.user}" cannot {attributes.verb}'
        tail = f": {reason}" if reason else ""
        headers = {"X-Content-Type-Options": "nosniff"}
        if attributes.path:
            message = f'forbidden: {who} path "{attributes.path}"{tail}'
            raise StatusError(403, message, "Forbidden", details={}, headers=headers)
        resource = "/".join(each for each in (attributes.resource, attributes.subresource) if each)
        scope = f'in the namespace "{attributes.namespace}"' if attributes.namespace else "at the cluster scope"
        why = f'{who} resource "{resource}" in API group "{attributes.group}" {scope}{tail}'
        error = errors.forbidden(resource_of(attributes), attributes.name, why)
        error.headers.update(headers)
        raise error

    def _refusal(self, attributes: RequestAttributes) -> str | None:
        if attributes.user == ANONYMOUS.name:
            return ""
        return None if self._authorizer is None else self._authorizer(attributes)

    def _discover(self, request: ApiRequest) -> ApiResponse:
        for respond in (discovery.respond, openapi.respond):
            response = respond(self.registry, request)
            if response is not None:
                if request.method != "GET" and discovery.is_read_only(request.path):
                    raise errors.method_not_allowed()
                return response
        if discovery.is_built_in(self.registry, request.path):
            raise errors.resource_not_found()
        raise errors.path_not_found()

    def _dispatch(self, route: Route, request: ApiRequest, verb: str, warnings: list[str]) -> Response:
        if route.subresource not in {"", "status"}:
            return self._subresources.handle(route, request, warnings)
        if route.served.verbs == ("create",):
            return json_response(201, self._reviews.handle(route, request, warnings))
        if verb in {"update", "patch"} and not route.name:
            raise errors.bad_request("name must be provided")
        if verb == "watch":
            return self._reader.watch(route, request)
        if verb in {"get", "list"}:
            return self._reader.get(route, request) if verb == "get" else self._reader.list(route, request)
        return self._changes.handle(verb, route, request, warnings)

    def _create_namespaces(self) -> None:
        served = self.registry.find("", "v1", "namespaces")
        if served is None:
            return
        for name in _NAMESPACES:
            if self.store.get(served.collection, ObjectKey("", name)) is None:
                body = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}}
                self._writer.create(Route(served), body, WriteOptions(manager="kube-apiserver"), [], [])


def _status_of(response: Response) -> int:
    if isinstance(response, ApiResponse):
        return response.status
    return 200 if isinstance(response, WatchResponse) else 101


def _error_response(error: StatusError) -> ApiResponse:
    if error.body is None:
        return text_response(error.status, error.message, error.headers)
    return json_response(error.status, error.body, error.headers)


def _with_warnings(response: Response, warnings: list[str]) -> Response:
    if not warnings or not isinstance(response, ApiResponse):
        return response
    headers = {**response.headers, "Warning": warning_header(warnings)}
    return ApiResponse(response.status, headers, response.body)
