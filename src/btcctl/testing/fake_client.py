"""The real client over an API server in the same process: no sockets, no threads, no waiting.

Everything between `ApiClient` and the store is the real thing: paths, bodies, errors, watches,
validation, defaults. What unit tests add are recorded actions and reactors.
"""

from __future__ import annotations

import copy
import json
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any, Literal

from urllib3 import HTTPHeaderDict

from btcctl.apiserver.access.impersonation import groups_of
from btcctl.apiserver.access.rbac import Authorizer
from btcctl.apiserver.api import Api, ApiRequest, ApiResponse
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.requests.messages import ADMIN, TakeOver, User, WatchResponse
from btcctl.apiserver.requests.request_info import attributes_of
from btcctl.apiserver.requests.routing import find_route, verb_of
from btcctl.apiserver.storage.store import Store
from btcctl.apiserver.storage.watches import Watch
from btcctl.clock import Clock
from btcctl.errors import ApiError, BtcctlError, TransportError, describe_error
from btcctl.objects import ObjectKey
from btcctl.resources import ResourceType
from btcctl.rest.client import ApiClient
from btcctl.rest.retry import RetryPolicy
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request, Response, StreamResponse, Transport
from btcctl.secret import hiding_bodies
from btcctl.testing.clock import FakeClock
from btcctl.testing.definitions import definitions_for
from btcctl.testing.seeds import Seed, SeededUids, plain_of
from btcctl.typed.kinds import AnyKind
from btcctl.typed.typed_object import TypedObject


