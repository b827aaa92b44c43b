"""What one PUT costs a client: `python -m benchmarks.exchange [--rounds N] [--puts N]`.

A no-op PUT of a ConfigMap over TLS and a connection that is kept, as an operator writes all day: CPU microseconds of
the whole client process per PUT, with 1 thread and with 8. Each client is a process of its own, the rounds are
interleaved, medians are shown. The server is one more process, and answers what a kube-apiserver answers.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import select
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

PATH = "/api/v1/namespaces/default/configmaps/settings?fieldManager=benchmark"
THREADS = (1, 8)
ANSWER_SECONDS = 0.002  # an API server and its etcd take about that long; the client's caches are cold after it
_OBJECT = {
    "kind": "ConfigMap",
    "apiVersion": "v1",
    "metadata": {
        "name": "settings",
        "namespace": "default",
        "uid": "5a4f0f5f-30a5-4e1a-8a8a-1b9c8b6b0c52",
        "resourceVersion": "1234",
        "creationTimestamp": "2026-11-29T09:00:00Z",
        "managedFields": [
            {
                "manager": "benchmark",
                "operation": "Update",
                "apiVersion": "v1",
                "time": "2026-11-29T09:00:00Z",
                "fieldsType": "FieldsV1",
                "fieldsV1": {"f:data": {".": {}, "f:value": {}}},
            }
        ],
    },
    "data": {"value": "1"},
}
BODY = json.dumps(_OBJECT, separators=(",", ":")).encode()
_FIELDS = (
    "Audit-Id: 7f3f0d8e-8a55-4c3a-b6e6-0b3b9a1c2d3e",
    "Cache-Control: no-cache, private",
    "Content-Type: application/json",
    "X-Kubernetes-Pf-Flowschema-Uid: 0b3b9a1c-8a55-4c3a-b6e6-7f3f0d8e2d3e",
    "X-Kubernetes-Pf-Prioritylevel-Uid: 7f3f0d8e-8a55-4c3a-b6e6-0b3b9a1c2d3e",
    "Date: Sun, 29 Nov 2026 09:00:00 GMT",
    f"Content-Length: {len(BODY)}",
)
ANSWER = "\r\n".join(["HTTP/1.1 200 OK", *_FIELDS, "", ""]).encode() + BODY
HEADERS = {
    "User-Agent": "btcctl/0.1.0 (linux) python/3.11",
    "Accept": "application/json",
    "Content-Type": "application/json",
    "Authorization": f"Bearer {'x' * 900}",  # a service account's token is about as long
}

Put = Callable[[], None]


def serve(directory: str) -> None:
    """Say the port, and answer every request until the input ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{directory}/server.pem", f"{directory}/server.key")
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as sock:
                while take_request(sock):
                    time.sleep(ANSWER_SECONDS)
                    sock.sendall(ANSWER)
        except OSError:
            pass  # the client has left

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


def take_request(sock: socket.socket) -> bool:
    data = b""
    while b"\r\n\r\n" not in data:
        received = sock.recv(65536)
        if not received:
            return False
        data += received
    head, _, body = data.partition(b"\r\n\r\n")
    left = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]) - len(body)
    while left > 0:
        left -= len(sock.recv(65536))
    return True


def _context(directory: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=f"{directory}/server.pem")


def raw_socket(url: str, directory: str) -> Callable[[], Put]:
    """What no client can do without: one write, one read, and to find where the answer ends."""
    port = urlsplit(url).port
    lines = [
        f"PUT {PATH} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        *(f"{name}: {value}" for name, value in HEADERS.items()),
    ]
    request = "\r\n".join([*lines, f"Content-Length: {len(BODY)}", "", ""]).encode() + BODY
    context = _context(directory)

    def connect() -> Put:
        plain = socket.create_connection(("127.0.0.1", port), timeout=30.0)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock = context.wrap_socket(plain, server_hostname="127.0.0.1")

        def put() -> None:
            sock.sendall(request)
            data = sock.recv(65536)
            while (end := data.find(b"\r\n\r\n")) < 0 or len(data) < end + 4 + len(BODY):
                data += sock.recv(65536)

        return put

    return connect


