"""Logs, exec and port-forward: what a pod's node serves, checked here and passed on."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import datetime

from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.integers import IntegerError, parse_int
from btcctl.apiserver.requests.messages import ApiRequest, ApiResponse, TakeOver, text_response
from btcctl.apiserver.requests.routing import Route
from btcctl.apiserver.storage.collection import Body
from btcctl.apiserver.streaming import channel_forward_session, exec_session, forward_session
from btcctl.apiserver.streaming.channel_forward_session import ChannelForwardSession
from btcctl.apiserver.streaming.ends import End
from btcctl.apiserver.streaming.exec_session import ExecSession
from btcctl.apiserver.streaming.follow_session import FollowSession
from btcctl.apiserver.streaming.forward_session import ForwardSession
from btcctl.apiserver.streaming.hooks import ExecOptions, LogFollower, PodConnect, PodExec, PodHooks
from btcctl.apiserver.streaming.websocket import WebSocket
from btcctl.clock import Clock

POD_STREAMS = ("attach", "exec", "log", "portforward")
_TRUE = ("1", "true", "True")
_SMALLEST = {"tailLines": 0, "sinceSeconds": 1, "limitBytes": 1}


class PodStreams:
    """Answers requests that a node would serve."""

    def __init__(self, hooks: PodHooks, clock: Clock) -> None:
        self._hooks = hooks
        self._clock = clock

    def handle(self, route: Route, request: ApiRequest, pod: Body) -> ApiResponse | TakeOver:
        """Answer; the pod exists."""
        if route.subresource == "log":
            return self._log(route, request, pod)
        if route.subresource == "exec":
            return self._exec(route, request, pod)
        if route.subresource == "portforward":
            return self._forward(route, request, pod)
        raise errors.not_implemented("attaching to a container (kubectl logs -f shows what it prints)")

    def _log(self, route: Route, request: ApiRequest, pod: Body) -> ApiResponse | TakeOver:
        _check_log_options(route.name, request)
        container = _container(pod, request.option("container"))
        found = None if self._hooks.logs is None else self._hooks.logs(route.key, container, request.query)
        if found is None:
            raise errors.not_implemented("logs of pods that nothing runs")
        if isinstance(found, bytes):
            response = text_response(200, "", {"Content-Type": "text/plain"})
            return ApiResponse(200, response.headers, found)
        return TakeOver(self._follow(found))

    def _follow(self, follower: LogFollower) -> Callable[[socket.socket, bytes], None]:
        return lambda sock, _: FollowSession(End(sock), follower, self._clock).run()

    def _exec(self, route: Route, request: ApiRequest, pod: Body) -> TakeOver:
        container = _container(pod, request.option("container"))
        names = ("stdin", "stdout", "stderr", "tty")
        options = ExecOptions(request.query.get("command", []), *(request.option(each) in _TRUE for each in names))
        _check_exec_options(route.name, options)
        start = self._hooks.exec
        if start is None:
            raise errors.not_implemented("commands in pods that nothing runs")
        _require_running(pod, container)
        subprotocol = _subprotocol(request, exec_session.SUBPROTOCOLS)

        def serve(sock: socket.socket, head: bytes) -> None:
            client = WebSocket(End(sock), head, subprotocol)
            self._run(client, start, route, container, options)

        return TakeOver(serve)

    def _run(self, client: WebSocket, start: PodExec, route: Route, container: str, options: ExecOptions) -> None:
        try:
            process = start(route.key, container, options)
        except OSError as error:
            process, why = None, str(error)
        else:
            why = f"container {container} of pod {route.name} does not run"
        if process is None:
            ExecSession.refuse(client, f"error executing command in container: {why}", self._clock)
        else:
            ExecSession(client, process, self._clock).run()

    def _forward(self, route: Route, request: ApiRequest, pod: Body) -> TakeOver:
        connect = self._hooks.connect
        if connect is None:
            raise errors.not_implemented("ports of pods that nothing runs")
        spoken = (*forward_session.SUBPROTOCOLS, *channel_forward_session.SUBPROTOCOLS)
        subprotocol = _subprotocol(request, spoken)
        ports = _ports(request) if subprotocol in channel_forward_session.SUBPROTOCOLS else []
        connect_to, name = _connector(connect, route), f"{route.name}, uid {pod['metadata']['uid']}"

        def serve(sock: socket.socket, head: bytes) -> None:
            client = WebSocket(End(sock), head, subprotocol)
            if ports:
                ChannelForwardSession(client, connect_to, ports, name, self._clock).run()
            else:
                ForwardSession(client, connect_to, name, self._clock).run()

        return TakeOver(serve)


def _ports(request: ApiRequest) -> list[int]:
    """The ports that the query names.

    Raises:
        StatusError: 400, it names none, or something that is none.
    """
    texts = [text for each in request.query.get("ports", []) for text in each.split(",") if text]
    if not texts:
        raise errors.bad_request('query parameter "port" is required')
    if not all(text.isdecimal() and 0 < int(text) < 65536 for text in texts):
        raise errors.bad_request(f'unable to parse "{",".join(texts)}" as ports')
    return list(map(int, texts))


def _connector(connect: PodConnect, route: Route) -> Callable[[int], socket.socket]:
    def connect_to(port: int) -> socket.socket:
        connection = connect(route.key, port)
        if connection is None:
            raise ConnectionError("the pod does not run")
        return connection

    return connect_to


def _container(pod: Body, wanted: str) -> str:
    """The container that is meant.

    Raises:
        StatusError: 400, there is none of that name, or none is named and there are several.
    """
    name, spec = pod["metadata"]["name"], pod["spec"]
    kinds = ("initContainers", "containers", "ephemeralContainers")
    names = [str(each["name"]) for kind in kinds for each in spec.get(kind) or ()]
    if not wanted and len(spec["containers"]) > 1:
        choose = " ".join(names)
        raise errors.bad_request(f"a container name must be specified for pod {name}, choose one of: [{choose}]")
    if wanted and wanted not in names:
        raise errors.bad_request(f"container {wanted} is not valid for pod {name}")
    return wanted or str(spec["containers"][0]["name"])


def _check_log_options(name: str, request: ApiRequest) -> None:
    time = request.option("sinceTime")
    if time and not _is_time(time):
        raise errors.bad_request(f"sinceTime is no time: {time}; write it as 2026-01-31T12:00:00Z")
    if time and request.option("sinceSeconds"):
        why = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
        raise errors.invalid("", "PodLogOptions", name, [Cause("FieldValueForbidden", why, "")])
    for each, smallest in _SMALLEST.items():
        text = request.option(each)
        if not text:
            continue
        try:
            number = parse_int(text)
        except IntegerError as error:
            raise errors.bad_request(str(error)) from None
        if number < smallest:
            message = f"Invalid value: {number}: must be greater than or equal to {smallest}"
            raise errors.invalid("", "PodLogOptions", name, [Cause("FieldValueInvalid", message, each)])


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _check_exec_options(name: str, options: ExecOptions) -> None:
    if not options.command:
        cause = Cause("FieldValueRequired", "Required value", "command")
        raise errors.invalid("", "PodExecOptions", name, [cause])
    if not (options.stdin or options.stdout or options.stderr):
        raise errors.bad_request("you must specify at least one of stdin, stdout, stderr")


def _require_running(pod: Body, container: str) -> None:
    reported = (pod.get("status") or {}).get("containerStatuses") or []
    running = any(each["name"] == container and "running" in (each.get("state") or {}) for each in reported)
    if not running:
        raise errors.bad_request(f"container {container} of pod {pod['metadata']['name']} does not run")


def _subprotocol(request: ApiRequest, spoken: tuple[str, ...]) -> str:
    """What to speak over WebSocket: the best of what the client offers.

    Raises:
        StatusError: 400, it asks for no WebSocket, or offers nothing that is spoken here.
    """
    if request.headers.get("upgrade", "").lower() != "websocket":
        tail = (
            "; this server speaks WebSocket only, as kubectl does from 1.31 on" if "upgrade" in request.headers else ""
        )
        raise errors.bad_request(f"Upgrade request required{tail}")
    offered = [each.strip() for each in request.headers.get("sec-websocket-protocol", "").split(",")]
    for each in spoken:
        if each in offered:
            return each
    raise errors.bad_request(f"unable to upgrade: none of {offered} is spoken here: {', '.join(spoken)}")
