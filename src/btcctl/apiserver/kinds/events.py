"""The rules of events: lax where they are written as core/v1 has them, strict by way of events.k8s.io/v1.

Both look at an event as it is stored, which is as core/v1 has it.
Source: pkg/apis/core/validation/events.go of Kubernetes 1.36.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.gofmt import json_text, shown
from btcctl.apiserver.machinery.names import qualified_name
from btcctl.apiserver.storage.collection import Body

_MOST_CHARACTERS = {"reportingInstance": 128, "action": 128, "reason": 128, "message": 1024}
_NAMESPACES_OF_ALL = frozenset({"default", "kube-system"})
_REFERENCE = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
#: What an update by events.k8s.io/v1 may not change, and what it calls that; `reason` is looked at twice.
_IMMUTABLE = (
    "involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "reason", "type",
    "eventTime", "action", "related", "reportingComponent", "reportingInstance",
)  # fmt: skip


def check_core(body: Body) -> list[Cause]:
    """What is wrong with an event, as core/v1 sees it."""
    return list(_check(body, "reportingComponent"))


def check_new(body: Body) -> list[Cause]:
    """The same, of an event that is written by way of events.k8s.io/v1."""
    return list(_check(body, "reportingController"))


def check_create(body: Body) -> list[Cause]:
    """What events.k8s.io/v1 asks of a new event besides."""
    causes = _check_series(body)
    if not body.get("eventTime"):
        causes.append(Cause("FieldValueRequired", "Required value", "eventTime"))
    if body.get("type") not in {"Normal", "Warning"}:
        causes.append(_unprinted("type", f"has invalid value: {body.get('type') or ''}"))
    deprecated = ("firstTimestamp", "lastTimestamp", "count", "source")
    return causes + [_unprinted(name, "needs to be unset") for name in deprecated if body.get(name)]


def check_update(new: Body, old: Body) -> list[Cause]:
    """What an update by way of events.k8s.io/v1 may not change: anything but the series."""
    causes = _check_series(new) if new.get("series") != old.get("series") else []
    for name in _IMMUTABLE:
        if (new.get(name) or None) != (old.get(name) or None):
            field = "reportingController" if name == "reportingComponent" else name
            why = f"Invalid value: {_printed(name, new.get(name))}: field is immutable"
            causes.append(Cause("FieldValueInvalid", why, field))
    return causes


def _check(body: Body, controller: str) -> Iterator[Cause]:
    about, namespace = (body.get("involvedObject") or {}).get("namespace") or "", body["metadata"].get("namespace")
    if body.get("eventTime"):
        if not about and namespace not in _NAMESPACES_OF_ALL:
            yield _elsewhere(about)
        yield from _check_new_fields(body, controller)
    elif (about or "default") != namespace:
        yield _elsewhere(about)


def _check_new_fields(body: Body, controller: str) -> Iterator[Cause]:
    """An event with an `eventTime` says who does what."""
    name = body.get("reportingComponent") or ""
    if not name:
        yield Cause("FieldValueRequired", "Required value", controller)
    yield from qualified_name(controller, name)
    for field, most in _MOST_CHARACTERS.items():
        value = body.get(field) or ""
        if not value and field != "message":
            yield Cause("FieldValueRequired", "Required value", field)
        if len(value.encode()) > most:
            yield _unprinted(field, f"can have at most {most} characters")


def _check_series(body: Body) -> list[Cause]:
    series = body.get("series")
    if series is None:
        return []
    causes = [] if series.get("count", 0) > 1 else [_unprinted("series.count", "should be at least 2")]
    if not series.get("lastObservedTime"):
        causes.append(Cause("FieldValueRequired", "Required value", "series.lastObservedTime"))
    return causes


def _elsewhere(namespace: str) -> Cause:
    why = "does not match event.namespace"
    return Cause("FieldValueInvalid", f'Invalid value: "{namespace}": {why}', "involvedObject.namespace")


def _unprinted(field: str, why: str) -> Cause:
    return Cause("FieldValueInvalid", f'Invalid value: "": {why}', field)


def _printed(name: str, value: Any) -> str:
    """As Go prints it: types without names for JSON by the names of their fields, all of them."""
    if name in {"involvedObject", "related"} and value is not None:
        return json_text({_go_name(each): value.get(each, "") for each in _REFERENCE}, sort=False)
    if name == "source":
        return json_text({each.title(): (value or {}).get(each, "") for each in ("component", "host")}, sort=False)
    if value is None:
        return {"count": "0"}.get(name, '""' if name in {"message", "reason", "type", "action"} else "null")
    return shown(value)


def _go_name(name: str) -> str:
    return {"uid": "UID", "apiVersion": "APIVersion"}.get(name) or name[0].upper() + name[1:]
