"""Requests to an Api, in one line each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from time import process_time
from typing import Any

from btcctl.apiserver.api import Api, ApiRequest, ApiResponse, WatchResponse
from btcctl.apiserver.storage.watches import Watch
from btcctl.testing.clock import FakeClock

GROUP = "things.example.org"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
STATEFUL_SETS = "/apis/apps/v1/namespaces/default/statefulsets"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
THINGS = f"/apis/{GROUP}/v1/namespaces/default/things"

SPEC = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 10},
        "color": {"type": "string", "default": "red", "enum": ["red", "green"]},
        "image": {"type": "string", "maxLength": 10, "pattern": "^[a-z]+$"},
        "note": {"type": "string", "nullable": True},
        "args": {"type": "array", "maxItems": 3, "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "port": {"x-kubernetes-int-or-string": True},
        "limits": {"type": "object", "additionalProperties": {"type": "integer"}},
        "parts": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "weight": {"type": "integer", "default": 1}},
            },
        },
    },
}
STATUS = {
    "type": "object",
    "properties": {"ready": {"type": "integer"}, "selector": {"type": "string"}},
}


def definition(**spec: Any) -> dict[str, Any]:
    """The CustomResourceDefinition of things; keywords replace parts of its spec."""
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "selectableFields": [{"jsonPath": ".spec.color"}],
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.size",
                "statusReplicasPath": ".status.ready",
                "labelSelectorPath": ".status.selector",
            },
        },
        "schema": {
            "openAPIV3Schema": {"type": "object", "required": ["spec"], "properties": {"spec": SPEC, "status": STATUS}}
        },
    }
    names = {"plural": "things", "kind": "Thing"}
    whole = {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version], **spec}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{whole['names']['plural']}.{GROUP}"},
        "spec": whole,
    }


def thing(name: str = "a", /, *, metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Thing",
        "metadata": {"name": name, **(metadata or {})},
        "spec": {"size": 1, **spec},
    }


def pod(name: str = "p", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}


def stateful_set(name: str = "s", **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    whole = {"serviceName": "svc", "selector": {"matchLabels": {"a": "b"}}, "template": template, **spec}
    return {"metadata": {"name": name}, "spec": whole}


class Answer:
    """A response, its body decoded."""

    def __init__(self, response: ApiResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.raw = response.body
        self.body: Any = json.loads(response.body) if "json" in response.headers["Content-Type"] else None

    @property
    def message(self) -> str:
        return str(self.body["message"])

    @property
    def reason(self) -> str | None:
        reason: str | None = self.body.get("reason")
        return reason

    @property
    def causes(self) -> list[tuple[str, str]]:
        return [(each["field"], each["message"]) for each in self.body["details"]["causes"]]

    @property
    def version(self) -> str:
        return str(self.body["metadata"]["resourceVersion"])

    @property
    def names(self) -> list[str]:
        return [each["metadata"]["name"] for each in self.body["items"]]


class Seen:
    """What a watch has delivered."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.lines: list[bytes] = []
        self.ended = False
        watch.start(self.lines.append, self._end)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    @property
    def types(self) -> list[str]:
        return [each["type"] for each in self.events]

    @property
    def story(self) -> list[tuple[str, str]]:
        return [(each["type"], each["object"]["metadata"].get("name", "")) for each in self.events]

    def _end(self) -> None:
        self.ended = True


class Server:
    """An Api with a clock of its own, and short ways to call it."""

    def __init__(self, **options: Any) -> None:
        self.clock = FakeClock()
        self.api = Api(clock=self.clock, **options)

    def call(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        return Answer(self.send(method, path, body, **query))

    def send(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json", **query: str
    ) -> ApiResponse:
        accept = query.pop("accept", "")
        user = query.pop("user", "system:admin")
        encoded = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        headers = {"content-type": content_type, "accept": accept}
        request = ApiRequest(method, path, {key: [value] for key, value in query.items()}, headers, encoded, user)
        response = self.api.handle(request)
        assert isinstance(response, ApiResponse)
        return response

    def get(self, path: str, **query: str) -> Answer:
        return self.call("GET", path, **query)

    def post(self, path: str, body: Any, **query: str) -> Answer:
        return self.call("POST", path, body, **query)

    def put(self, path: str, body: Any, **query: str) -> Answer:
        return self.call("PUT", path, body, **query)

    def patch(self, path: str, body: Any, content_type: str = MERGE, **query: str) -> Answer:
        return Answer(self.send("PATCH", path, body, content_type, **query))

    def delete(self, path: str, body: Any = None, **query: str) -> Answer:
        return self.call("DELETE", path, body, **query)

    def watch(self, path: str, **query: str) -> Seen:
        accept = query.pop("accept", "")
        asked = {"watch": ["1"], **{key: [value] for key, value in query.items()}}
        response = self.api.handle(ApiRequest("GET", path, asked, {"accept": accept}))
        assert isinstance(response, WatchResponse), response
        return Seen(response.watch)

    def created(self, path: str, body: Any, **query: str) -> dict[str, Any]:
        answer = self.post(path, body, **query)
        assert answer.status == 201, answer.body
        found: dict[str, Any] = answer.body
        return found

    def collect(self) -> None:
        self.api.collector.step()

    def exists(self, path: str) -> bool:
        return self.get(path).status == 200


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """A multiple of what it takes, and a fraction of what it took."""
    begun = process_time()
    yield
    assert process_time() - begun < seconds
