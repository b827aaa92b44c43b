"""One API server: requests with retries, resources, discovery."""

from __future__ import annotations

import copy
import sys
import threading
from collections.abc import Mapping
from logging import DEBUG
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

import msgspec
from cachetools import LRUCache, TTLCache
from msgspec.structs import replace

from btcctl import codecs
from btcctl.clock import SYSTEM_CLOCK, Clock, check_seconds
from btcctl.deadline import pending_calls, time_left
from btcctl.errors import (
    ApiError,
    BtcctlError,
    DeadlineExceeded,
    Interrupted,
    NotFound,
    ObjectDecodeError,
    TransportError,
)
from btcctl.logging import get_logger
from btcctl.metadata import TypeMeta
from btcctl.mistakes import check_has, check_is
from btcctl.resources import ResourceType
from btcctl.rest.answers import decode_answer, error_from, failure_in, parse_warnings
from btcctl.rest.collection.field_manager import checked_manager, program_name
from btcctl.rest.collection.resource import Resource
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.http import HttpTransport
from btcctl.rest.limits import StreamLimits
from btcctl.rest.retry import RetryPolicy
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.limited import within_work
from btcctl.rest.transport.transport import FixedHeaders, Request, Response, StreamResponse, Transport
from btcctl.rest.watching.stream import WatchStream
from btcctl.secret import SecretBytes, hiding_bodies, hiding_frames, without_frames
from btcctl.threads import Latch, Stop
from btcctl.typed.kinds import TypedKind, kind_of
from btcctl.typed.typed_object import TypedObject
from btcctl.version import VERSION

if TYPE_CHECKING:
    from btcctl.rest.typed.resource import TypedResource

logger = get_logger(__name__)

T = TypeVar("T")
K = TypeVar("K", bound=TypedObject)

REQUEST_SECONDS = 30.0
DISCOVERY_SECONDS = 300.0  # how long discovery is remembered; a miss always asks again
_ERROR_BODY_BYTES = 1 << 20
_MAX_RESOURCES = 1000  # that are kept
_KNOWN_HEADERS = 16  # kinds of requests that are told apart by their headers


