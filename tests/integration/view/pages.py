"""A page without a browser: takes the stream, keeps the state as the page would."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import urllib3

from btcctl.bitcoin.view.serving.guard import TOKEN_HEADER
from btcctl.clock import SYSTEM_CLOCK
from btcctl.threads import Runner, Stop

LIMIT_SECONDS = 60.0


class Page:
    """Looks at one network. A context manager.

    Attributes:
        received: All bytes that came, for what must not be in them.
    """

    def __init__(self, address: str, network: str) -> None:
        self.address = address
        self.network = network
        self.received = bytearray()
        self.state: dict[str, Any] = {}
        self._changed = threading.Condition()
        self._is_left = False
        self._http = urllib3.PoolManager(retries=False, timeout=LIMIT_SECONDS, maxsize=4)
        self._runner = Runner("page", self._run)

    def __enter__(self) -> Page:
        parts = urlsplit(self.address)
        self._socket = socket.create_connection((parts.hostname, parts.port), LIMIT_SECONDS)
        # HTTP/1.0: the answer comes as it is, without chunks.
        request = f"GET {parts.path}events?network={self.network} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n"
        self._socket.sendall(request.encode())
        self._runner.start()
        return self

    def __exit__(self, *raised: object) -> None:
        with self._socket:
            self._is_left = True
            with contextlib.suppress(OSError):  # it may be closed over there already
                self._socket.shutdown(socket.SHUT_RDWR)
            self._runner.stop()
        self._http.clear()

    def act(self, action: str, **order: Any) -> tuple[int, dict[str, Any]]:
        """Order something; the status and the body of the answer."""
        token = self.address.rstrip("/").rpartition("/")[2]
        headers = {"content-type": "application/json", TOKEN_HEADER: token}
        body = json.dumps({"network": self.network, **order})
        answer = self._http.request("POST", f"{self.address}actions/{action}", body=body, headers=headers)
        self.received += answer.data
        return answer.status, answer.json()

    def get(self, path: str) -> Any:
        answer = self._http.request("GET", f"{self.address}{path}")
        self.received += answer.data
        return answer.json()

    def until(self, probe: Callable[[dict[str, Any]], Any]) -> Any:
        """Wait until the state is so; returns what the probe returns."""
        deadline = SYSTEM_CLOCK.now() + LIMIT_SECONDS
        with self._changed:
            while not (found := self.state and probe(self.state)):
                left = deadline - SYSTEM_CLOCK.now()
                assert left > 0, json.dumps(self.state)[:3000]
                self._changed.wait(left)
            return found

    def nodes(self) -> dict[int, dict[str, Any]]:
        with self._changed:
            return {each["ordinal"]: each for each in self.state["network"]["nodes"]}

    def _run(self, _stop: Stop) -> None:
        buffer, has_begun = b"", False
        while piece := self._receive():
            self.received += piece
            buffer += piece
            if not has_begun and b"\r\n\r\n" in buffer:
                head, _, buffer = buffer.partition(b"\r\n\r\n")
                assert b" 200 " in head
                has_begun = True
            while has_begun and b"\n\n" in buffer:
                message, _, buffer = buffer.partition(b"\n\n")
                if not message.startswith(b":"):
                    event, data = message.split(b"\n", 1)
                    self._apply(event.removeprefix(b"event: ").decode(), json.loads(data.removeprefix(b"data: ")))

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(1 << 16)
        except ConnectionResetError:  # what was on its way to a page that has gone is answered so
            if not self._is_left:
                raise
            return b""

    def _apply(self, event: str, data: Any) -> None:
        with self._changed:
            if event == "snapshot":
                self.state = data
            elif event == "network":
                self._drop(data)
                self.state["networks"].append(data)
            elif event == "network-gone":
                self._drop(data)
            elif event == "controller":
                self.state["controller"] = {**data, "steps": self.state["controller"]["steps"]}
            elif event == "steps":
                self.state["controller"]["steps"] += data["steps"]
            elif self.state["network"] is not None:
                self._apply_to(self.state["network"], event, data)
            self._changed.notify_all()

    def _drop(self, data: Any) -> None:
        name = (data["namespace"], data["name"])
        self.state["networks"] = [e for e in self.state["networks"] if (e["namespace"], e["name"]) != name]

    def _apply_to(self, network: dict[str, Any], event: str, data: Any) -> None:
        if event == "nodes":
            changed = {each["ordinal"] for each in data["nodes"]} | set(data["gone"])
            network["nodes"] = [each for each in network["nodes"] if each["ordinal"] not in changed] + data["nodes"]
            network["links"] = [each for each in network["links"] if each["from"] not in changed] + data["links"]
        elif event == "happened":
            new = {each["uid"] for each in data["events"]}
            network["events"] = [each for each in network["events"] if each["uid"] not in new] + data["events"]
        else:
            network[event] = data[event]
