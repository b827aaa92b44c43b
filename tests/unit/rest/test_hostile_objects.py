"""Objects, resources and leases of a server that sends anything: values, or errors of ours."""

from __future__ import annotations

import contextlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.errors import BtcctlError, ObjectDecodeError
from btcctl.leaderelection.lease_lock import LeaseLock
from btcctl.metadata import TypeMeta
from btcctl.objects import Object, ObjectKey, object_from
from btcctl.rest.client import ApiClient
from tests.properties import effort
from tests.unit.rest.fakes import ScriptedTransport, answer
from tests.unit.rest.hostile import JSON, META, as_bytes, spoiled

OWNER = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u", "controller": True}
OBJECT = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {**META, "labels": {"a": "b"}, "finalizers": ["f"], "ownerReferences": [OWNER], "generation": 1},
}
RESOURCES = {
    "kind": "APIResourceList",
    "resources": [
        {"name": "pods", "kind": "Pod", "namespaced": True},
        {"name": "pods/log", "kind": "Pod", "namespaced": True},
    ],
}
LEASE = {
    "metadata": META,
    "spec": {"holderIdentity": "h", "leaseDurationSeconds": 15, "renewTime": "x", "leaseTransitions": 1},
}
KEY = ObjectKey("n", "a")


class Typed(msgspec.Struct, rename="camel"):
    kind: str
    api_version: str


@effort(150)
@given(as_bytes(st.one_of(JSON, spoiled(OBJECT))), st.sampled_from([None, TypeMeta("v1", "Pod")]))
def test_whatever_is_read_of_an_object_is_a_value_or_an_error_of_ours(raw: bytes, type_meta: TypeMeta | None):
    try:
        obj = object_from(raw, type_meta)
    except ObjectDecodeError:
        return
    assert obj.key.name
    assert isinstance(obj.kind + obj.api_version, str)
    for read in (
        lambda: obj.labels,
        lambda: obj.annotations,
        lambda: obj.finalizers,
        lambda: obj.controller and obj.controller.group,
        obj.body,
        lambda: obj.decode(Typed),
    ):
        with contextlib.suppress(ObjectDecodeError):
            read()


@effort(60)
@given(as_bytes(st.one_of(JSON, spoiled(RESOURCES))))
def test_what_a_server_serves_is_resources_or_an_error_of_ours(body: bytes):
    client = ApiClient(ScriptedTransport(answer(body)))
    with contextlib.suppress(BtcctlError):
        for each in client.discover("", "v1"):
            assert isinstance(each.plural + each.kind, str)


@pytest.mark.parametrize("resources", [{}, "pods", [{"kind": "Pod"}], [None], [{"name": 1, "kind": "x"}]])
def test_no_list_of_resources_is_named_by_its_path(resources: object):
    client = ApiClient(ScriptedTransport(answer({"resources": resources} if resources else {"resources": [7]})))
    with pytest.raises(ObjectDecodeError, match="GET /api/v1: no list of resources"):
        client.discover("", "v1")


@effort(60)
@given(as_bytes(st.one_of(JSON, spoiled(LEASE))))
def test_a_lease_is_a_record_or_an_error_of_ours(body: bytes):
    lock = LeaseLock(ApiClient(ScriptedTransport(answer(body))), KEY)
    with contextlib.suppress(BtcctlError):
        record = lock.get(1.0)
        assert record is None or float(record.duration_seconds + record.transitions) >= -(2.0**32)


@pytest.mark.parametrize("spec", [[1], "x", 7, {"leaseTransitions": True}])
def test_a_lease_with_another_spec_is_no_lease(spec: object):
    raw = json.dumps({"metadata": {"name": "a"}, "spec": spec}).encode()
    lock = LeaseLock(ApiClient(ScriptedTransport(answer(raw))), KEY)
    with pytest.raises(ObjectDecodeError, match="Lease"):
        lock.get(1.0)


def test_a_spoiled_object_is_not_always_refused():
    assert Object.from_raw(json.dumps(OBJECT).encode()).controller is not None
