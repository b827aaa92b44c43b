"""The API of the embedded server: a request in, an answer out. No sockets, no threads."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Literal

from msgspec import structs

from btcctl.apiserver.access.bootstrap import bootstrap_objects
from btcctl.apiserver.access.impersonation import impersonated
from btcctl.apiserver.access.rbac import Authorizer, Rbac
from btcctl.apiserver.access.tokens import Tokens
from btcctl.apiserver.admission.admission import Admission
from btcctl.apiserver.endpoints import discovery, openapi
from btcctl.apiserver.endpoints.evictions import Evictions
from btcctl.apiserver.endpoints.reads import Reader
from btcctl.apiserver.endpoints.reviews import Reviews
from btcctl.apiserver.endpoints.scales import Scales
from btcctl.apiserver.endpoints.subresources import Subresources
from btcctl.apiserver.endpoints.token_requests import TokenRequests
from btcctl.apiserver.endpoints.writes import Changes
from btcctl.apiserver.kinds.built_in.resources import BUILT_INS
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.objects.apply import Applier
from btcctl.apiserver.objects.garbage import Collector
from btcctl.apiserver.objects.writer import Writer
from btcctl.apiserver.requests.context import RequestContext
from btcctl.apiserver.requests.messages import (
    ANONYMOUS,
    ApiRequest,
    ApiResponse,
    RequestAttributes,
    Response,
    User,
    WatchResponse,
    for_reader,
    json_response,
    text_response,
)
from btcctl.apiserver.requests.options import Rights, WriteOptions
from btcctl.apiserver.requests.request_info import attributes_of, is_long_running, resource_of
from btcctl.apiserver.requests.routing import Route, find_route, verb_of
from btcctl.apiserver.requests.timeouts import check_timeout
from btcctl.apiserver.served.registry import OBJECT_PARTS, Registry
from btcctl.apiserver.storage.collection import Body
from btcctl.apiserver.storage.store import Store
from btcctl.apiserver.streaming.hooks import PodConnect, PodExec, PodHooks, PodLogs
from btcctl.apiserver.webhooks.calling import HookClient
from btcctl.apiserver.webhooks.services import Services
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.logging import get_logger
from btcctl.objects import ObjectKey
from btcctl.resources import ROLES

__all__ = ["Api", "ApiRequest", "ApiResponse", "RequestAttributes", "WatchResponse"]

logger = get_logger(__name__)

_IMPERSONATES = re.compile("impersonate-").match
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
            allows, too: see `reviews.RuleLister`. "rbac": what the roles and bindings in the store allow; those that
            every cluster has are made.
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
        authorizer: Authorizer | Literal["rbac"] | None = None,
        observer: Callable[[RequestAttributes, int], None] | None = None,
        pod_logs: PodLogs | None = None,
        pod_exec: PodExec | None = None,
        pod_connect: PodConnect | None = None,
        new_uid: Callable[[], str] = random_uid,
    ) -> None:
        self.store = store if store is not None else Store(clock)
        self.clock = clock
        self.registry = Registry(BUILT_INS)
        self._rbac = Rbac(self.store) if authorizer == "rbac" else None
        self._authorizer = self._rbac if authorizer == "rbac" else authorizer
        self._observer = observer
        self.tokens = Tokens(self.store)
        self._reviews = Reviews(clock, self._authorizer, self.tokens.user_of)
        self.services = Services(self.store)  #: where webhooks are that are named by a Service
        hooks = HookClient(self.services.resolve)
        self._writer = Writer(self.store, self.registry, new_uid, hooks)
        self._reader = Reader(self.store)
        applier = Applier(self.store, self._writer)
        self.admission = Admission(self.store, self.registry, hooks)
        rights_of = None if self._authorizer is None else self._rights_of
        self._changes = Changes(self.store, self._writer, self._reader, applier, self.admission, rights_of)
        self.pods = PodHooks(pod_logs, pod_exec, pod_connect)  #: may be changed later
        self._subresources = Subresources(
            self.store,
            self._writer,
            Scales(self.store, self.registry, self._writer),
            Evictions(self.store, self.registry, self._writer),
            self.pods,
            TokenRequests(self.store, self.tokens),
        )
        self._writer.settle_definitions()
        self._create_namespaces()
        if self._rbac is not None:
            self._create_roles()
        self.collector = Collector(self.store, self.registry, self._writer)

    def user_of_token(self, token: str) -> User | None:
        """The ServiceAccount that a token is of; None if it is of none."""
        return self.tokens.user_of(token)

    def handle(self, request: ApiRequest) -> Response:
        """Answer a request. Never raises for anything a client can send."""
        with errors.causes_counted():
            return self._handle(request)

    def _handle(self, request: ApiRequest) -> Response:
        attributes = attributes_of(request)
        context: RequestContext | None = None
        try:
            if not is_long_running(attributes):
                check_timeout(request)
            if any(map(_IMPERSONATES, request.headers)):
                request = impersonated(request, self._authorize)
                attributes = attributes_of(request)
            self._authorize(attributes)
            route = find_route(self.registry, request.path)
            if route is None:
                response: Response = self._discover(request)
            else:
                context = RequestContext(request, route)
                if route.served.deprecation:
                    context.warn(route.served.deprecation)
                response = self._dispatch(context, verb_of(request, route, attributes.verb))
        except StatusError as error:
            response = _error_response(error)
        except RecursionError:
            response = _error_response(errors.bad_request(_TOO_DEEP))
        except Exception:
            logger.exception("request failed", method=request.method, path=request.path)
            response = _error_response(errors.internal("the embedded API server failed; its log says why"))
        if self._observer is not None:
            self._observer(attributes, _status_of(response))
        response = for_reader(request, response)
        return response if context is None else context.with_warnings(response)

    def _authorize(self, attributes: RequestAttributes) -> None:
        """
        Raises:
            StatusError: 403, as what is refused before anybody looks at it.
        """
        reason = self._refusal(attributes)
        if reason is not None:
            error = _not_allowed(attributes, reason)
            error.headers["X-Content-Type-Options"] = "nosniff"
            raise error

    def _authorize_part(self, attributes: RequestAttributes) -> None:
        """Likewise of what is found out later."""
        reason = self._refusal(attributes)
        if reason is not None:
            raise _not_allowed(attributes, reason)

    def _refusal(self, attributes: RequestAttributes) -> str | None:
        if attributes.user == ANONYMOUS.name and self._rbac is None:
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

    def _dispatch(self, context: RequestContext, verb: str) -> Response:
        request, route = context.request, context.route
        if route.subresource and route.subresource not in OBJECT_PARTS:
            return self._subresources.handle(context)
        if route.served.verbs == ("create",):
            return json_response(201, self._reviews.handle(context))
        if verb in {"update", "patch"} and not route.name:
            raise errors.bad_request("name must be provided")
        if verb == "watch":
            return self._reader.watch(route, request)
        if verb in {"get", "list"}:
            return self._reader.get(route, request) if verb == "get" else self._reader.list(route, request)
        return self._changes.handle(verb, context)

    def _rights_of(self, request: ApiRequest) -> Rights:
        return _Rights(attributes_of(request), self._authorize_part, self._rbac)

    def _create_roles(self) -> None:
        """Those that every cluster has, if they are not there yet."""
        for type_, body in bootstrap_objects():
            served = self.registry.find(type_.group, type_.version, type_.plural)
            if (
                served is not None
                and self.store.get(served.collection, ObjectKey("", body["metadata"]["name"])) is None
            ):
                self._writer.create(Route(served), body, WriteOptions(manager="kube-apiserver"), [])

    def _create_namespaces(self) -> None:
        served = self.registry.find("", "v1", "namespaces")
        if served is None:
            return
        for name in _NAMESPACES:
            if self.store.get(served.collection, ObjectKey("", name)) is None:
                body = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}}
                self._writer.create(Route(served), body, WriteOptions(manager="kube-apiserver"), [])


class _Rights:
    """What else a client may do, as its request shows it.

    Args:
        authorize: Raises StatusError if something is not allowed.
        rbac: None if roles and bindings decide nothing.
    """

    def __init__(
        self, attributes: RequestAttributes, authorize: Callable[[RequestAttributes], None], rbac: Rbac | None
    ) -> None:
        self._attributes = attributes
        self._authorize = authorize
        self._rbac = rbac

    def check_creation(self) -> None:
        self._authorize(structs.replace(self._attributes, verb="create"))

    def check_grant(self, new: Body, old: Body | None) -> None:
        if self._rbac is not None and self._attributes.group == ROLES.group:
            self._rbac.check_grant(self._attributes, new, old)


def _not_allowed(attributes: RequestAttributes, reason: str) -> StatusError:
    who = f'User "{attributes.user}" cannot {attributes.verb}'
    tail = f": {reason}" if reason else ""
    if attributes.path:
        message = f'forbidden: {who} path "{attributes.path}"{tail}'
        return StatusError(403, message, "Forbidden", details={})
    resource = "/".join(each for each in (attributes.resource, attributes.subresource) if each)
    scope = f'in the namespace "{attributes.namespace}"' if attributes.namespace else "at the cluster scope"
    why = f'{who} resource "{resource}" in API group "{attributes.group}" {scope}{tail}'
    return errors.forbidden(resource_of(attributes), attributes.name, why)


def _status_of(response: Response) -> int:
    if isinstance(response, ApiResponse):
        return response.status
    return 200 if isinstance(response, WatchResponse) else 101


def _error_response(error: StatusError) -> ApiResponse:
    if error.body is None:
        return text_response(error.status, error.message, error.headers)
    return json_response(error.status, error.body, error.headers)
