"""Scale, binding, eviction and what else is below an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from btcctl.apiserver.endpoints.evictions import Evictions
from btcctl.apiserver.endpoints.pod_streams import POD_STREAMS, PodStreams
from btcctl.apiserver.endpoints.scales import Scales
from btcctl.apiserver.endpoints.token_requests import TokenRequests
from btcctl.apiserver.kinds.core_kinds import check_finalizers
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.field_errors import required, unsupported
from btcctl.apiserver.objects.writer import Writer, check_name, stored_otherwise
from btcctl.apiserver.requests.bodies import read_plain
from btcctl.apiserver.requests.context import RequestContext
from btcctl.apiserver.requests.messages import ApiRequest, ApiResponse, TakeOver, json_response
from btcctl.apiserver.requests.options import write_options
from btcctl.apiserver.requests.routing import Route, check_place
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
        binding = read_plain(request, "v1", "Binding")
        sent = binding["metadata"]
        check_place(route, sent)
        if sent.get("name") != route.name:
            raise errors.bad_request("name in URL does not match name in Binding object")
        _check_target(binding.get("target") or {})
        with self._store.transaction():
            pod = self._existing(route)
            _check_bindable(route, pod, sent)
            if not options.dry_run:
                now = rfc3339(self._store.clock.wall_time())
                self._writer.bind(route, _bound(pod, binding, now))
        return json_response(201, _CREATED)

    def _evict(self, route: Route, request: ApiRequest) -> ApiResponse:
        self._evictions.evict(route, request)
        return json_response(201, _CREATED)

    def _finalize(self, route: Route, request: ApiRequest) -> ApiResponse:
        body, existing = read_plain(request, "v1", "Namespace"), self._existing(route)
        check_name(route, body["metadata"])
        if body["metadata"].get("resourceVersion") not in {None, "", "0", existing["metadata"]["resourceVersion"]}:
            raise errors.conflict(route.served.type, route.name)
        wanted = (body.get("spec") or {}).get("finalizers") or []
        causes = check_finalizers(wanted)
        if causes:
            raise errors.invalid_object(route.served.type, route.name, causes)
        return json_response(200, self._writer.finalize(route, wanted))


def _check_target(target: Mapping[str, Any]) -> None:
    """What is wrong is no error of the API to a real server: it has no reason and no causes."""
    kind = target.get("kind")
    wrong = [] if kind in {None, "", "Node"} else [unsupported("target.kind", kind, ("Node", "<empty>"))]
    wrong += [] if target.get("name") else [required("target.name")]
    texts = [f"{cause.field}: {cause.message}" for cause in wrong]
    if texts:
        raise errors.internal(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")


def _check_bindable(route: Route, pod: Body, sent: Mapping[str, Any]) -> None:
    """
    Raises:
        StatusError: 409, it is another pod than the client means, or it cannot be put on a node.
    """
    type_ = structs.replace(route.served.type, plural="pods/binding")
    metadata, spec = pod["metadata"], pod["spec"]
    for name, what in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        if sent.get(name) not in {None, "", metadata[name]}:
            why = f"Precondition failed: {what} in precondition: {sent[name]}, {what} in object meta: {metadata[name]}"
            raise errors.conflict(route.served.type, route.name, stored_otherwise(route, why))
    if metadata.get("deletionTimestamp"):
        raise errors.conflict(type_, route.name, f"pod {route.name} is being deleted, cannot be assigned to a host")
    if spec.get("nodeName"):
        why = f'pod {route.name} is already assigned to node "{spec["nodeName"]}"'
        raise errors.conflict(type_, route.name, why)
    if spec.get("schedulingGates"):
        raise errors.conflict(type_, route.name, f"pod {route.name} has non-empty .spec.schedulingGates")


def _bound(pod: Body, binding: Mapping[str, Any], now: str) -> dict[str, Any]:
    """The pod on its node, with the labels and annotations of the binding."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    for name in ("labels", "annotations"):
        more = binding["metadata"].get(name)
        if more:
            metadata = {**metadata, name: {**(metadata.get(name) or {}), **more}}
    others = [each for each in status.get("conditions") or () if each.get("type") != "PodScheduled"]
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": now}
    spec = {**pod["spec"], "nodeName": binding["target"]["name"]}
    return {**pod, "metadata": metadata, "spec": spec, "status": {**status, "conditions": [*others, scheduled]}}
