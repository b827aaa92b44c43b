"""The real client over an API server in the same process: no sockets, no threads, no waiting.

Everything between `ApiClient` and the store is the real thing: paths, bodies, errors, watches,
validation, defaults. What unit tests add are recorded actions and reactors.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from urllib3 import HTTPHeaderDict

from btcctl.apiserver.api import Api, ApiRequest, ApiResponse
from btcctl.apiserver.messages import RequestAttributes, TakeOver, WatchResponse
from btcctl.apiserver.registry import Served
from btcctl.apiserver.request_info import attributes_of
from btcctl.apiserver.routing import find_route, verb_of
from btcctl.apiserver.statuses import StatusError
from btcctl.apiserver.store import Store
from btcctl.apiserver.watches import Watch
from btcctl.clock import Clock
from btcctl.errors import ApiError
from btcctl.objects import ObjectKey
from btcctl.resources import ResourceType
from btcctl.rest.breaker import Breaker
from btcctl.rest.client import ApiClient
from btcctl.rest.retry import RetryPolicy
from btcctl.rest.transport import Request, Response, StreamResponse
from btcctl.testing.clock import FakeClock


@dataclass(frozen=True, slots=True)
class Action:
    """One request to a resource, as a client made it.

    Attributes:
        verb: get, list, watch, create, update, patch, delete or deletecollection.
        key: Of the object; without a name for list, watch and deletecollection.
        subresource: "" for the object itself.
        body: What was sent: an object, a patch (a list for a JSON patch), or None.
    """

    verb: str
    type: ResourceType
    key: ObjectKey
    subresource: str = ""
    body: Any = None


#: None goes on to the next reactor, and then to the store; a dict is the answer.
Reactor = Callable[[Action], Mapping[str, Any] | None]

_WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


class FakeClient(ApiClient):
    """An ApiClient with an API server of its own.

    Owner garbage collection and the end of namespaces happen at once, after each write. Watches
    deliver what is written at once, and end only when `end_watches` is called: nothing here
    follows the clock. Answers with a Retry-After are not retried.

    Args:
        objects: What there is at the beginning, status included. Namespaces they need are made.
        types: Custom kinds: a CustomResourceDefinition, or just a type, whose objects may then
            hold anything and have a status.
        authorizer: As for `Api`.
        collects: Owner garbage collection and the end of namespaces happen. False: they never do, as on
            an API server without kube-controller-manager.

    Attributes:
        api: The server.
        actions: Every request to a resource since the beginning or `clear_actions`, in order.
        reactors: Asked in order before the store is; change the list in place.
    """

    def __init__(
        self,
        *objects: Mapping[str, Any],
        types: Iterable[ResourceType | Mapping[str, Any]] = (),
        clock: Clock | None = None,
        authorizer: Callable[[RequestAttributes], str | None] | None = None,
        collects: bool = True,
    ) -> None:
        clock = clock if clock is not None else FakeClock()
        numbers = itertools.count(1)
        self.api = Api(
            clock=clock, authorizer=authorizer, new_uid=lambda: f"{next(numbers):08x}-0000-4000-8000-0{0:011d}"
        )
        self._fake = _FakeTransport(self.api, collects=collects)
        self.actions = self._fake.actions
        self.reactors = self._fake.reactors
        super().__init__(self._fake, clock=clock, retries=RetryPolicy(attempts=1))
        for each in types:
            self.add(_definition(each) if isinstance(each, ResourceType) else each)
        for body in objects:
            self.add(body)

    @property
    def store(self) -> Store:
        return self.api.store

    @property
    def writes(self) -> list[Action]:
        """The actions that are no reads."""
        return [action for action in self._fake.actions if action.verb in _WRITES]

    def clear_actions(self) -> None:
        self._fake.actions.clear()

    def end_watches(self) -> None:
        """End every open watch, as a server does when their time is over."""
        self._fake.end_watches()

    def add(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Put an object there, with its status, past actions and reactors.

        Returns:
            The object as stored.

        Raises:
            ValueError: It is not accepted, or its kind is not known.
        """
        served = self.api.registry.by_kind(body["apiVersion"], body["kind"])
        if served is None:
            raise ValueError(f"{body['apiVersion']} {body['kind']} is not served: name it in `types`")
        namespace = (body["metadata"].get("namespace") or "default") if served.type.namespaced else ""
        if namespace and self.store.get(("", "namespaces"), ObjectKey("", namespace)) is None:
            self.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        metadata = {key: value for key, value in body["metadata"].items() if key != "resourceVersion"}
        created = self._send("POST", served.type.path(namespace), {**body, "metadata": metadata})
        if "status" in body and "status" in served.subresources:
            created = self._put_status(served, created, body["status"])
        self._fake.collect()
        return created

    def _put_status(self, served: Served, created: dict[str, Any], status: Any) -> dict[str, Any]:
        metadata = created["metadata"]
        path = served.type.path(metadata.get("namespace", ""), metadata["name"], "status")
        return self._send("PUT", path, {**created, "status": status})

    def _send(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        response = self.api.handle(ApiRequest(method, path, body=json.dumps(body).encode()))
        answer: dict[str, Any] = json.loads(response.body if isinstance(response, ApiResponse) else b"{}")
        if answer.get("kind") == "Status":
            raise ValueError(f"{method} {path}: {answer['message']}")
        return answer


class _FakeTransport:
    """Carries requests to an Api by calling it."""

    def __init__(self, api: Api, *, collects: bool) -> None:
        self._api = api
        self._collects = collects
        self._lock = threading.Lock()  # guards the streams
        self._streams: list[_FakeStream] = []
        self.actions: list[Action] = []
        self.reactors: list[Reactor] = []

    def request(self, request: Request, *, timeout: float, breaker: Breaker | None = None) -> Response:
        if breaker is not None:
            breaker.check()
        answer = self._answer(request)
        if isinstance(answer, WatchResponse):
            raise TypeError(f"{request.path} is a watch: it needs a stream")
        if request.method != "GET":
            self.collect()
        return Response(answer.status, HTTPHeaderDict(answer.headers), answer.body)

    def collect(self) -> None:
        """Do what the collector would do in a thread of its own."""
        if self._collects:
            self._api.collector.step()

    def stream(
        self,
        request: Request,
        *,
        timeout: float,
        idle_timeout: float,
        breaker: Breaker,
    ) -> StreamResponse:
        breaker.check()
        answer = self._answer(request)
        stream = _FakeStream(answer, breaker, self._forget)
        with self._lock:
            self._streams.append(stream)
        stream.start()
        return stream

    def close(self) -> None:
        """Nothing is held open."""

    def end_watches(self) -> None:
        with self._lock:
            streams, self._streams = self._streams, []
        for stream in streams:
            stream.end()

    def _forget(self, stream: _FakeStream) -> None:
        with self._lock:
            if stream in self._streams:
                self._streams.remove(stream)

    def _answer(self, request: Request) -> ApiResponse | WatchResponse:
        answer = self._any_answer(request)
        if isinstance(answer, TakeOver):
            raise TypeError(f"{request.path} needs a connection")
        return answer

    def _any_answer(self, request: Request) -> ApiResponse | WatchResponse | TakeOver:
        query = {key: [value] for key, value in request.query.items()}
        headers = {key.lower(): value for key, value in request.headers.items()}
        asked = ApiRequest(request.method, request.path, query, headers, request.body or b"")
        action = self._action(asked)
        if action is None:
            return self._api.handle(asked)
        self.actions.append(action)
        for reactor in list(self.reactors):
            try:
                answer = reactor(action)
            except ApiError as error:
                return _refusal(error)
            if answer is not None:
                return ApiResponse(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())
        return self._api.handle(asked)

    def _action(self, request: ApiRequest) -> Action | None:
        try:
            route = find_route(self._api.registry, request.path)
            if route is None:
                return None
            verb = verb_of(request, route, attributes_of(request).verb)
        except StatusError:
            return None
        body = json.loads(request.body) if request.body else None
        name = route.name
        if verb == "create" and not name and isinstance(body, dict):
            name = (body.get("metadata") or {}).get("name") or ""
        return Action(verb, route.served.type, ObjectKey(route.namespace, name), route.subresource, body)


class _FakeStream:
    """A watch whose lines come through a queue; the reader blocks on it."""

    def __init__(
        self, answer: ApiResponse | WatchResponse, breaker: Breaker, forget: Callable[[_FakeStream], None]
    ) -> None:
        self.status = answer.status if isinstance(answer, ApiResponse) else 200
        self.headers: Mapping[str, str] = HTTPHeaderDict(answer.headers)
        self._watch: Watch | None = answer.watch if isinstance(answer, WatchResponse) else None
        self._body = answer.body if isinstance(answer, ApiResponse) else b""
        self._breaker = breaker
        self._forget = forget
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()

    def start(self) -> None:
        if self._watch is None:
            self._lines.put(self._body)
            self._lines.put(None)
        else:
            self._breaker.on_trip(self.end)
            self._watch.start(self._lines.put, self.end)

    def end(self) -> None:
        """What was sent before is still read."""
        self._lines.put(None)

    def chunks(self) -> Iterator[bytes]:
        while True:
            line = self._lines.get()
            self._breaker.check()
            if line is None:
                return
            yield line

    def set_idle_timeout(self, seconds: float) -> None:
        """It may be silent for ever."""

    def close(self) -> None:
        if self._watch is not None:
            self._watch.stop()
        self._breaker.release()
        self._forget(self)


def _refusal(error: ApiError) -> ApiResponse:
    status: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": error.message,
    }
    status |= {"reason": error.reason, "details": error.details, "code": error.code}
    headers = {"Content-Type": "application/json"}
    if error.retry_after is not None:
        headers["Retry-After"] = str(int(error.retry_after))
    return ApiResponse(error.code, headers, json.dumps(status).encode())


def _definition(type_: ResourceType) -> dict[str, Any]:
    """A CustomResourceDefinition that takes any object."""
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": type_.version, "served": True, "storage": True, "schema": {"openAPIV3Schema": free}}
    names = {"plural": type_.plural, "kind": type_.kind}
    scope = "Namespaced" if type_.namespaced else "Cluster"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": type_.group_resource},
        "spec": {
            "group": type_.group,
            "scope": scope,
            "names": names,
            "versions": [{**version, "subresources": {"status": {}}}],
        },
    }