def least(url: str, directory: str) -> Callable[[], Put]:
    """What `Resource.update` cannot do without, in one function: JSON there and back, a head, one wait for an answer.

    No check of what came, no deadline, no pool, no error that says what is wrong.
    """
    from btcctl.json_values import encode_json
    from btcctl.objects import Object

    port = urlsplit(url).port
    lines = [
        f"PUT {PATH} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        *(f"{name}: {value}" for name, value in HEADERS.items()),
    ]
    head = "\r\n".join(lines)
    context = _context(directory)

    def connect() -> Put:
        sock = context.wrap_socket(
            socket.create_connection(("127.0.0.1", port), timeout=30.0), server_hostname="127.0.0.1"
        )
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(0.0)
        poller = select.poll()
        poller.register(sock, select.POLLIN)

        def put() -> None:
            body = encode_json(_OBJECT)
            poller.poll(0)
            sock.send(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            data = b""
            while (end := data.find(b"\r\n\r\n")) < 0 or len(data) < end + 4 + len(BODY):
                poller.poll(30_000)
                with contextlib.suppress(ssl.SSLWantReadError):  # a session ticket
                    data += sock.recv(65536)
            Object.from_raw(data[end + 4 :])

        return put

    return connect


def standard_library(url: str, directory: str) -> Callable[[], Put]:
    context = _context(directory)

    def connect() -> Put:
        connection = http.client.HTTPSConnection(urlsplit(url).netloc, timeout=30.0, context=context)

        def put() -> None:
            connection.request("PUT", PATH, BODY, HEADERS)
            connection.getresponse().read()

        return put

    return connect


def plain_urllib3(url: str, directory: str) -> Callable[[], Put]:
    import urllib3

    pool = urllib3.HTTPSConnectionPool("127.0.0.1", urlsplit(url).port, maxsize=8, ssl_context=_context(directory))

    def put() -> None:
        pool.urlopen("PUT", PATH, BODY, HEADERS, retries=False, timeout=30.0)

    return lambda: put


def ours(url: str, directory: str) -> Callable[[], Put]:
    """A whole `Resource.update`, from the manifest to the object that the server has answered."""
    import structlog

    from btcctl.resources import CONFIG_MAPS
    from btcctl.rest.client import ApiClient
    from btcctl.rest.config.client_config import ClientConfig
    from btcctl.rest.config.tls import Tls
    from btcctl.rest.credentials import StaticCredentials

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(20), cache_logger_on_first_use=True)
    tls = Tls(ca_file=Path(directory) / "server.pem")
    config = ClientConfig(url, credentials=StaticCredentials(HEADERS["Authorization"]), tls=tls)
    maps = ApiClient.from_config(config, field_manager="benchmark").resource(CONFIG_MAPS, "default")
    return lambda: lambda: maps.update(_OBJECT) and None


CLIENTS: dict[str, Callable[[str, str], Callable[[], Put]]] = {
    "raw socket": raw_socket,
    "least work": least,
    "http.client": standard_library,
    "urllib3": plain_urllib3,
    "btcctl": ours,
}


def measure(name: str, url: str, directory: str, puts: int, threads: int) -> None:
    """Print CPU microseconds per PUT, once everything is warm."""
    connect = CLIENTS[name](url, directory)
    begin = threading.Barrier(threads + 1)

    def run(put: Put) -> None:
        for _ in range(100):
            put()
        begin.wait()
        begin.wait()
        for _ in range(puts // threads):
            put()

    workers = [threading.Thread(target=run, args=(connect(),)) for _ in range(threads)]
    for worker in workers:
        worker.start()
    begin.wait()
    began = time.process_time()
    begin.wait()
    for worker in workers:
        worker.join()
    print((time.process_time() - began) / (puts // threads * threads) * 1e6)


def make_certificate(directory: str) -> None:
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "server.key"]
    names = ["-subj", "/CN=benchmark", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", *key, "-out", "server.pem", *names]
    subprocess.run(command, cwd=directory, check=True, capture_output=True)


def compare(rounds: int, puts: int) -> None:
    figures: dict[tuple[str, int], list[float]] = {}
    module = [sys.executable, "-m", "benchmarks.exchange"]
    with tempfile.TemporaryDirectory(prefix="btcctl-benchmark-") as directory:
        make_certificate(directory)
        server = subprocess.Popen(
            [*module, "--serve", directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with server:
            url = f"https://127.0.0.1:{server.stdout.readline().strip() if server.stdout else ''}"
            for _ in range(rounds):
                for threads in THREADS:
                    for name in CLIENTS:
                        options = ["--client", name, "--url", url, "--directory", directory]
                        command = [*module, *options, "--puts", str(puts), "--threads", str(threads)]
                        run = subprocess.run(command, check=True, capture_output=True, text=True)
                        figures.setdefault((name, threads), []).append(float(run.stdout))
            if server.stdin is not None:
                server.stdin.close()
    print("CPU µs per PUT" + "".join(f"{f'{threads} thread(s)':>16}{'ratio':>8}" for threads in THREADS))
    for name in CLIENTS:
        cells = ""
        for threads in THREADS:
            median = statistics.median(figures[name, threads])
            cells += f"{median:16.0f}{median / statistics.median(figures['raw socket', threads]):8.2f}"
        print(f"{name:14}{cells}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exchange", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--puts", type=int, default=4000)
    for hidden in ("--serve", "--client", "--url", "--directory"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve)
    elif args.client:
        measure(args.client, args.url, args.directory, args.puts, args.threads)
    else:
        os.environ["PYTHONHASHSEED"] = "0"
        compare(args.rounds, args.puts)


if __name__ == "__main__":
    main()
