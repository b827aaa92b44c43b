"""Answers server-side apply: a PATCH of what somebody wants an object to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import structs

from btcctl import codecs
from btcctl.apiserver.gotypes import Misfit, json_name, yaml_text
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.managedfields import Author
from btcctl.apiserver.managedfields.applying import apply, as_written
from btcctl.apiserver.objects.writer import Writer
from btcctl.apiserver.requests.bodies import private
from btcctl.apiserver.requests.options import WriteOptions
from btcctl.apiserver.requests.routing import Route
from btcctl.apiserver.served.registry import Served
from btcctl.apiserver.storage.answers import time_of_request
from btcctl.apiserver.storage.collection import Body, Record
from btcctl.apiserver.storage.conversions import as_served
from btcctl.apiserver.storage.store import Store
from btcctl.resources import NAMESPACES


class Applier:
    """Thread-safe."""

    def __init__(self, store: Store, writer: Writer) -> None:
        self._store = store
        self._writer = writer

    def apply(self, route: Route, body: bytes, options: WriteOptions) -> tuple[int, Record]:
        """
        Returns:
            201 if the object is new, else 200; and the object.

        Raises:
            StatusError: It cannot be read, others own what would change, or the result may not be.
        """
        served = route.served
        with self._store.transaction():
            record = self._store.get(served.collection, route.key)
            if record is None and route.subresource:
                raise errors.not_found(served.type, route.name)
            wanted = read_configuration(body, served.type.kind, served.type.api_version)
            live = None
            if record is not None:
                live = as_served(served.kind.seen(record).body, served.type.api_version)
            author = Author(options.field_manager, time_of_request(self._store.clock))
            target = served.kind.target(route.subresource)
            new = _converted(served, as_written(target, apply(target, live, wanted, author, force=options.force)))
            inner = structs.replace(options, is_apply=True, field_validation="Ignore")
            if record is not None:
                _check_uid(served, new, record.body)
                return 200, self._writer.update(route, new, inner, [])[0]
            uid = new["metadata"].get("uid")
            if uid:
                why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
                raise errors.conflict(served.type, route.name, why)
            if options.rights is not None:
                options.rights.check_creation()
            return 201, self._writer.create(route, _named(new, route), inner, [])


def _converted(served: Served, new: dict[str, Any]) -> dict[str, Any]:
    """What was applied, as the kind's types have it."""
    try:
        return served.kind.applied(new)
    except Misfit as error:
        name = f"{new['metadata'].get('namespace', '')}/{new['metadata'].get('name', '')}"
        kind = f"{served.type.group}/{served.type.version}, Kind={served.type.kind}"
        why = f"unable to convert unstructured object to {kind}: {error}"
        raise errors.internal(f"failed to convert new object ({name}; {kind}) to proper version: {why}") from error


def _named(new: dict[str, Any], route: Route) -> dict[str, Any]:
    name = new["metadata"].get("name")
    if not name:
        why = f"the name of the object ({route.name} based on URL) was undeterminable: name must be provided"
        raise errors.bad_request(why)
    if name != route.name:
        raise errors.bad_request(f"the name of the object ({name}) does not match the name on the URL ({route.name})")
    if route.served.type == NAMESPACES and not new.get("spec"):
        new.pop("spec", None)  # a namespace without finalizers is one that is about to go
    return new


def _check_uid(served: Served, new: Mapping[str, Any], old: Body) -> None:
    uid = new["metadata"].get("uid")
    if uid and uid != old["metadata"]["uid"]:
        cause = Cause("FieldValueInvalid", f'Invalid value: "{uid}": field is immutable', "metadata.uid")
        raise errors.invalid_object(served.type, old["metadata"]["name"], [cause, cause])


def read_configuration(body: bytes, kind: str, api_version: str) -> dict[str, Any]:
    """What is wanted: YAML, of which JSON is a part.

    Raises:
        StatusError: It is neither, or of another kind.
    """
    try:
        wanted = private(_parsed(body))
    except (yaml_text.YamlError, msgspec.MsgspecError) as error:
        raise errors.bad_request(f"error decoding YAML: error converting YAML to JSON: {error}") from error
    wanted = {} if wanted is None else wanted
    if not isinstance(wanted, dict):
        why = f"json: cannot unmarshal {json_name(wanted)} into Go value of type map[string]interface {{}}"
        raise errors.bad_request(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {why}")
    sent = wanted.get("kind") or "", wanted.get("apiVersion") or ""
    if sent != (kind, api_version):
        group, _, version = f"{sent[1]}".rpartition("/")
        raise errors.bad_request(f"invalid object type: {group}/{version}, Kind={sent[0]}")
    return wanted


def _parsed(body: bytes) -> Any:
    try:
        return codecs.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return yaml_text.load(body)
