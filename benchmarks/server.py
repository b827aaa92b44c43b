"""A stand-in API server that costs next to nothing: canned list pages, then a burst of watch events.

Run as a process of its own: `python -m benchmarks.server OBJECTS EVENTS`. It prints its port.
Objects look like custom resources from a real server, with managedFields (about 40 % of the bytes).
"""

from __future__ import annotations

import json
import socket
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 500


def widget(number: int, version: int) -> dict[str, Any]:
    """One custom resource of about 1.1 KB."""
    fields = {f"f:field{n}": {".": {}, "f:value": {}} for n in range(12)}
    return {
        "apiVersion": "bench.example.org/v1",
        "kind": "Widget",
        "metadata": {
            "creationTimestamp": "2026-11-23T10:00:00Z",
            "generation": 1,
            "labels": {"app": "bench", "shard": str(number % 16)},
            "managedFields": [
                {"apiVersion": "bench.example.org/v1", "fieldsType": "FieldsV1", "fieldsV1": fields, "manager": "bench"}
            ],
            "name": f"widget-{number:06}",
            "namespace": f"ns-{number % 10}",
            "resourceVersion": str(version),
            "uid": f"00000000-0000-4000-8000-{number:012}",
        },
        "spec": {f"field{n}": {"value": f"value-{number}-{n}"} for n in range(12)},
        "status": {"ready": True, "observedGeneration": 1},
    }


def list_page(objects: int, start: int, limit: int) -> bytes:
    """One page, with a continue token that is the number of the next object."""
    end = min(objects, start + (limit or objects))
    items = [widget(n, n + 1) for n in range(start, end)]
    metadata = {"continue": str(end) if end < objects else "", "resourceVersion": str(objects)}
    page = {"apiVersion": "bench.example.org/v1", "items": items, "kind": "WidgetList", "metadata": metadata}
    return json.dumps(page, separators=(",", ":")).encode()


def watch_events(objects: int, events: int) -> list[bytes]:
    """`events` changes, framed as one HTTP chunk each."""
    chunks = []
    for n in range(events):
        event = {"type": "MODIFIED", "object": widget(n % objects, objects + n + 1)}
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        chunks.append(b"%x\r\n%b\r\n" % (len(line), line))
    return chunks


class Server:
    """Serves one client at a time; every body is made before the first request."""

    def __init__(self, objects: int, events: int) -> None:
        self._objects = objects
        self._pages = {(s, PAGE): list_page(objects, s, PAGE) for s in range(0, objects, PAGE)}
        self._pages[0, 0] = list_page(objects, 0, 0)
        self._burst = watch_events(objects, events)
        self._socket = socket.create_server(("127.0.0.1", 0))

    def run(self) -> None:
        print(self._socket.getsockname()[1], flush=True)
        while True:
            connection, _ = self._socket.accept()
            with connection, connection.makefile("rb") as requests:
                while self._answer(connection, requests):
                    pass

    def _answer(self, connection: socket.socket, requests: Any) -> bool:
        line = requests.readline()
        while requests.readline().strip():
            pass
        if not line:
            return False
        query = parse_qs(urlsplit(line.split()[1].decode()).query)
        if query.get("watch"):
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            for at in range(0, len(self._burst), 100):
                connection.sendall(b"".join(self._burst[at : at + 100]))
            requests.read(1)  # until the client leaves
            return False
        body = self._page(query)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        connection.sendall(head + body)
        return True

    def _page(self, query: dict[str, list[str]]) -> bytes:
        start, limit = int(query.get("continue", ["0"])[0]), int(query.get("limit", ["0"])[0])
        return self._pages.get((start, limit)) or list_page(self._objects, start, limit)


if __name__ == "__main__":
    Server(int(sys.argv[1]), int(sys.argv[2])).run()