def default_user_agent() -> str:
    """Its part before the "/" is the field manager of writes that name none."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"btcctl/{VERSION} ({sys.platform}) python/{python}"


class _Served(msgspec.Struct):
    name: str
    kind: str
    namespaced: bool = False


class ApiClient:
    """Speaks to one API server. Thread-safe.

    Args:
        transport: Carries the requests; closed with the client.
        field_manager: Names the owner of the fields that are written, in 128 bytes at most; the program's name if
            None, as client-go has it, and then `apply` asks for one.
        user_agent: What the server logs; our name and version if "".
        retries: When a request is sent again after a Retry-After.
        timeout: Seconds a request other than a list may take, with all its retries; a watch, until it begins.
        gzip: Ask for compressed lists. Off, because within a cluster unpacking costs more than is saved; on
            for a server that is far away.
        cluster: Which one it is, in a program that looks after several: the keys of its objects say so, and a key
            of another cluster is refused.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        field_manager: str | None = None,
        user_agent: str = "",
        clock: Clock = SYSTEM_CLOCK,
        retries: RetryPolicy = RetryPolicy(),
        timeout: float = REQUEST_SECONDS,
        gzip: bool = False,
        cluster: str = "",
    ) -> None:
        check_has("the transport", transport, "request", "HttpTransport(config)")
        check_is("retries", retries, RetryPolicy, "RetryPolicy(attempts=3)")
        self.has_chosen_field_manager = field_manager is not None
        self.field_manager = program_name() if field_manager is None else checked_manager(field_manager)
        self.gzip = gzip
        self.cluster = cluster
        self._transport = transport
        self._resources: dict[tuple[ResourceType, str], Resource] = {}
        self._known_headers: dict[tuple[tuple[str, str], ...], FixedHeaders] = {}
        self._headers = {"User-Agent": user_agent or default_user_agent(), "Accept": "application/json"}
        self.clock = clock
        self._retries = retries
        self._timeout = check_seconds("timeout", timeout)
        self._closed = Latch(clock)
        self._lock = threading.Lock()  # guards the two below
        self._discovered: TTLCache[tuple[str, str], tuple[ResourceType, ...]] = TTLCache(
            1000, DISCOVERY_SECONDS, timer=clock.now
        )
        self._warned: LRUCache[str, bool] = LRUCache(1000)

    @classmethod
    def from_config(cls, config: ClientConfig, **options: Any) -> Self:
        """A client over sockets. `options` are the constructor's."""
        check_is("the configuration", config, ClientConfig, "what load_config() returns")
        return cls(HttpTransport(config), **options)

    def in_cluster(self, name: str) -> Self:
        """The same client, on the same connections, whose objects say that they are in the cluster of this name."""
        named = copy.copy(self)
        vars(named).update(cluster=name, _resources={})
        return named

    @overload
    def resource(self, type_: ResourceType, namespace: str = "") -> Resource: ...
    @overload
    def resource(self, type_: type[K], namespace: str = "") -> TypedResource[K]: ...
    @overload
    def resource(self, type_: TypedKind[T], namespace: str = "") -> TypedResource[T]: ...
    def resource(
        self, type_: ResourceType | type[Any] | TypedKind[Any], namespace: str = ""
    ) -> Resource | TypedResource[Any]:
        """One collection; namespace "" means all namespaces, or cluster scope.

        Args:
            type_: Of a class of objects, or a TypedKind, objects come and go as values of the class.
        """
        if isinstance(type_, ResourceType):
            # Reconciles ask for the same few each time.
            found = self._resources.get((type_, namespace)) if isinstance(namespace, str) else None
            if found is None:
                found = self._resources.setdefault((type_, namespace), Resource(self, type_, namespace))
                if len(self._resources) > _MAX_RESOURCES:
                    self._resources.clear()
            return found
        from btcctl.rest.typed.resource import TypedResource  # noqa: PLC0415  for programs that use classes

        kind = kind_of(type_)
        return TypedResource(Resource(self, kind.type, namespace), kind)

    def server_version(self) -> dict[str, Any]:
        """What `/version` says: `gitVersion`, `major`, `minor`, …"""
        return self.get_json("/version")

    def discover(self, group: str, version: str, *, fresh: bool = False) -> tuple[ResourceType, ...]:
        """The resources the server has in a group and version, without subresources.

        Args:
            group: "" for the core group.
            fresh: Ask the server even if the answer is remembered.

        Raises:
            NotFound: The server does not have that group or version.
            ObjectDecodeError: The answer is no list of resources.
        """
        key = (group, version)
        with self._lock:
            known = None if fresh else self._discovered.get(key)
        if known is not None:
            return known
        path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        served = _served_in(self.get_json(path), f"GET {path}")
        found = tuple(
            ResourceType(group, version, each.name, each.kind, each.namespaced)
            for each in served
            if "/" not in each.name
        )
        with self._lock:
            self._discovered[key] = found
        return found

    def type_of(self, api_version: str, kind: str) -> ResourceType:
        """The resource that holds objects of a kind, as manifests name it.

        Raises:
            NotFound: The server does not know it: perhaps its CRD is not installed (yet).
        """
        group, _, version_ = api_version.rpartition("/")
        for fresh in (False, True):
            with_kind = [each for each in self._served(group, version_, fresh=fresh) if each.kind == kind]
            if with_kind:
                return with_kind[0]
        raise NotFound(404, "NotFound", f"the server has no kind {kind} in {api_version}: is its CRD installed?")

    def _served(self, group: str, version: str, *, fresh: bool) -> tuple[ResourceType, ...]:
        """What there is of a version; nothing if there is no such version: servers then speak of a page."""
        try:
            return self.discover(group, version, fresh=fresh)
        except NotFound:
            return ()

    def get_json(self, path: str) -> dict[str, Any]:
        """GET any path that answers with a JSON object."""
        return decode_answer(self.call(Request("GET", path)), f"GET {path}")

    @hiding_bodies
    def post_json(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST a JSON object to any path that answers with one and keeps nothing, such as a review of access."""
        headers = {"Content-Type": "application/json"}
        request = Request("POST", path, {}, headers, SecretBytes(codecs.encode(body)))
        del body
        return decode_answer(self.call(request), f"POST {path}")

    def call(
        self,
        request: Request,
        *,
        timeout: float | None = None,
        breaker: Breaker | None = None,
        stop: Stop | None = None,
        idempotent: bool | None = None,
    ) -> Response:
        """Send a request and wait for its answer, again where the server asks for that.

        Args:
            timeout: Seconds for all of it, waits that the server asks for included; the client's if None.
            breaker: Breaks off the attempt in flight.
            stop: Breaks off the wait between attempts.
            idempotent: Whether a 503 or 504 may be retried; by the method if None.

        Raises:
            ApiError: The answer is not 2xx, or a Status of a failure.
            TransportError: There was none.
            CallTimedOut: It was not whole in time; a TransportError and a DeadlineExceeded.
            DeadlineExceeded: `btcctl.deadline` left no time for it.
            Interrupted: `breaker`, `stop` or `close` ended it.
        """
        request = self._complete(request)
        failures, waited = 0, 0.0
        left = self._timeout if timeout is None else check_seconds("timeout", timeout)
        ends_at = self.clock.now() + left
        error: BtcctlError
        while True:
            try:
                response = self._transport.request(request, timeout=time_left(left), breaker=breaker)
            except BtcctlError as raised:
                error = _failure(raised, left)
            else:
                if logger.is_enabled(DEBUG) and not request.is_read:
                    logger.debug("api write", method=request.method, path=request.path, status=response.status)
                if "Warning" in response.headers:
                    self._log_warnings(response.headers)
                failure = failure_in(response, self.clock)
                if failure is None:
                    return response
                error = failure
            if not isinstance(error, ApiError):
                raise error
            failures += 1
            may_repeat = request.is_idempotent if idempotent is None else idempotent
            delay = self._retries.delay(error, failures=failures, waited=waited, idempotent=may_repeat)
            if delay is None or delay >= ends_at - self.clock.now() or time_left(delay) < delay:
                raise error
            logger.info("server asks to wait", method=request.method, path=request.path, seconds=delay)
            if self._wait(stop or self._closed, delay):
                raise Interrupted("stopped") from error
            waited += delay
            left = max(0.0, ends_at - self.clock.now())
            request = replace(request, after_status=error.code)

    def open_watch(
        self, request: Request, *, limits: StreamLimits, breaker: Breaker, type_meta: TypeMeta | None = None
    ) -> WatchStream:
        """Start a watch; returns as soon as the server has accepted it.

        Raises:
            ApiError: It has not.
            CallTimedOut: It has said neither within the client's timeout.
        """
        idle = limits.initial_idle_seconds or limits.idle_seconds
        response = self.open_stream(request, idle_timeout=idle, breaker=breaker)
        return WatchStream(response, breaker, limits, type_meta=type_meta, clock=self.clock)

    @hiding_frames
    def open_stream(self, request: Request, *, idle_timeout: float, breaker: Breaker) -> StreamResponse:
        """Ask for a body that is read as it comes; returns as soon as the server has accepted.

        Args:
            idle_timeout: Seconds of silence after which it counts as broken.
            breaker: Breaks the call, and the stream, off.

        Raises:
            ApiError: It has not.
            CallTimedOut: It has said neither within the client's timeout.
            DeadlineExceeded: `btcctl.deadline` leaves no more time; also while it is read.
            TransportError: There was no answer.
        """
        request = self._complete(request)
        timeout = time_left(self._timeout)
        response = self._transport.stream(request, timeout=timeout, idle_timeout=idle_timeout, breaker=breaker)
        if response.status == 200:
            try:
                return within_work(response, breaker)
            except (BtcctlError, OSError):
                response.close()
                raise
        try:
            raise error_from(Response(response.status, response.headers, _read_some(response)), self.clock)
        finally:
            response.close()

    def close(self) -> None:
        """End waits and let idle connections go. Idempotent."""
        self._closed.set()
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _complete(self, request: Request) -> Request:
        """With the headers that all have: merged once for all requests that have the same ones of their own."""
        own = tuple(request.headers.items())
        headers = self._known_headers.get(own)
        if headers is None:
            headers = FixedHeaders({**self._headers, **request.headers})
            if len(self._known_headers) < _KNOWN_HEADERS:
                self._known_headers[own] = headers
        about = (request.method, request.path, request.query, headers, request.body)
        return Request(*about, request.receive, request.after_status)

    def _wait(self, end: Latch, seconds: float) -> bool:
        """Wait until the server is to be asked again; return whether `end` came before."""
        calls = pending_calls()
        if calls is None:
            return end.wait(seconds)
        either = Latch(self.clock)
        unlink = end.on_set(either.set)
        try:
            with calls.breakable(either.set):
                return either.wait(seconds)
        finally:
            unlink()

    def _log_warnings(self, headers: Mapping[str, str]) -> None:
        """Each text once: the server repeats itself with every request."""
        for text in parse_warnings(headers.get("Warning", "")):
            with self._lock:
                is_new = text not in self._warned
                self._warned[text] = True
            if is_new:
                logger.warning("the API server warns", text=text)


def _failure(error: BtcctlError, timeout: float) -> BtcctlError:
    """What is raised because there was no answer: without the frames in which the request stands as bytes."""
    if isinstance(error, TransportError):
        try:
            time_left(timeout)
        except (DeadlineExceeded, Interrupted) as over:
            error = over
    return without_frames(error)


def _read_some(response: StreamResponse) -> bytes:
    body = b""
    for chunk in response.chunks():
        body += chunk
        if len(body) > _ERROR_BODY_BYTES:
            break
    return body


def _served_in(body: Mapping[str, Any], what: str) -> list[_Served]:
    """The entries of an APIResourceList."""
    try:
        return codecs.convert(body.get("resources") or [], list[_Served])
    except msgspec.ValidationError as error:
        raise ObjectDecodeError(f"{what}: no list of resources: {error}") from error
