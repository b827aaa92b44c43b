"""The thread that serves the page: uvicorn in a loop of its own."""

from __future__ import annotations

import asyncio
import socket

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from btcctl.bitcoin.passes import ThreadPool
from btcctl.bitcoin.view.serving.app import App, Scene
from btcctl.bitcoin.view.serving.guard import Guard
from btcctl.controller.serving.http_server import listen
from btcctl.errors import BtcctlError
from btcctl.secret import Secret
from btcctl.threads import Latch, Runner, Stop

_MAX_CONNECTIONS = 256
_ANSWER_SECONDS = 1  # for what is under way at the end
_HEAD_SECONDS = 10.0  # for a caller to say what it wants
_THREADS = 8
_STOP_SECONDS = 3.0


class WebServer:
    """Serves a scene. Starts once.

    Args:
        scene: What is shown.
        token: What stands in the address.
        host: Where to listen: loopback unless others are to look, too.
        port: 0 picks a free one.
        names: Further values of the header `Host` that are ours.
        head_seconds: For a caller to say what it wants.

    Raises:
        ConfigError: The token has no place in an address.
    """

    def __init__(
        self,
        scene: Scene,
        token: Secret,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        names: tuple[str, ...] = (),
        head_seconds: float = _HEAD_SECONDS,
    ) -> None:
        self._scene = scene
        self._token = token
        self._guard = Guard(token, names)
        self._host = host
        self._port = port
        self._head_seconds = head_seconds
        self._listener: socket.socket | None = None
        self._pool = ThreadPool("view-answers", _THREADS)
        self._runner = Runner("view-server", self.run, on_failure=lambda error: self.died.set())
        self.died = Latch()

    @property
    def port(self) -> int:
        """Where it listens, once started."""
        return self._port

    @property
    def address(self) -> Secret:
        """What to open in a browser. Whoever has it may look, and act."""
        host = "127.0.0.1" if self._host in {"", "0.0.0.0", "::"} else self._host  # noqa: S104  compared, not bound
        return Secret(f"http://{f'[{host}]' if ':' in host else host}:{self._port}/{self._token}/")

    def start(self) -> None:
        """Listen, and serve in threads.

        Raises:
            BtcctlError: The address is taken, or not ours.
        """
        try:
            self._listener = _listen(self._host, self._port)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise BtcctlError(
                f"cannot listen on {self._host}:{self._port}: {reason}; --bind chooses another"
            ) from error
        self._port = self._listener.getsockname()[1]
        self._pool.start()
        self._runner.start()

    def stop(self, timeout: float = _STOP_SECONDS) -> None:
        """End all streams and all threads. Idempotent."""
        try:
            self._runner.stop(timeout)
        finally:
            self._pool.stop()

    def run(self, stop: Stop) -> None:
        """Serve until `stop` is set. Blocks."""
        asyncio.run(self._serve(stop))

    async def _serve(self, stop: Stop) -> None:
        if self._listener is None:
            raise RuntimeError("start() listens, run() serves")
        app = App(self._scene, self._guard, self._pool.submit)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                loop="asyncio",
                http=_patient_for(self._head_seconds),
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,  # the paths hold the token
                server_header=False,
                proxy_headers=False,
                limit_concurrency=_MAX_CONNECTIONS,
                timeout_graceful_shutdown=_ANSWER_SECONDS,
            )
        )
        loop = asyncio.get_running_loop()

        def end() -> None:
            app.close()
            server.should_exit = True

        def ask_to_end() -> None:
            loop.call_soon_threadsafe(end)

        unlink = stop.on_set(ask_to_end)
        try:
            await server.serve(sockets=[self._listener])
        finally:
            unlink()


def _patient_for(seconds: float) -> type[asyncio.Protocol]:
    """HTTP that is closed to who does not say in time what it wants: some hundred who are silent would keep all out."""

    class Connection(H11Protocol):
        _is_late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._unwatch()

        def _watch(self) -> None:
            if self.conn.their_state is not h11.IDLE:
                self._unwatch()
            elif self._is_late is None:
                self._is_late = self.loop.call_later(seconds, self.transport.close)

        def _unwatch(self) -> None:
            if self._is_late is not None:
                self._is_late.cancel()
                self._is_late = None

    return Connection


def _listen(host: str, port: int) -> socket.socket:
    if host in {"", "::"}:
        return listen(host, port)  # pods have addresses of either family
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    return socket.create_server(address, family=family, backlog=128)
