"""What the bench needs comes with `btcctl[testing]`, whatever a test of ours has installed beside it."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def extra(name: str) -> set[str]:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return {re.split(r"[\[<>=]", each)[0] for each in setup["options.extras_require"][name].split()}


@pytest.mark.parametrize("needed", ["cel-python", "google-re2", "h11", "cryptography", "pytest"])
def test_rules_patterns_and_webhooks_of_an_author_work_with_the_extra_for_tests_alone(needed):
    assert needed in extra("testing")


def test_what_the_server_says_is_missing_comes_with_the_extra_that_it_names():
    named = {}
    for path in (ROOT / "src" / "btcctl" / "apiserver").rglob("*.py"):
        named |= dict(re.findall(r"""([\w-]+): pip install 'btcctl\[(\w+)\]'""", path.read_text()))
    assert {*named} >= {"cel-python", "google-re2"}
    assert [package for package, name in named.items() if package not in extra(name)] == []
