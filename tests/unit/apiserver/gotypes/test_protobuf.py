from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.apiserver.gotypes import protobuf
from btcctl.apiserver.gotypes.protobuf import CONTENT_TYPE, ProtobufError, fields_of
from btcctl.apiserver.machinery.errors import StatusError


def decode_body(data: bytes) -> dict[str, Any]:
    return protobuf.decode_body(CONTENT_TYPE, data)


def varint(number: int) -> bytes:
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value & (1 << 64) - 1)


def part(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def body(api_version: str, kind: str, raw: bytes) -> bytes:
    return b"k8s\x00" + part(1, part(1, api_version) + part(2, kind)) + part(2, raw) + part(3, "") + part(4, "")


def entry(key: str, value: bytes | str) -> bytes:
    return part(1, key) + part(2, value)


def test_a_namespace_as_kubectl_sends_it_loses_its_unset_fields() -> None:
    meta = part(1, "blue") + b"".join(part(n, "") for n in range(2, 7)) + number(7, 0) + part(8, b"")
    decoded = decode_body(body("v1", "Namespace", part(1, meta) + part(2, b"") + part(3, part(1, ""))))
    assert decoded == {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "blue"}}


def test_a_secret_s_bytes_become_base64_and_empty_values_stay() -> None:
    raw = part(1, part(1, "s")) + part(2, entry("key", b"\x00\xff")) + part(2, entry("none", "")) + part(3, "Opaque")
    decoded = decode_body(body("v1", "Secret", raw))
    assert decoded["data"] == {"key": "AP8=", "none": ""}
    assert decoded["type"] == "Opaque"


def test_a_config_map_keeps_text_and_binary_apart() -> None:
    decoded = decode_body(
        body("v1", "ConfigMap", part(2, entry("a", "ö")) + part(3, entry("b", b"\xff")) + number(4, 0))
    )
    assert decoded["data"] == {"a": "ö"}
    assert decoded["binaryData"] == {"b": "/w=="}
    assert decoded["immutable"] is False


def test_metadata_carries_labels_owners_finalizers_and_times() -> None:
    owner = part(1, "Net") + part(3, "n") + part(4, "u") + part(5, "x/v1") + number(6, 1)
    meta = (
        part(8, number(1, 1_790_000_000))
        + part(11, entry("app", "net"))
        + part(12, entry("note", ""))
        + part(13, owner)
        + part(14, "example.org/hold")
    )
    decoded = decode_body(body("v1", "ConfigMap", part(1, meta)))["metadata"]
    assert decoded == {
        "creationTimestamp": "2026-09-21T14:13:20Z",
        "labels": {"app": "net"},
        "annotations": {"note": ""},
        "ownerReferences": [{"kind": "Net", "name": "n", "uid": "u", "apiVersion": "x/v1", "controller": True}],
        "finalizers": ["example.org/hold"],
    }


def test_an_access_review_carries_what_is_asked() -> None:
    attributes = part(1, "default") + part(2, "create") + part(3, "apps") + part(5, "statefulsets")
    decoded = decode_body(body("authorization.k8s.io/v1", "SelfSubjectAccessReview", part(2, part(1, attributes))))
    assert decoded["spec"]["resourceAttributes"] == {
        "namespace": "default",
        "verb": "create",
        "group": "apps",
        "resource": "statefulsets",
    }


def test_delete_options_keep_a_grace_period_of_zero() -> None:
    raw = number(1, 0) + part(2, part(1, "uid-1")) + part(4, "Foreground") + part(5, "All")
    decoded = decode_body(body("v1", "DeleteOptions", raw))
    assert decoded["gracePeriodSeconds"] == 0
    assert decoded["preconditions"] == {"uid": "uid-1"}
    assert decoded["propagationPolicy"] == "Foreground"
    assert decoded["dryRun"] == ["All"]


def test_a_negative_number_survives() -> None:
    assert decode_body(body("v1", "DeleteOptions", number(1, -5)))["gracePeriodSeconds"] == -5


def test_unknown_fields_are_skipped_whatever_their_wire_type() -> None:
    raw = number(99, 7) + varint(98 << 3 | 1) + b"12345678" + varint(97 << 3 | 5) + b"1234" + part(96, "x")
    assert decode_body(body("v1", "Secret", raw + part(3, "Opaque")))["type"] == "Opaque"


def test_a_field_of_a_workload_that_is_not_read_is_refused_and_not_left_out() -> None:
    for spec in (
        number(7, 1),
        part(3, part(2, number(11, 1))),
        part(3, part(2, part(2, part(7, b"x")))),
        part(4, b"\n\x01x"),
    ):
        with pytest.raises(StatusError, match="not understood as protobuf"):
            decode_body(body("apps/v1", "Deployment", part(2, spec)))
    unset = number(7, 0) + part(4, part(1, "")) + part(3, part(2, number(11, 0)))
    assert decode_body(body("apps/v1", "Deployment", part(2, unset)))["kind"] == "Deployment"


def test_another_kind_is_told_apart_from_a_broken_body() -> None:
    with pytest.raises(StatusError) as caught:
        decode_body(body("v1", "Pod", b""))
    assert caught.value.status == 415


def test_another_media_type_is_refused() -> None:
    with pytest.raises(StatusError):
        protobuf.decode_body("application/cbor", body("v1", "Namespace", b""))


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{}",
        b"k8s\x00\x0a\xff",
        b"k8s\x00\x0a\x05ab",
        b"k8s\x00\x0b\x00",
        body("v1", "Secret", part(3, b"\xff")),
        body("v1", "Secret", number(3, 1)),
        body("v1", "DeleteOptions", part(1, "x")),
        body("v1", "Secret", b"\xff" * 11),
        body("v1", "ConfigMap", part(1, part(8, number(1, 1 << 62)))),
    ],
)
def test_a_broken_body_is_one_error_of_ours(broken: bytes) -> None:
    with pytest.raises(ProtobufError):
        decode_body(broken)


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    for kind in ("Namespace", "Secret", "ConfigMap", "SelfSubjectAccessReview", "DeleteOptions"):
        with contextlib.suppress(ProtobufError):
            decode_body(body("v1", kind, raw))


@given(st.lists(st.tuples(st.integers(1, 2000), st.integers(0, 2**64 - 1) | st.binary(max_size=200))))
def test_the_reader_returns_what_was_written(written: list[tuple[int, int | bytes]]) -> None:
    data = b"".join(number(n, v) if isinstance(v, int) else part(n, v) for n, v in written)
    assert list(fields_of(data)) == written
