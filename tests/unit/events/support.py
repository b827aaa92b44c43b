"""A server for events, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl.errors import AlreadyExists, ApiError, BtcctlError, Forbidden, NotFound
from btcctl.objects import Object, ObjectKey
from btcctl.resources import EVENTS, EVENTS_V1, ResourceType


class FakeEvents:
    """An ApiClient and its only resource; forbids and fails as told, and remembers each call."""

    def __init__(self, *forbidden: str) -> None:
        self.forbidden = set(forbidden)
        self.failures: list[BtcctlError] = []  # raised by the next calls, one each
        self.calls: list[str] = []
        self.bodies: dict[ObjectKey, dict[str, Any]] = {}
        self.namespaces: list[str] = []

    def resource(self, type_: ResourceType, namespace: str = "") -> FakeEvents:
        assert type_ in {EVENTS, EVENTS_V1}
        self.namespaces.append(namespace)
        return self

    def get(self, key: ObjectKey) -> Object:
        self._enter("get")
        return Object.from_body(self._existing(key))

    def create(self, body: Mapping[str, Any]) -> Object:
        self._enter("create")
        key = ObjectKey(body["metadata"]["namespace"], body["metadata"]["name"])
        if key in self.bodies:
            raise AlreadyExists(409, "AlreadyExists")
        self.bodies[key] = dict(body)
        return Object.from_body(body)

    def update(self, body: Mapping[str, Any]) -> Object:
        self._enter("update")
        key = ObjectKey(body["metadata"]["namespace"], body["metadata"]["name"])
        self._existing(key)
        self.bodies[key] = dict(body)
        return Object.from_body(body)

    def patch(self, key: ObjectKey, patch: Mapping[str, Any]) -> Object:
        self._enter("patch")
        self._existing(key).update(patch)
        return Object.from_body(self.bodies[key])

    @property
    def only(self) -> dict[str, Any]:
        (body,) = self.bodies.values()
        return body

    def _existing(self, key: ObjectKey) -> dict[str, Any]:
        try:
            return self.bodies[key]
        except KeyError:
            raise NotFound(404, "NotFound") from None

    def _enter(self, verb: str) -> None:
        self.calls.append(verb)
        if self.failures:
            raise self.failures.pop(0)
        if verb in self.forbidden:
            raise Forbidden(403, "Forbidden", f"cannot {verb} events")


def namespace_terminating() -> ApiError:
    causes = [{"reason": "NamespaceTerminating"}]
    return Forbidden(403, "Forbidden", "is being terminated", details={"causes": causes})
