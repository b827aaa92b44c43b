from __future__ import annotations

import pytest

from btcctl.bitcoin.spec.quantities import is_same_quantity, mebibytes, parse_quantity


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1024Mi", "1Gi"),
        ("1000m", "1"),
        (1, "1"),
        ("0.5", "500m"),
        ("1e3", "1k"),
        ("1.5Gi", "1536Mi"),
        ("2E", "2e18"),
        ("0.1m", "1m"),
        ("1n", "0.001"),
        ("9Ei", 2**63 - 1),
    ],
)
def test_two_spellings_of_one_number_are_the_same(one: object, other: object) -> None:
    assert is_same_quantity(one, other)


@pytest.mark.parametrize(("one", "other"), [("1G", "1Gi"), ("1", "1m"), ("1", "2"), ("much", "1"), (None, "0")])
def test_two_numbers_are_not(one: object, other: object) -> None:
    assert not is_same_quantity(one, other)


@pytest.mark.parametrize("text", ["", "Gi", "1 Gi", "1gi", "1e", "0x1", "1K1"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        parse_quantity(text)


def test_mebibytes_are_counted_whole() -> None:
    assert [mebibytes(each) for each in ("1Gi", "768Mi", "1G", 2**20, "0.5Mi")] == [1024, 768, 953, 1, 0]
