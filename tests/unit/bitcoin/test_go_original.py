from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.unit.bitcoin.go_defects import DEFECTS, Defect

TESTS = Path(__file__).parents[2]


@cache
def functions() -> frozenset[str]:
    """All there are, each "file::function"."""
    return frozenset(
        f"{path.name}::{each.name}"
        for path in TESTS.rglob("test_*.py")
        for each in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(each, ast.FunctionDef)
    )


def test_the_table_has_all_of_the_originals_59_defects_in_order() -> None:
    assert [each.number for each in DEFECTS] == [*range(1, 60)]
    assert len({each.what for each in DEFECTS}) == 59


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda each: str(each.number))
def test_each_defect_has_tests_that_exist_or_a_reason_why_there_can_be_none(defect: Defect) -> None:
    assert bool(defect.tests) != bool(defect.untestable)
    assert [each for each in defect.tests if each not in functions()] == []