@dataclass(frozen=True, slots=True)
class Action:
    """One request to a resource, as a client made it: what a reactor does to its own copy changes nothing here.

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


#: None goes on to the next reactor, and then to the store; a dict is the answer. An ApiError is the answer, too, other
#: errors of ours are raised as they are, and anything else is a TransportError that names it.
Reactor = Callable[[Action], Mapping[str, Any] | None]

_WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


class FakeClient(ApiClient):
    """An ApiClient with an API server of its own.

    Owner garbage collection and the end of namespaces happen at once, after each write. Watches
    deliver what is written at once, and end only when `end_watches` is called: nothing here
    follows the clock. Answers with a Retry-After are not retried.

    Args:
        objects: What there is at the beginning, status included: dicts, or values of classes. Namespaces they need
            are made.
        types: Custom kinds: a CustomResourceDefinition; a class of objects, whose it is; or just a type, whose
            objects may then hold anything and have a status.
        authorizer: As for `Api`; see `acting_as`.
        collects: Owner garbage collection and the end of namespaces happen. False: they never do, as on
            an API server without kube-controller-manager.
        field_manager: As for `ApiClient`.

    Raises:
        ValueError: An object is refused, or could not be kept as it is; see `add`.

    Attributes:
        api: The server.
        actions: Every request to a resource since the beginning or `clear_actions`, in order.
        reactors: Asked in order before the store is; change the list in place.
    """

    @hiding_bodies
    def __init__(
        self,
        *objects: Mapping[str, Any] | TypedObject,
        types: Iterable[AnyKind | Mapping[str, Any]] = (),
        clock: Clock | None = None,
        authorizer: Authorizer | Literal["rbac"] | None = None,
        collects: bool = True,
        field_manager: str | None = None,
    ) -> None:
        clock = clock if clock is not None else FakeClock()
        self._uids = SeededUids()
        self.api = Api(clock=clock, authorizer=authorizer, new_uid=self._uids.next)
        self._fake = _FakeTransport(self.api, collects=collects)
        self.actions = self._fake.actions
        self.reactors = self._fake.reactors
        super().__init__(self._fake, field_manager=field_manager, clock=clock, retries=RetryPolicy(attempts=1))
        for each in definitions_for(types):
            self.add(each)
        self._seed(plain_of(each) for each in objects)

    @property
    def store(self) -> Store:
        """What the server behind it holds."""
        return self.api.store

    @property
    def transport(self) -> Transport:
        """What carries requests to the server, for a client of another kind."""
        return self._fake

    def acting_as(self, user: str, *groups: str) -> ApiClient:
        """A client of the same server as a user, or as `system:serviceaccount:NAMESPACE:NAME`, in more groups."""
        transport = self._fake.acting_as(User(user, tuple(groups_of(user, groups))))
        return ApiClient(transport, clock=self.api.clock, retries=RetryPolicy(attempts=1))

    @property
    def writes(self) -> list[Action]:
        """The actions that are no reads."""
        return [action for action in self._fake.actions if action.verb in _WRITES]

    def clear_actions(self) -> None:
        """Forget what was recorded so far."""
        self._fake.actions.clear()

    def end_watches(self) -> None:
        """End every open watch, as a server does when their time is over."""
        self._fake.end_watches()

    @hiding_bodies
    def add(self, body: Mapping[str, Any] | TypedObject) -> dict[str, Any]:
        """Put an object there as it is, past actions and reactors.

        Kept are its status, uid, generation, timestamps, finalizers and managedFields, too.

        Returns:
            The object as stored.

        Raises:
            ValueError: It is not accepted, its kind is not known, it has a resourceVersion (which only the store
                gives), something of it would be lost, or it would be gone at once: because of a deletionTimestamp
                without a finalizer, or of owners that are not there.
        """
        body = plain_of(body)
        self._seed([body])
        seeded = Seed.of(body, self.api.registry)
        record = self.store.get(seeded.served.collection, seeded.key)
        if record is None:  # of a body without a name
            raise ValueError(f"{seeded} is not there")
        stored: dict[str, Any] = json.loads(json.dumps(record.body))
        return stored

    def _seed(self, bodies: Iterable[Mapping[str, Any]]) -> None:
        """Add them, and only then let the collector look: an owner may come after what it owns."""
        seeds = []
        for body in bodies:
            seed = Seed.of(body, self.api.registry)
            self._put(seed)
            seeds.append(seed)
        self._fake.collect()
        for seed in seeds:
            if self.store.get(seed.served.collection, seed.key) is None:
                raise ValueError(f"{seed} would be gone at once: add its owners, too, or use collects=False")

    def _put(self, seed: Seed) -> None:
        namespace = seed.key.namespace
        if namespace and self.store.get(("", "namespaces"), ObjectKey("", namespace)) is None:
            self.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        served, key = seed.served, seed.key
        with self._uids.giving(seed.uid):
            created = self._send("POST", served.type.path(namespace), seed.to_create())
        if seed.has_status:
            if seed.is_dying:  # some statuses are of such objects alone
                created = self._as_seeded(seed)
            path = served.type.path(namespace, key.name, "status")
            self._send("PUT", path, {**created, "status": seed.body["status"]})
        seed.check_kept(self._as_seeded(seed))

    def _as_seeded(self, seed: Seed) -> dict[str, Any]:
        """What is stored, now with what a server would have set itself."""
        record = self.store.get(seed.served.collection, seed.key)
        if record is None:
            raise ValueError(f"{seed} was not kept")
        as_seeded = {**record.body["metadata"], **seed.kept_metadata()}
        if as_seeded != record.body["metadata"]:
            record = self.store.update(seed.served.collection, {**record.body, "metadata": as_seeded})
        return dict(record.body)

    def _send(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        response = self.api.handle(ApiRequest(method, path, body=json.dumps(body).encode()))
        answer: dict[str, Any] = json.loads(response.body if isinstance(response, ApiResponse) else b"{}")
        if answer.get("kind") == "Status":
            raise ValueError(f"{method} {path}: {answer['message']}")
        return answer


class _FakeTransport:
    """Carries requests to an Api by calling it."""

    def __init__(self, api: Api, *, collects: bool, user: User = ADMIN) -> None:
        self._api = api
        self.user = user
        self._collects = collects
        self._lock = threading.Lock()  # guards the streams
        self._streams: list[_FakeStream] = []
        self.actions: list[Action] = []
        self.reactors: list[Reactor] = []

    def acting_as(self, user: User) -> _FakeTransport:
        found = copy.copy(self)
        found.user = user
        return found

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
        stream = _FakeStream(answer, breaker, self._forget, self._api.clock)
        with self._lock:
            self._streams.append(stream)
        stream.start()
        return stream

    def close(self) -> None:
        """Nothing is held open."""

    def end_watches(self) -> None:
        with self._lock:
            streams = list(self._streams)
            self._streams.clear()  # in place: those who act as others share it
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
        asked = ApiRequest(request.method, request.path, query, headers, request.body or b"", *self.user)
        action = self._action(asked)
        if action is None:
            return self._api.handle(asked)
        self.actions.append(action)
        for reactor in list(self.reactors):
            answer = _ask(reactor, replace(action, body=copy.deepcopy(action.body)))
            if answer is not None:
                return answer
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
        self,
        answer: ApiResponse | WatchResponse,
        breaker: Breaker,
        forget: Callable[[_FakeStream], None],
        clock: Clock,
    ) -> None:
        self.status = answer.status if isinstance(answer, ApiResponse) else 200
        self.headers: Mapping[str, str] = HTTPHeaderDict(answer.headers)
        self._watch: Watch | None = answer.watch if isinstance(answer, WatchResponse) else None
        self._body = answer.body if isinstance(answer, ApiResponse) else b""
        self._breaker = breaker
        self._forget = forget
        self._clock = clock
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
            line = self._clock.get(self._lines) if isinstance(self._clock, FakeClock) else self._lines.get()
            self._breaker.check()
            if line is None:
                return
            yield line

    def poll(self) -> bytes | None:
        """As `chunks`, without waiting: None at the end; raises queue.Empty if nothing has come."""
        line = self._lines.get_nowait()
        self._breaker.check()
        return line

    def set_idle_timeout(self, seconds: float) -> None:
        """It may be silent for ever."""

    def close(self) -> None:
        if self._watch is not None:
            self._watch.stop()
        self._breaker.release()
        self._forget(self)


def _ask(reactor: Reactor, action: Action) -> ApiResponse | None:
    """What a reactor answers. Whatever it does is this call's failure, and ends no thread that made the call."""
    try:
        answer = reactor(action)
        if answer is None:
            return None
        if not isinstance(answer, Mapping):
            raise TypeError(f"it returned a {type(answer).__name__}, neither None nor an object")
        body = json.dumps(dict(answer), allow_nan=False).encode()
        return ApiResponse(200, {"Content-Type": "application/json"}, body)
    except ApiError as error:
        return _refusal(error)
    except BtcctlError:
        raise
    except BaseException as error:
        raise TransportError(f"a reactor failed: {describe_error(error)}") from error


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
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    return ApiResponse(error.code, headers, json.dumps(status).encode())
