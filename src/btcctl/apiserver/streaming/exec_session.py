"""`kubectl exec`: a command's streams as the numbered channels of a WebSocket."""

from __future__ import annotations

from typing import Any

import msgspec

from btcctl import codecs
from btcctl.apiserver.streaming.ends import End, wait_for
from btcctl.apiserver.streaming.hooks import PodProcess
from btcctl.apiserver.streaming.websocket import WebSocket
from btcctl.clock import SYSTEM_CLOCK, Clock

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
V5 = "v5.channel.k8s.io"
SUBPROTOCOLS = (V5, "v4.channel.k8s.io")  # v5 can close stdin alone

_POLL_SECONDS = 0.1
_ENDED_POLL_SECONDS = 0.005  # all output has come: so the exit status is on its way


class ExecSession:
    """Carries bytes between a client and a command until the command ends or the client leaves."""

    def __init__(self, socket: WebSocket, process: PodProcess, clock: Clock = SYSTEM_CLOCK) -> None:
        self._socket = socket
        self._process = process
        self._clock = clock
        outputs = ((STDOUT, process.stdout), (STDERR, process.stderr))
        self._outputs = {channel: end for channel, end in outputs if end is not None}

    @staticmethod
    def refuse(client: WebSocket, why: str, clock: Clock = SYSTEM_CLOCK) -> None:
        """Tell a client that its command could not be started."""
        status: dict[str, Any] = {"metadata": {}, "status": "Failure", "message": f"Internal error occurred: {why}"}
        status |= {"reason": "InternalError", "details": {"causes": [{"message": why}]}, "code": 500}
        client.send(bytes([ERROR]) + codecs.encode(status))
        client.close(clock)

    def run(self) -> None:
        """Blocks until it is over; the process is ended then."""
        try:
            for channel in list(self._outputs)[:1]:
                self._send(channel, b"")  # tells the client that the command has been started
            while self._socket.is_open and not self._step():
                pass
        finally:
            self._process.close()
            self._socket.close(self._clock)

    def _step(self) -> bool:
        """Carry what there is; True once the command is over and the client told."""
        code = self._process.exit_code()
        crowded = self._socket.end.crowded
        outputs = [] if crowded else [each for each in self._outputs.values() if not each.ended]
        stdin = self._process.stdin
        listening = [] if stdin is not None and stdin.crowded else [self._socket.end]
        waiting = bool(outputs or crowded)
        timeout = 0.0 if code is not None and not crowded else _POLL_SECONDS if waiting else _ENDED_POLL_SECONDS
        writers = [self._socket.end, *([stdin] if stdin is not None else [])]
        readable = wait_for([*listening, *outputs], writers, timeout)
        if self._socket.end in readable:
            self._take(self._socket.receive())
        came = [self._forward(channel, end) for channel, end in self._outputs.items() if end in readable]
        if code is None or any(came) or crowded:
            return False
        self._send(ERROR, codecs.encode(exit_status(code)))
        return True

    def _forward(self, channel: int, end: End) -> bool:
        data = end.read()
        if data:
            self._send(channel, data)
        return bool(data)

    def _take(self, messages: list[bytes]) -> None:
        for message in messages:
            channel, data = message[0] if message else None, message[1:]
            if channel == STDIN and self._process.stdin is not None:
                self._process.stdin.write(data)
            elif channel == CLOSE and data == bytes([STDIN]):
                self._process.finish_stdin()
            elif channel == RESIZE:
                self._resize(data)

    def _resize(self, data: bytes) -> None:
        try:
            size = codecs.decode(data, dict[str, int])
        except msgspec.MsgspecError:
            return
        self._process.resize(size.get("Width", 0), size.get("Height", 0))

    def _send(self, channel: int, data: bytes) -> None:
        self._socket.send(bytes([channel]) + data)


def exit_status(code: int) -> dict[str, Any]:
    """The Status that ends an exec.

    Args:
        code: Negative for the number of a signal.
    """
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    shown = 128 - code if code < 0 else code
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with exit code {shown}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(shown)}]},
    }
