from __future__ import annotations

import configparser
import json
import re

from tests.release.sbom import ROOT, bill_of_materials


def test_it_lists_what_is_declared_and_what_that_needs_with_versions() -> None:
    bill = json.loads(bill_of_materials("1.2.3"))
    assert bill["metadata"]["component"]["version"] == "1.2.3"
    versions = {each["name"]: each["version"] for each in bill["components"]}
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    declared = {re.split("[<>=]", each)[0].lower() for each in setup["options"]["install_requires"].split()}
    assert declared <= versions.keys()
    assert all(versions.values())


def test_it_knows_nothing_of_extras() -> None:
    names = {each["name"] for each in json.loads(bill_of_materials("1"))["components"]}
    assert not names & {"kubernetes", "cryptography", "pytest"}


def test_it_is_the_same_each_time() -> None:
    assert bill_of_materials("1") == bill_of_materials("1")
