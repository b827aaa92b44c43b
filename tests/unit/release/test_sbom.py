from __future__ import annotations

import json

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.images.build import declared_requirements
from tests.release.sbom import bill_of_materials


def names() -> set[str]:
    return {each["name"] for each in json.loads(bill_of_materials("1"))["components"]}


def test_it_lists_what_the_image_is_to_have_and_what_that_needs_with_versions() -> None:
    bill = json.loads(bill_of_materials("1.2.3"))
    assert bill["metadata"]["component"]["version"] == "1.2.3"
    assert {canonicalize_name(Requirement(each).name) for each in declared_requirements()} <= names()
    assert all(each["version"] for each in bill["components"])
    assert {"starlette", "cryptography", "cffi", "anyio"} <= names()  # of extras, and what they need


def test_it_knows_nothing_of_what_the_image_has_not() -> None:
    assert not names() & {"kubernetes", "cel-python", "pytest"}


def test_it_is_the_same_each_time() -> None:
    assert bill_of_materials("1") == bill_of_materials("1")
