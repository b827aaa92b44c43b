"""What is answered below the token, as an ASGI application.

| request                                             | answer                                                       |
|-----------------------------------------------------|--------------------------------------------------------------|
| `GET /TOKEN/`                                       | the page, `page/index.html`; `GET /TOKEN/NAME`: its files      |
| `GET /TOKEN/state?network=NAMESPACE/NAME`           | a `State`                                                    |
| `GET /TOKEN/events?network=NAMESPACE/NAME`          | server-sent events, see `model`                              |
| `GET /TOKEN/log?network=NAMESPACE/NAME&node=0&lines=100` | a `LogTail`                                             |
| `POST /TOKEN/actions/NAME`, an `Order`, `X-Btcctl-Token` | an `Outcome`                                            |
| `GET /healthz`                                      | `ok`, for probes; says nothing else                          |
| `HEAD` of any of these                              | the same without a body; of `events` nothing is looked at    |

Everything here runs in the loop's one thread and never blocks: what waits for the API server or a node does so in
`Scene`, in threads of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from importlib.resources import files
from typing import Final, Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from btcctl import codecs
from btcctl.bitcoin.view.hub import Hub, TooManyPages
from btcctl.bitcoin.view.model import State
from btcctl.bitcoin.view.orders import LogTail, Order, Outcome
from btcctl.bitcoin.view.serving.guard import HEADERS, Guard, Refusal
from btcctl.logging import get_logger

T = TypeVar("T")

logger = get_logger(__name__)

MAX_BODY_BYTES: Final = 64 << 10
MAX_LINES: Final = 1000
#: How often a stream that has nothing to say says so: proxies and browsers see that it lives.
KEEP_ALIVE_SECONDS: Final = 10.0
_STREAM: Final = "text/event-stream"
_UNBUFFERED: Final = {"x-accel-buffering": "no"}
_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
}


class Scene(Protocol):
    """What is shown. Its methods are called in different threads."""

    hub: Hub

    def state(self, network: str) -> State:
        """Everything, of a page that looks at `NAMESPACE/NAME`, or at none with "". Must not wait for anybody."""

    def act(self, action: str, order: Order) -> Outcome:
        """Do it; says in words what is wrong. May wait."""

    def log(self, network: str, node: int, lines: int) -> LogTail:
        """The last lines that a node has printed. May wait."""


Submit = Callable[[Callable[[], None]], None]  #: runs something in another thread


class App:
    """Answers requests. Made, and closed, in the loop's thread.

    Args:
        scene: What is shown.
        guard: Who may ask.
        submit: Runs what may wait.
    """

    def __init__(self, scene: Scene, guard: Guard, submit: Submit) -> None:
        self._scene = scene
        self._guard = guard
        self._submit = submit
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """End all streams."""
        self._ended.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            return
        response = await self._answer(Request(scope, receive))
        response.headers.update(HEADERS)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.url.path == "/healthz":
            return Response("ok", media_type="text/plain")
        refusal = self._guard.refusal(request.method, request.headers)
        path = self._guard.path(request.url.path)
        if refusal is None and path is None:
            refusal = Refusal(404, "there is nothing here: open the address as it was printed, with its token")
        if refusal is not None or path is None:
            return _text(*((refusal.status, refusal.why) if refusal else (404, "")))
        if request.method == "POST" and path.startswith("actions/"):
            return await self._act(path.removeprefix("actions/"), request)
        if request.method not in {"GET", "HEAD"}:
            return _text(405, "only GET, and POST to actions/NAME")
        return await self._get(path, request)

    async def _get(self, path: str, request: Request) -> Response:
        network = request.query_params.get("network", "")
        if path == "state":
            return _json(200, self._scene.state(network))
        if path == "events":
            is_for_heads = request.method == "HEAD"  # and would leave a page's place taken
            return Response(media_type=_STREAM, headers=_UNBUFFERED) if is_for_heads else self._events(network)
        if path == "log":
            return await self._log(network, request)
        return _file(path or "index.html")

    def _events(self, network: str) -> Response:
        wake = _Wake(self._loop)
        try:
            page = self._scene.hub.join(network, wake)
        except TooManyPages:
            return _text(503, "too many pages look already: close one")

        async def stream() -> AsyncIterator[bytes]:
            try:
                while not self._ended.is_set():
                    yield page.take(self._scene.state) or await self._pause(wake)
            finally:
                self._scene.hub.leave(page)

        return StreamingResponse(stream(), media_type=_STREAM, headers=_UNBUFFERED)

    async def _pause(self, wake: _Wake) -> bytes:
        """Until there is something to take: b"". Or for long enough that something has to be said."""
        ended = asyncio.ensure_future(self._ended.wait())
        woken = asyncio.ensure_future(wake.wait())
        try:
            done, _ = await asyncio.wait({ended, woken}, timeout=KEEP_ALIVE_SECONDS, return_when="FIRST_COMPLETED")
        finally:
            ended.cancel()
            woken.cancel()
        return b"" if done else b": nothing new\n\n"

    async def _act(self, action: str, request: Request) -> Response:
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_BODY_BYTES:
                return _outcome(413, "that is more than an order needs")
        try:
            order = codecs.decode(bytes(body), Order)
        except codecs.DECODE_ERRORS as error:
            return _outcome(400, f"this is no order: {error}")
        outcome = await self._elsewhere(lambda: self._scene.act(action, order))
        if outcome is None:
            return _outcome(500, _FAILED)
        return _json(200 if outcome.is_done else 422, outcome)

    async def _log(self, network: str, request: Request) -> Response:
        node, lines = (_number(request.query_params.get(name, default)) for name, default in _NUMBERS.items())
        if node is None or lines is None or not 0 < lines <= MAX_LINES:
            return _text(400, f"say network=NAMESPACE/NAME&node=ORDINAL&lines=N, at most {MAX_LINES} of them")
        tail = await self._elsewhere(lambda: self._scene.log(network, node, lines))
        return _json(200, tail or LogTail(problem=_FAILED))

    async def _elsewhere(self, call: Callable[[], T]) -> T | None:
        """Run what may wait in another thread; None if it raised: then the thread has logged it."""
        future: asyncio.Future[T | None] = self._loop.create_future()

        def run() -> None:
            result: T | None = None
            try:
                result = call()
            finally:
                self._from_elsewhere(_finish, future, result)

        self._submit(run)
        return await future

    def _from_elsewhere(self, what: Callable[..., None], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *args)
        except RuntimeError:
            logger.debug("an answer came after the end")


class _Wake:
    """An event that other threads set, and that is reset by waiting for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()
        self._is_coming = False  # so that a burst of messages is one call into the loop

    def __call__(self) -> None:
        if self._is_coming:
            return
        self._is_coming = True
        try:
            self._loop.call_soon_threadsafe(self._set)
        except RuntimeError:  # the loop is closed, and so is the stream
            return

    async def wait(self) -> None:
        await self._event.wait()
        self._event.clear()

    def _set(self) -> None:
        self._is_coming = False
        self._event.set()


_FAILED = "that failed in a way that was not foreseen: the log of btcctl says how"
_NUMBERS = {"node": "", "lines": "100"}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else None


def _finish(future: asyncio.Future[T], value: T) -> None:
    if not future.done():  # whoever waited may have left
        future.set_result(value)


def _json(status: int, value: object) -> Response:
    return Response(codecs.encode(value), status, media_type="application/json")


def _outcome(status: int, said: str) -> Response:
    return _json(status, Outcome(is_done=False, said=said))


def _text(status: int, said: str) -> Response:
    return Response(f"{said}\n", status, media_type="text/plain; charset=utf-8")


def _file(name: str) -> Response:
    type_ = _TYPES.get(name.rpartition(".")[2])
    place = files("btcctl.bitcoin.view.page")
    if type_ is None or "/" in name or "\\" in name or not place.joinpath(name).is_file():
        return _text(404, "there is no such page")
    return Response(place.joinpath(name).read_bytes(), 200, media_type=type_)
