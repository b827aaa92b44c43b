"""What is said to be missing, and how to get it."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def extra(name: str) -> set[str]:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return {re.split(r"[\[<>=]", each)[0] for each in setup["options.extras_require"][name].split()}


def test_what_the_server_says_is_missing_comes_with_the_extra_that_it_names():
    named = {}
    for path in (ROOT / "src" / "btcctl" / "apiserver").rglob("*.py"):
        named |= dict(re.findall(r"""([\w-]+): pip install 'btcctl\[(\w+)\]'""", path.read_text()))
    assert {*named} >= {"cel-python", "google-re2"}
    assert [package for package, name in named.items() if package not in extra(name)] == []
