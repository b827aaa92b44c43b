"""Each promise of docs/network.md has a test: a new row, or a new paragraph, needs an entry in page_promises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.bitcoin.page_promises import PROMISES
from tests.unit.bitcoin.test_go_original import functions

PAGE = (Path(__file__).parents[3] / "docs/network.md").read_text(encoding="utf-8")
TESTS = Path(__file__).parent
HEADS = ("#", "|---", "| field |", "| object |", "| what happens |", "| type |", "| variable |")


def rows_and_paragraphs() -> Iterator[str]:
    """Each on one line; without headings and the heads of tables."""
    for block in re.split(r"\n\s*\n|\n(?=[-|])", PAGE):
        line = " ".join(block.split())
        is_head = line.startswith(
            ("#", "|---", "| field |", "| object |", "| what happens |", "| type |", "| variable |")
        )
        if line and not is_head:
            yield line


def is_in(promise: str, line: str) -> bool:
    return line.startswith(promise) if promise.startswith(("|", "- ")) else promise in line


@pytest.mark.parametrize("line", [*rows_and_paragraphs()], ids=lambda line: line[:40])
def test_each_row_and_paragraph_is_covered(line: str) -> None:
    assert [promise for promise in PROMISES if is_in(promise, line)] != []


@pytest.mark.parametrize("promise", [*PROMISES])
def test_each_promise_stands_on_the_page_and_its_tests_exist(promise: str) -> None:
    assert [line for line in rows_and_paragraphs() if is_in(promise, line)] != []
    assert [each for each in PROMISES[promise] if each not in functions()] == []


def test_each_reason_of_the_table_of_conditions_occurs_in_a_test() -> None:
    conditions = PAGE.partition("## Conditions")[2].partition("## Events")[0]
    reasons = {
        each
        for row in re.findall(r"^\|.*\|.*\|(.*)\|$", conditions, re.MULTILINE)
        for each in re.findall(r"`(\w+)`", row)
    }
    said = "".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    assert {each for each in reasons if not re.search(rf"\b{each}\b", said)} == set()


def test_each_event_and_each_column_of_the_status_occurs_in_a_test() -> None:
    events = PAGE.partition("## Events")[2].partition("## The node image")[0]
    fields = re.findall(r"^\| `status\.(\w+)", PAGE, re.MULTILINE)
    words = {*re.findall(r"`([A-Z]\w+)`", events), *fields}
    said = "".join(path.read_text(encoding="utf-8") for path in TESTS.parents[1].rglob("test_*.py"))
    missing = {each for each in words if not re.search(rf"\b({each}|{snake(each)})\b", said)}
    assert missing == set()
    assert {"NetworkCreated", "ImageChanged", "tips"} <= words


def snake(camel: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", camel).lower()
