"""Cases that two API servers must answer alike.

A case is a function of a `Talk`: it sends requests, and everything that comes back is written
down. It makes no assertions about the server of its own; what it compares is what the other said.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import urllib3

from tests.integration.conformance.normalize import Normalizer
from tests.integration.conformance.servers import Server
from tests.integration.support import eventually

Body = dict[str, Any]
Event = dict[str, Any]

_HEADERS = (
    "allow", "cache-control", "content-type", "location", "retry-after", "vary", "warning", "www-authenticate",
    "x-content-type-options",
)  # fmt: skip
_LOADING_SECONDS = 0.1
_CONTINUE = re.compile(r"continue=[^&]+")
_PATCH_TYPES = {"merge": "merge-patch+json", "json": "json-patch+json", "strategic": "strategic-merge-patch+json"}


@dataclass(frozen=True)
class Case:
    """One of the cases; `name` is what it says, in words."""

    name: str
    family: str
    run: Callable[[Talk], None]
    is_error: bool = False

    @property
    def id(self) -> str:
        return f"{self.family}: {self.name}"


CASES: dict[str, Case] = {}


def case(family: str, *, error: bool = False) -> Callable[[Callable[[Talk], None]], Callable[[Talk], None]]:
    """Make a function one of the cases.

    Args:
        error: The case is about an error.
    """

    def register(run: Callable[[Talk], None]) -> Callable[[Talk], None]:
        found = Case(run.__name__.replace("_", " "), family, run, error)
        assert found.id not in CASES, f"two cases are called {found.id}"
        CASES[found.id] = found
        return run

    return register


@dataclass(frozen=True)
class Answer:
    """What came back, as it was."""

    status: int
    headers: Mapping[str, str]  #: lower-case names
    body: Any  #: parsed if it is JSON, else text
    raw: bytes

    @property
    def version(self) -> str:
        """The resourceVersion of the object or list."""
        found: str = self.body["metadata"]["resourceVersion"]
        return found


@dataclass(frozen=True)
class Watched:
    """What a watch brought, and how it ended.

    Attributes:
        ended: `ended` by the server, cleanly; `broken` off; `left` by us, content; `silent`, still
            open after the time we waited.
    """

    status: int
    events: list[Event]
    ended: str

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]


@dataclass
class Talk:
    """A case's conversation with one server: all that is said is written down, normalized.

    Paths and bodies may have `{ns}` and `{group}` in them.

    Attributes:
        ns: A namespace of the case's own, there from the start.
        group: A group for its CustomResourceDefinitions.
    """

    server: Server
    ns: str = field(default_factory=lambda: f"ns-{uuid.uuid4().hex[:12]}")
    group: str = field(default_factory=lambda: f"g{uuid.uuid4().hex[:12]}.example.org")
    transcript: list[Body] = field(default_factory=list)
    unsupported: list[str] = field(default_factory=list)  #: what was answered with 501

    def __post_init__(self) -> None:
        self._normalizer = Normalizer({self.ns: "{ns}", self.group: "{group}"})
        self._pools: dict[str, urllib3.HTTPSConnectionPool] = {}
        self._muted = 0
        self._definitions: list[str] = []
        self._leftovers: list[str] = []

    def __enter__(self) -> Talk:
        with self.hush():
            body = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": self.ns}}
            assert self.post("/api/v1/namespaces", body).status == 201
        return self

    def __exit__(self, *_: object) -> None:
        self._close()  # a case may leave connections in any state
        with self.hush():
            for path in reversed(self._leftovers):
                self.delete(path)
            for name in self._definitions:
                self.delete(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")
            self.delete(f"/api/v1/namespaces/{self.ns}")
        self._close()

    def get(self, path: str, **options: Any) -> Answer:
        return self.send("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.send("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.send("PUT", path, body, **options)

    def patch(self, path: str, body: Any = None, *, content_type: str = "merge", **options: Any) -> Answer:
        """
        Args:
            content_type: merge, json or strategic, or a media type.
        """
        short = _PATCH_TYPES.get(content_type)
        return self.send("PATCH", path, body, content_type=f"application/{short}" if short else content_type, **options)

    def delete(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.send("DELETE", path, body, **options)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | str | None = None,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = "application/json",
        user: str = "admin",
    ) -> Answer:
        """Send a request, and write down what is answered.

        Args:
            body: Sent as JSON, unless it is bytes or text, which are sent as they are.
            query: Values may be lists; a text is sent as it is.
            user: "admin", "alice", "" for none, or a token that nobody knows.
        """
        sent = self._headers(headers, user)
        if body is not None and content_type:
            sent["Content-Type"] = content_type
        target = self._target(path, query)
        while True:
            response = self._pool(user).request(method, target, body=self._encode(body), headers=sent)
            if not _is_loading(response):
                break
            self.pause(_LOADING_SECONDS)
        answer = Answer(
            response.status,
            {name.lower(): value for name, value in response.headers.items()},
            _parsed(response.data),
            response.data,
        )
        self._write_down(f"{method} {target}", response, answer.body)
        return answer

    def watch(
        self,
        path: str,
        query: Mapping[str, Any] | None = None,
        *,
        until: Callable[[list[Event]], bool] | int | None = None,
        during: Callable[[], Any] | None = None,
        timeout: float = 30.0,
        headers: Mapping[str, str] | None = None,
        user: str = "admin",
    ) -> Watched:
        """Watch, and write down the events and how it ended.

        Args:
            until: How many events, or whether these are enough; None for all, until it ends.
            during: Called once the server has said that it watches.
            timeout: Seconds of silence after which it is taken to stay silent. They cost nothing where it ends by
                itself, or brings as much as is waited for.
        """
        target = self._target(path, {"watch": "1", **(query or {})})
        while True:
            response = self._pool(user).request(
                "GET",
                target,
                headers=self._headers(headers, user),
                preload_content=False,
                timeout=urllib3.Timeout(connect=30.0, read=timeout),
            )
            if response.status != 429 or not _is_loading(response):
                break
            self.pause(_LOADING_SECONDS)
        if response.status != 200:
            body = _parsed(response.data)
            self._write_down(f"WATCH {target}", response, body)
            return Watched(response.status, [], "refused")
        if during is not None:
            during()
        events, ended = _events(response, until)
        entry = self._write_down(f"WATCH {target}", response, events)
        if entry is not None:
            entry["ended"] = ended
        return Watched(response.status, events, ended)

    def crd(self, plural: str = "things", kind: str = "Thing", *, schema: Body | None = None, **version: Any) -> str:
        """Define a resource, wait until it is served, and return its path in the case's namespace.

        Args:
            schema: The properties of its `spec`; anything goes if None.
            version: More of the CRD's one version: subresources, additionalPrinterColumns, …
        """
        spec: Body = {"type": "object"}
        spec |= {"x-kubernetes-preserve-unknown-fields": True} if schema is None else {"properties": schema}
        status = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        whole = {"type": "object", "properties": {"spec": spec, "status": status}}
        served = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": whole}, **version}
        return self.define(
            {
                "group": self.group,
                "scope": "Namespaced",
                "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
                "versions": [served],
            }
        )

    def define(self, spec: Body) -> str:
        """As `crd`, given the whole spec of the definition."""
        plural, version = spec["names"]["plural"], spec["versions"][0]["name"]
        name = f"{plural}.{self.group}"
        body = {"kind": "CustomResourceDefinition", "apiVersion": "apiextensions.k8s.io/v1"}
        scope = f"/namespaces/{self.ns}" if spec["scope"] == "Namespaced" else ""
        path = f"/apis/{self.group}/{version}{scope}/{plural}"
        with self.hush():
            self.forget_later(name)
            answer = self.post(
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                {**body, "metadata": {"name": name}, "spec": spec},
            )
            assert answer.status == 201, answer.body
            eventually(lambda: self.get(path).status == 200)
        return path

    def forget_later(self, definition: str) -> None:
        """Have a definition that the case made itself deleted in the end."""
        self._definitions.append(definition)

    def delete_later(self, path: str) -> None:
        """Have what is in no namespace deleted in the end, before definitions and the namespace are."""
        self._leftovers.append(path)

    def service_account(self) -> None:
        """Have the account without which no pod may be created; nothing of it is written down."""
        with self.hush():
            body = {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "default"}}
            assert self.post("/api/v1/namespaces/{ns}/serviceaccounts", body).status in {201, 409}

    def eventually(self, probe: Callable[[], Any], timeout: float = 120.0) -> Any:
        """Call `probe` until it returns something true; what it asks is not written down."""
        with self.hush():
            return eventually(probe, timeout)

    def pause(self, seconds: float) -> None:
        """Wait: for when it is silence that matters."""
        threading.Event().wait(seconds)

    def note(self, label: str, value: Any) -> None:
        """Write something down that was derived from answers."""
        if not self._muted:
            self.transcript.append({"note": label, "value": self._normalizer.value(value)})

    @contextmanager
    def hush(self) -> Iterator[None]:
        """Write nothing down inside."""
        self._muted += 1
        try:
            yield
        finally:
            self._muted -= 1

    def fill(self, value: Any) -> Any:
        """Put the names in for `{ns}` and `{group}`, in keys too."""
        if isinstance(value, str):
            return value.replace("{ns}", self.ns).replace("{group}", self.group)
        if isinstance(value, Mapping):
            return {self.fill(key): self.fill(each) for key, each in value.items()}
        return [self.fill(each) for each in value] if isinstance(value, list) else value

    def _target(self, path: str, query: Mapping[str, Any] | str | None) -> str:
        text = query if isinstance(query, str) else urlencode(self.fill(dict(query or {})), doseq=True)
        return self.fill(path) + (f"?{self.fill(text)}" if text else "")

    def _headers(self, headers: Mapping[str, str] | None, user: str) -> dict[str, str]:
        return {"User-Agent": "conformance/1.0", **self.server.headers(user), **(headers or {})}

    def _pool(self, user: str) -> urllib3.HTTPSConnectionPool:
        if user not in self._pools:
            self._pools[user] = self.server.pool(user)
        return self._pools[user]

    def _close(self) -> None:
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def _encode(self, body: Any) -> bytes | None:
        if body is None or isinstance(body, bytes):
            return body
        filled = self.fill(body)
        return (filled if isinstance(filled, str) else json.dumps(filled)).encode()

    def _write_down(self, request: str, response: urllib3.BaseHTTPResponse, body: Any) -> Body | None:
        if self._muted:
            return None
        if response.status == 501:
            self.unsupported.append(body.get("message", "") if isinstance(body, dict) else str(body))
        headers = {name: response.headers[name] for name in _HEADERS if name in response.headers}
        entry = {
            "request": self._normalizer.text(_CONTINUE.sub("continue=…", request)),
            "status": response.status,
            "headers": self._normalizer.value(headers),
            "body": self._normalizer.value(body),
        }
        self.transcript.append(entry)
        return entry


def _is_loading(response: urllib3.BaseHTTPResponse) -> bool:
    """A real server that has just learnt of a resource may say so for a moment."""
    return response.status == 429 and b"storage is (re)initializing" in response.data


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace")


def _events(
    response: urllib3.BaseHTTPResponse, until: Callable[[list[Event]], bool] | int | None
) -> tuple[list[Event], str]:
    """Read events until there are enough, or no more come; then close the connection."""
    enough = (lambda found: len(found) >= until) if isinstance(until, int) else until or (lambda _: False)
    events: list[Event] = []
    left = b""
    try:
        for chunk in response.stream(decode_content=False):
            *lines, left = (left + chunk).split(b"\n")
            events += [json.loads(line) for line in lines]
            if enough(events):
                return events[:until] if isinstance(until, int) else events, "left"
        return events, "ended"
    except urllib3.exceptions.ReadTimeoutError:
        return events, "silent"
    except urllib3.exceptions.ProtocolError:
        return events, "broken"
    finally:
        response.close()
