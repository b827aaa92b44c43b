"""Query parameters of lists and watches, and continue tokens."""

from __future__ import annotations

import pytest

from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.requests.list_options import decode_continue, encode_continue, list_options
from btcctl.apiserver.requests.messages import ApiRequest


def causes(query: dict[str, str], *, watch: bool = False) -> list[str]:
    request = ApiRequest("GET", "/", {key: [value] for key, value in query.items()})
    with pytest.raises(StatusError) as caught:
        list_options(request, watch=watch)
    body = caught.value.body or {}
    return [each["message"] for each in body.get("details", {}).get("causes", [])] or [caught.value.message]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = causes({"resourceVersionMatch": "Nonsense", "continue": "x", "sendInitialEvents": "true"})
    assert [each.partition(":")[0] for each in found] == ["Forbidden", "Forbidden", "Unsupported value", "Forbidden"]
    found = causes({"resourceVersionMatch": "Exact", "sendInitialEvents": "true"}, watch=True)
    assert [each.partition(":")[0] for each in found] == ["Forbidden", "Unsupported value"]


def test_a_version_is_a_number_of_64_bits() -> None:
    assert causes({"resourceVersion": "abc"})[0].endswith('parsing "abc": invalid syntax')
    assert causes({"resourceVersion": str(1 << 64)})[0].endswith("value out of range")
    assert causes({"resourceVersion": "-1"}, watch=True)[0].startswith("resourceVersion: Invalid value")


def test_a_token_survives_a_round_trip() -> None:
    assert decode_continue(encode_continue(7, "/a/b")) == (7, "/a/b\0")


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("?", "illegal base64 data at input byte 0"),
        ("abcde", "illegal base64 data at input byte 4"),
        ("bm9uc2Vuc2U", "malformed"),
        ("nonsense", "invalid character '\\u009e' looking for beginning of value"),
        ("W10", "cannot unmarshal array"),
        ("e30", "does not recognize this encoded version"),
        (encode_continue(0, "/a"), "incorrect encoded start resourceVersion"),
        (encode_continue(5, "a/../b"), "a/../b\0"),
    ],
)
def test_a_token_that_is_none_is_refused(token: str, why: str) -> None:
    with pytest.raises(StatusError) as caught:
        decode_continue(token)
    assert caught.value.status == 400
    assert why in caught.value.message
