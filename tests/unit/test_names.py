"""Qualified names: what a program names is refused at once if the API server would refuse it later."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.apiserver.kinds.metadata import qualified_name
from btcctl.names import check_name, is_namespace, is_object_name, is_qualified_name

LABEL = "a" * 63
GOOD = [
    "op",
    "a",
    "A",
    "0",
    "example.org/Op_1.x",
    "x" * 63,
    "a.b/" + "x" * 63,
    f"{LABEL}.{LABEL}.{LABEL}.{LABEL[:61]}/x",
]
BAD = [
    *("two words", "a/b/c", "/a", "a/", "x" * 64, "-a", "a-", ".a", "a\n", "ж", "a\udc80"),
    *("Upper.Case/a", "a..b/x", ".a/x", "a./x", "-a.b/x", "a" * 254 + "/b", f"{LABEL}.{LABEL}.{LABEL}.{LABEL}/x"),
]


@pytest.mark.parametrize("name", GOOD)
def test_a_qualified_name_is_taken(name: str) -> None:
    check_name(name, "a cow")


@pytest.mark.parametrize("name", BAD)
def test_any_other_is_refused_in_words(name: str) -> None:
    with pytest.raises(ValueError, match="a cow is named with 63 letters, digits"):
        check_name(name, "a cow")


@pytest.mark.parametrize("name", ["", None, 3, b"op"])
def test_what_is_no_text_is_refused(name: object) -> None:
    with pytest.raises(ValueError, match="a cow needs a name"):
        check_name(name, "a cow")


def test_a_name_that_is_refused_is_not_repeated_at_full_length() -> None:
    with pytest.raises(ValueError, match="named") as caught:
        check_name("x" * 100_000, "a cow")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("name", ["a", "0", "a.b-c.d", f"{LABEL}.{LABEL}.{LABEL}.{LABEL[:61]}", "a" * 253])
def test_an_object_is_called_by_a_subdomain(name: str) -> None:
    assert is_object_name(name)
    assert is_namespace(name) == ("." not in name and len(name) < 64)


@pytest.mark.parametrize("name", ["", "..", "a..b", "a.", ".a", "a.-b", "-a", "A", "a/b", "a\n", "a" * 254, "٣"])
def test_nothing_else_is_an_objects_name_or_gets_into_a_path(name: str) -> None:
    assert not is_object_name(name)
    assert not is_namespace(name)


@given(st.text("aB0-_./", max_size=12) | st.from_regex(r"[a-z.\-]{0,260}/[\w.\-]{0,66}", fullmatch=True))
def test_it_is_what_the_embedded_server_takes(name: str) -> None:
    assert is_qualified_name(name) == (qualified_name("metadata.finalizers", name) == [])
