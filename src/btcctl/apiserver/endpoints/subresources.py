"""Scale, binding, eviction and what else is below an object."""

from __future__ import annotations

from btcctl.apiserver.endpoints.evictions import Evictions
from btcctl.apiserver.endpoints.pod_streams import POD_STREAMS, PodStreams
from btcctl.apiserver.endpoints.scales import Scales
from btcctl.apiserver.endpoints.token_requests import TokenRequests
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.objects.writer import Writer
from btcctl.apiserver.requests.bodies import read_plain
from btcctl.apiserver.requests.context import RequestContext
from btcctl.apiserver.requests.messages import ApiRequest, ApiResponse, TakeOver, json_response
from btcctl.apiserver.requests.options import write_options
from btcctl.apiserver.requests.routing import Route
from btcctl.apiserver.storage.answers import answered
from btcctl.apiserver.storage.collection import Body
from btcctl.apiserver.storage.store import Store
from btcctl.apiserver.streaming.hooks import PodHooks
from btcctl.clock import rfc3339

_CREATED = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


class Subresources:
    """Answers requests to all subresources but `status`.

    Args:
        evictions: Answers those of pods.
        pods: What runs the pods provides.
        token_requests: Answers those of ServiceAccounts.
    """

    def __init__(
        self,
        store: Store,
        writer: Writer,
        scales: Scales,
        evictions: Evictions,
        pods: PodHooks,
        token_requests: TokenRequests,
    ) -> None:
        self._store = store
        self._writer = writer
        self._scales = scales
        self._evictions = evictions
        self._streams = PodStreams(pods, store.clock)
        self._token_requests = token_requests

    def handle(self, context: RequestContext) -> ApiResponse | TakeOver:
        """
        Raises:
            StatusError: It may not be.
        """
        request, route = context.request, context.route
        if route.subresource in POD_STREAMS:
            return self._streams.handle(route, request, self._existing(route))
        if route.subresource == "token":
            return self._token_requests.handle(route, request, self._existing(route))
        if route.subresource == "scale":
            return answered(lambda: self._scales.handle(context))
        handlers = {
            "binding": self._bind,
            "eviction": self._evict,
            "finalize": self._finalize,
        }
        return handlers[route.subresource](route, request)

    def _existing(self, route: Route) -> Body:
        record = self._store.get(route.served.collection, route.key)
        if record is None:
            raise errors.not_found(route.served.type, route.name)
        return record.body

    def _bind(self, route: Route, request: ApiRequest) -> ApiResponse:
        options = write_options(request, "CreateOptions")
        node = (read_plain(request, "v1", "Binding").get("target") or {}).get("name")
        if not node:
            cause = Cause("FieldValueRequired", "Required value", "target.name")
            raise errors.invalid("", "Binding", route.name, [cause])
        pod = self._existing(route)
        assigned = pod["spec"].get("nodeName")
        if assigned:
            why = f"pod {route.name} is already assigned to node {assigned!r}".replace("'", '"')
            raise errors.conflict(route.served.type, route.name, why)
        now = rfc3339(self._store.clock.wall_time())
        scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": now}
        conditions = [*((pod.get("status") or {}).get("conditions") or ()), scheduled]
        if not options.dry_run:
            self._writer.bind(route, node, conditions)
        return json_response(201, _CREATED)

    def _evict(self, route: Route, request: ApiRequest) -> ApiResponse:
        self._evictions.evict(route, request)
        return json_response(201, _CREATED)

    def _finalize(self, route: Route, request: ApiRequest) -> ApiResponse:
        self._existing(route)
        wanted = (read_plain(request, "v1", "Namespace").get("spec") or {}).get("finalizers") or []
        return json_response(200, self._writer.finalize(route, wanted))
