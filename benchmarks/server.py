"""A stand-in API server that costs next to nothing: `python -m benchmarks.server KIND OBJECTS BURST PACED`.

A process of its own. Serves lists (a page at a time, or, as a real server does for
resourceVersion=0, all at once), watch lists and watches of one collection, and of its metadata;
one watch at a time. Says its port, then obeys on standard input:

    burst   send all events of the burst to the watch
    paced   send the paced events, one at a time; answers with the nanosecond (time of day) of each
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from typing import BinaryIO
from urllib.parse import parse_qs, urlsplit

from benchmarks.bodies import Bodies, Load, View
from benchmarks.objects import KINDS, Kind, encode

PER_SECOND = 500
WATCH_SECONDS = 60.0
_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
Query = dict[str, str]


class Server:
    """Answers clients, one after the other; each connection has a thread."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._load = bodies.load
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._socket.getsockname()[1]
        self._changed = threading.Condition()  # guards the next
        self._watch: tuple[socket.socket, View] | None = None
        self._small = {path: encode(answer) for path, answer in _discovery(self._load.kind).items()}

    def accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def burst(self) -> None:
        connection, view = self._watching()
        self._send(connection, *view.burst.all)

    def paced(self) -> list[int]:
        """Send on schedule; a late one is not hurried after, and its time is that of its sending."""
        connection, view = self._watching()
        count = len(view.paced.ends) - 1
        sent = []
        begin = time.monotonic()
        for n in range(count):
            time.sleep(max(0.0, begin + n / PER_SECOND - time.monotonic()))
            body = os.pread(self._bodies.file, *reversed(view.paced.span(n, n + 1)))
            sent.append(time.time_ns())
            connection.sendall(body)
        return sent

    def _watching(self) -> tuple[socket.socket, View]:
        """Wait for the watch: a client may say that it has synced before it opens one."""
        with self._changed:
            self._changed.wait_for(lambda: self._watch is not None, WATCH_SECONDS)
            if self._watch is None:
                raise TimeoutError("nobody watches")
            return self._watch

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as requests:
                while self._answer(connection, requests):
                    pass
        except OSError:
            pass  # the client has left

    def _answer(self, connection: socket.socket, requests: BinaryIO) -> bool:
        line = requests.readline()
        headers = {}
        while header := requests.readline().strip():
            name, _, value = header.partition(b":")
            headers[name.lower()] = value.strip()
        if not line:
            return False
        url = urlsplit(line.split()[1].decode())
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path != self._load.kind.path:
            _reply(connection, self._small.get(url.path))
            return True
        view = self._bodies.whole
        if b"PartialObjectMetadata" in headers.get(b"accept", b""):
            assert self._bodies.metadata is not None
            view = self._bodies.metadata
        if query.get("watch", "") in {"true", "True", "1"}:
            self._stream(connection, view, query)
            try:
                requests.read(1)  # until the client leaves
            finally:
                self._watched_by(None)
            return False
        self._list(connection, view, query)
        return True

    def _stream(self, connection: socket.socket, view: View, query: Query) -> None:
        connection.sendall(_STREAM)
        if query.get("sendInitialEvents") == "true":
            self._send(connection, *view.initial.all)
        self._watched_by((connection, view))

    def _watched_by(self, watch: tuple[socket.socket, View] | None) -> None:
        with self._changed:
            self._watch = watch
            self._changed.notify_all()

    def _list(self, connection: socket.socket, view: View, query: Query) -> None:
        start = int(query.get("continue", "0"))
        limit = int(query.get("limit", "0")) if query.get("resourceVersion") != "0" else 0
        end = min(self._load.objects, start + (limit or self._load.objects))
        left = self._load.objects - end
        metadata = {"resourceVersion": str(self._load.last_listed)}
        if left:
            metadata |= {"continue": str(end), "remainingItemCount": left}
        head, tail = self._brackets(view, metadata)
        offset, size = view.items.span(start, end)
        size -= 1  # the last comma
        connection.sendall(_head(len(head) + size + len(tail)) + head, socket.MSG_MORE)
        self._send(connection, offset, size)
        connection.sendall(tail)

    def _brackets(self, view: View, metadata: dict[str, str]) -> tuple[bytes, bytes]:
        kind = self._load.kind
        list_kind, api_version = f"{kind.kind}List", kind.api_version
        if view is not self._bodies.whole:
            list_kind, api_version = "PartialObjectMetadataList", "meta.k8s.io/v1"
        if kind.builtin:
            frame = {"kind": list_kind, "apiVersion": api_version, "metadata": metadata, "items": []}
        else:
            frame = {"apiVersion": api_version, "items": [], "kind": list_kind, "metadata": metadata}
        head, _, tail = encode(frame).rpartition(b"[]")
        return head + b"[", b"]" + tail

    def _send(self, connection: socket.socket, offset: int, size: int) -> None:
        while size:
            sent = os.sendfile(connection.fileno(), self._bodies.file, offset, size)
            offset, size = offset + sent, size - sent


def _head(size: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % size


def _reply(connection: socket.socket, body: bytes | None) -> None:
    if body is not None:
        connection.sendall(_head(len(body)) + body)
        return
    body = encode({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404})
    connection.sendall(_head(len(body)).replace(b"200 OK", b"404 Not Found") + body)


def _discovery(kind: Kind) -> dict[str, object]:
    """What clients ask for before they list; kopf waits for a server that has namespaces."""
    group, _, version = kind.api_version.rpartition("/")
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    served = {
        "name": kind.name,
        "singularName": kind.kind.lower(),
        "kind": kind.kind,
        "namespaced": True,
        "verbs": verbs,
    }
    core = [{**served, "name": "namespaces", "singularName": "namespace", "kind": "Namespace", "namespaced": False}]
    versions = [{"groupVersion": kind.api_version, "version": version}]
    groups = [{"name": group, "versions": versions, "preferredVersion": versions[0]}] if group else []
    answers: dict[str, object] = {
        "/version": {"major": "1", "minor": "37", "gitVersion": "v1.37.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
        "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": core},
    }
    if group:
        answers[f"/apis/{kind.api_version}"] = {
            "kind": "APIResourceList",
            "groupVersion": kind.api_version,
            "resources": [served],
        }
    else:
        core.append(served)
    return answers


def main() -> None:
    name, *numbers = sys.argv[1:]
    objects, burst, paced = map(int, numbers)
    server = Server(Bodies(Load(KINDS[name], objects, burst, paced), with_metadata=True))
    threading.Thread(target=server.accept, daemon=True).start()
    print(json.dumps(server.port), flush=True)
    for line in sys.stdin:
        answer: object = None
        if line.strip() == "burst":
            server.burst()
        elif line.strip() == "paced":
            answer = server.paced()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
