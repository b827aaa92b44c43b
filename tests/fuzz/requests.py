"""Whole requests: which path, what is asked of it, and in which form the body comes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from random import Random
from typing import Any

from btcctl.apiserver.api import Api, ApiRequest
from btcctl.apiserver.gotypes.types import type_of_kind
from btcctl.apiserver.served.registry import Served
from tests.fuzz.bodies import body_of
from tests.fuzz.values import NAMES, NUMBERS, TEXTS, changed, odd

_ADMISSION = "admissionregistration.k8s.io"
_NAMES = ("a", "a", "a", "b", "c")
_METHODS = (*["GET"] * 2, *["POST"] * 3, *["PUT"] * 2, *["PATCH"] * 3, "DELETE")
_PATCHES = ("merge-patch+json", "json-patch+json", "strategic-merge-patch+json", "apply-patch+yaml")
_SUBRESOURCES = ("status", "scale", "binding", "eviction", "log", "exec", "token", "finalize", "nothing", "portforward")
_OPTIONS = (
    "limit", "continue", "resourceVersion", "resourceVersionMatch", "timeoutSeconds", "labelSelector", "fieldSelector",
    "dryRun", "fieldManager", "fieldValidation", "force", "pretty", "gracePeriodSeconds", "propagationPolicy",
    "orphanDependents", "allowWatchBookmarks", "sendInitialEvents", "includeObject", "timeout", "tailLines", "command",
)  # fmt: skip
_SELECTORS = (
    "a=b", "a!=b", "a in (b,c)", "a notin (", "!a", "a", "a>5", "a<x", ",,", "a=b,", "metadata.name=a", "spec.x=y",
    "status.phase!=Running", "a=b" + ",a=b" * 2000, "(" * 500, "metadata.name=a\\,b\\", "x in (" + "y," * 3000 + ")",
)  # fmt: skip
_ACCEPTED = (
    "", "application/json", "application/yaml", "*/*", "text/plain", "application/vnd.kubernetes.protobuf",
    "application/json;as=Table;g=meta.k8s.io;v=v1", "application/json;as=Table;g=meta.k8s.io;v=v9",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", "application/json;as=X", "application/json;q=x",
    ",".join(["application/json;as=Table;v=v1beta1;g=meta.k8s.io"] * 50), ";;;", "a/b/c",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
)  # fmt: skip
_OTHER_PATHS = (
    "/", "/api", "/apis", "/api/v1", "/apis/apps/v1", "/openapi/v2", "/openapi/v3", "/openapi/v3/api/v1", "/version",
    "/healthz", "/readyz", "/livez/x", "/metrics", "/apis/none/v1/x", "/api/v1/namespaces/default", "//",
    "/api/v1/a/b/c/d/e",
    "/api/v1/namespaces//pods", "/api/v1/watch/pods", "/apis/" + "x" * 3000, "/api/v1/namespaces/default/pods/%2e%2e",
)  # fmt: skip


class Requests:
    """Makes them up. The same random numbers and the same server make the same requests.

    Args:
        with_admission: Whether policies and webhooks may be made, too: they change what becomes of all others.
    """

    def __init__(self, random: Random, api: Api, *, with_admission: bool) -> None:
        self._random = random
        self._api = api
        self._with_admission = with_admission

    def first(self) -> Iterator[ApiRequest]:
        """One of each kind."""
        for served in self._served():
            body = {"apiVersion": served.type.api_version, "kind": served.type.kind, **body_of(served.type.plural, "a")}
            headers = {"content-type": "application/json"}
            yield ApiRequest("POST", _sendable(self._path(served)), {}, headers, json.dumps(body).encode())

    def next(self) -> ApiRequest:
        random = self._random
        if random.random() < 0.04:
            path = random.choice(_OTHER_PATHS)
            return self._request(random.choice(("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD")), path, b"", "")
        served = random.choice(self._served())
        method = random.choice(_METHODS)
        name = random.choice(_NAMES) if random.random() < 0.97 else random.choice(TEXTS) or "x"
        if served.type.plural == "customresourcedefinitions" and method != "POST":
            name = "things.things.example.org"
        is_named = method in {"PUT", "PATCH"} or (method != "POST" and random.random() < 0.8)
        subresource = random.choice(_SUBRESOURCES) if random.random() < 0.12 else ""
        path = self._path(served) + (f"/{name}" if is_named or subresource else "")
        path += f"/{subresource}" if subresource else ""
        content_type, body = self._body(served, method, name)
        return self._request(method, path, body, content_type)

    def _served(self) -> list[Served]:
        known = self._api.registry.resources()
        return known if self._with_admission else [each for each in known if each.type.group != _ADMISSION]

    def _path(self, served: Served) -> str:
        type_ = served.type
        root = f"/apis/{type_.group}/{type_.version}" if type_.group else "/api/v1"
        namespace = "default" if self._random.random() < 0.97 else self._random.choice(TEXTS) or "x"
        return f"{root}/namespaces/{namespace}/{type_.plural}" if type_.namespaced else f"{root}/{type_.plural}"

    def _request(self, method: str, path: str, body: bytes, content_type: str) -> ApiRequest:
        random = self._random
        headers = {"content-type": content_type, "accept": random.choice(_ACCEPTED) if random.random() < 0.1 else ""}
        if random.random() < 0.02:
            headers |= {name: _sendable(random.choice(TEXTS)) for name in ("impersonate-user", "impersonate-extra-a")}
        query: dict[str, list[str]] = {}
        while random.random() < 0.2:
            query[random.choice(_OPTIONS)] = [self._option() for _ in range(1 + (random.random() < 0.1))]
        if method == "PATCH" and random.random() < 0.8:
            query.setdefault("fieldManager", ["m"])
        return ApiRequest(method, _sendable(path), query, headers, body)

    def _option(self) -> str:
        pool = self._random.choice((TEXTS, _SELECTORS, ("All", "Strict", "Warn", "Ignore", "true", "1", "0", "Orphan")))
        return (
            _sendable(self._random.choice(pool)) if self._random.random() < 0.9 else str(self._random.choice(NUMBERS))
        )

    def _body(self, served: Served, method: str, name: str) -> tuple[str, bytes]:
        random = self._random
        if method == "GET" or (method == "DELETE" and random.random() < 0.7):
            return "", b""
        body: Any = body_of(served.type.plural, name)
        body = {"apiVersion": served.type.api_version, "kind": served.type.kind, **body}
        type_ = type_of_kind(served.type.api_version, served.type.kind)
        while random.random() < 0.6:
            body = changed(random, body, type_)
        kind = random.choice(_PATCHES) if method == "PATCH" else "json"
        if method == "PATCH" and kind == "json-patch+json":
            body = [self._operation(body) for _ in range(random.randrange(5))]
        elif method == "PATCH" and random.random() < 0.5 and isinstance(body, dict):
            keep = random.sample(list(body), min(len(body), 2))
            body = {key: each for key, each in body.items() if key in {"apiVersion", "kind", *keep}}
        return self._encoded(f"application/{kind}", body)

    def _operation(self, body: Any) -> Any:
        random = self._random
        path = "/" + "/".join(random.choice((*NAMES, "0", "-", "1", "9" * 30)) for _ in range(random.randrange(1, 4)))
        if isinstance(body, dict) and body and random.random() < 0.7:
            path = f"/{random.choice(list(body))}" + random.choice(("", path))
        operation = {"op": random.choice(("add", "remove", "replace", "copy", "move", "test", "x")), "path": path}
        more = {"value": odd(random)} if random.random() < 0.7 else {"from": random.choice((path, "/metadata", ""))}
        operation |= more
        return operation if random.random() < 0.97 else odd(random)

    def _encoded(self, content_type: str, body: Any) -> tuple[str, bytes]:
        random = self._random
        text = json.dumps(body, ensure_ascii=random.random() < 0.8).encode(errors="surrogatepass")
        chance = random.random()
        if chance < 0.85:
            return content_type, text
        if chance < 0.89:
            cut = random.randrange(len(text) + 1)
            return content_type, text[:cut] + random.choice((b"", b"\xff", b"\x00", b"}", b'"a":1', text)) + text[cut:]
        if chance < 0.93:
            return "application/yaml", text
        if chance < 0.95:
            return "application/yaml", _YAML[random.randrange(len(_YAML))]
        if chance < 0.98:
            data = bytes(random.randrange(256) for _ in range(random.randrange(60)))
            return "application/vnd.kubernetes.protobuf", b"k8s\x00" * (random.random() < 0.8) + data
        return random.choice((content_type, "text/plain", "application/cbor", "x")), gzip.compress(text)


def _sendable(text: str) -> str:
    """As it comes out of a URL."""
    return text.encode(errors="replace").decode()


_ALIASES = "\n".join(f"x{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))
_YAML = (
    b"a: &x [*x]", b"a: *b", b"? [a]\n: b", b"a: 1\na: 2", b"!!python/object/apply:os.system [a]", b"- a\n-\tb",
    b"a: !!binary x", b"a: " + b"[" * 3000, b"%YAML 9.9\n---\na: b", b"---\na\n---\nb", b"a: 2001-01-01\nb: 9999-99-99",
    b"a: 0o7\nb: .inf\nc: .nan\nd: 1_000\ne: 12:30:45", b"<<: {a: b}\nmetadata: {name: a}", b"&a : *a", b"\xff\xfe",
    b"a: 'x\n", b"{a: b", b"a: |9\n  x", f"x0: &a0 [a,a,a,a,a,a,a,a,a]\n{_ALIASES}".encode(),
)  # fmt: skip
