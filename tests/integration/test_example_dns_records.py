"""The operator with an external API, with a provider over HTTP, on both servers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from btcctl import CUSTOM_RESOURCE_DEFINITIONS, AlreadyExists, NotFound, ObjectKey, crd_for
from btcctl.app.app import App, AppOptions
from tests import pages
from tests.integration.api_servers import ApiServer
from tests.integration.support import eventually

example: Any = pages.load(Path(__file__).parents[2] / "examples" / "dns_records.py")
WWW = "/zones/example.org/records/A/www"


class Provider(ThreadingHTTPServer):
    """A DNS provider's API: what it holds by path, and what it answers instead, one call each."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.records: dict[str, Any] = {}
        self.refusals: list[tuple[int, dict[str, str]]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        self._answer(200, self.server.records.get(self.path))

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._refuse():
            self.server.records[self.path] = body
            self._send(204, None)

    def do_DELETE(self) -> None:
        self._answer(204, self.server.records.pop(self.path, None))

    def _answer(self, code: int, body: Any) -> None:
        if not self._refuse():
            self._send(404 if body is None else code, body if code == 200 else None)

    def _refuse(self) -> bool:
        if self.headers["Authorization"] != "Bearer secret":
            self._send(401, {"error": "who are you?"})
            return True
        if not self.server.refusals:
            return False
        code, headers = self.server.refusals.pop(0)
        self._send(code, {"error": "no"}, headers)
        return True

    def _send(self, code: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(code)
        for name, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def spec(name: str = "www") -> Any:
    return example.DnsRecordSpec("example.org", name, ["192.0.2.1"])


def test_a_record_is_put_found_and_deleted_twice_over(provider: Provider):
    dns, record = example.HttpDns(f"{provider.url}/", "secret"), example.Record(["192.0.2.1"], 60, "me")
    assert dns.find(spec()) is None
    dns.put(spec(), record)
    assert dns.find(spec()) == record
    assert [*provider.records] == [WWW]
    for _ in range(2):
        dns.delete(spec())
    assert dns.find(spec()) is None
    dns.put(spec("../a b"), record)
    assert [*provider.records] == ["/zones/example.org/records/A/..%2Fa%20b"]


@pytest.mark.parametrize(
    ("refusal", "retry_after"),
    [((429, {"Retry-After": "7"}), 7.0), ((503, {}), 0.0), ((502, {"Retry-After": "soon"}), 0.0)],
)
def test_what_passes_is_tried_later(provider: Provider, refusal: tuple[int, dict[str, str]], retry_after: float):
    provider.refusals = [refusal]
    with pytest.raises(example.TryLater) as raised:
        example.HttpDns(provider.url, "secret").find(spec())
    assert raised.value.retry_after == retry_after


def test_what_does_not_pass_is_refused_without_the_token(provider: Provider):
    with pytest.raises(example.Refused, match="401") as raised:
        example.HttpDns(provider.url, "wrong").find(spec())
    assert "wrong" not in str(raised.value)
    with pytest.raises(example.TryLater, match="cannot be reached"):
        example.HttpDns("http://127.0.0.1:1", "secret").find(spec())


def is_served(records: Any) -> bool:
    """A real server takes a moment to serve what has just been defined."""
    try:
        return bool(records.list() == [])
    except NotFound:
        return False


def test_a_record_comes_and_goes_with_its_object(provider: Provider, api_server: ApiServer):
    with closing(api_server.client()) as client:
        with suppress(AlreadyExists):
            client.resource(CUSTOM_RESOURCE_DEFINITIONS).create(crd_for(example.DnsRecord))
        records = client.resource(example.DnsRecord, api_server.namespace)
        eventually(lambda: is_served(records))
        app = App(client, "dns-records", options=AppOptions(namespaces=(api_server.namespace,)))
        example.build_with(app, example.HttpDns(provider.url, "secret"))
        provider.refusals = [(503, {})]
        key = ObjectKey(api_server.namespace, "www")
        manager = app.manager()
        manager.start()
        try:
            made = records.create(example.DnsRecord.named("www", spec()))
            eventually(lambda: WWW in provider.records)
            assert provider.records[WWW] == {"values": ["192.0.2.1"], "ttl": 300, "owner": made.uid}
            records.delete(key)
            eventually(lambda: records.find(key) is None)
            assert provider.records == {}
        finally:
            manager.stop()
