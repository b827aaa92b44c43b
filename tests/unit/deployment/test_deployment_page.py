"""docs/deployment.md: every convention has a row, and every row that does not say yes a reason."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+) \| ([^|]+) \| ([YPN]) \| (.+) \|$", PAGE, re.MULTILINE)


def test_every_row_is_there_once() -> None:
    assert [int(number) for number, *_ in ROWS] == list(range(1, 87))


def test_every_row_has_evidence_or_a_reason() -> None:
    assert [number for number, _, _, said in ROWS if len(said.strip()) < 2] == []


def test_the_tests_and_pages_that_are_named_are_there() -> None:
    tests = re.findall(r"`((?:unit|integration|images)/[a-z_/]+\.py)`", PAGE)
    pages = re.findall(r"\]\(([A-Za-z./-]+)(?:#[a-z-]+)?\)", PAGE)
    assert [each for each in tests if not (ROOT / "tests" / each).exists()] == []
    assert [each for each in pages if not (ROOT / "docs" / each).exists()] == []


def test_values_that_are_named_are_values_of_the_chart() -> None:
    readme = (ROOT / "helm/btcctl/README.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:crds|rbac|metrics|networkPolicy|global|image|nodeImage)\.[A-Za-z.]+)(?:: [a-z]+)?`", PAGE)
    assert [each for each in named if f"`{each}" not in readme] == []
