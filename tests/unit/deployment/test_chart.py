"""What can be said of the chart without helm: its values, their schema and README, and what it brings along."""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.kubernetes_types import REQUIRED
from tests.chart.readme import CHART, README, render_readme, values
from tests.chart.schema import SCHEMA, render_schema

ROOT = Path(__file__).parents[3]
TEMPLATES = [each for each in (CHART / "templates").rglob("*") if each.is_file()]
USED = re.compile(r"\.Values\.([A-Za-z.]+)")


@pytest.mark.parametrize(
    ("path", "rendered"), [(SCHEMA, render_schema), (README, render_readme)], ids=["schema", "README"]
)
def test_what_is_generated_is_current(path: Path, rendered: Any) -> None:
    assert path.read_text(encoding="utf-8") == rendered(), "run `make chart-docs`"


def test_every_value_has_a_meaning() -> None:
    assert [each.path for each in values() if not each.about] == []


def test_every_value_that_a_template_uses_is_in_values_yaml() -> None:
    given = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    for template in TEMPLATES:
        for path in USED.findall(template.read_text(encoding="utf-8")):
            found = given
            for part in path.split("."):
                assert part in found, f"{template.name}: .Values.{path}"
                found = found[part]


def test_the_schema_knows_every_value_and_is_closed() -> None:
    given = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    open_ones = [
        path
        for path, schema in sections(json.loads(SCHEMA.read_text(encoding="utf-8")), given)
        if schema.get("additionalProperties", True) is True
    ]
    assert open_ones == ["global", "metrics.serviceMonitor.endpointConfig", "metrics.podMonitor.endpointConfig"]


def sections(schema: dict[str, Any], given: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Of an object's schema those of the objects in it, each of which must know all the keys that are given."""
    for key, value in given.items():
        inner = schema["properties"][key]
        if isinstance(value, dict) and inner.get("type") == "object":
            yield f"{prefix}{key}", inner
            if "properties" in inner:
                yield from sections(inner, value, f"{prefix}{key}.")


def test_what_a_type_of_kubernetes_requires_is_one_of_its_fields() -> None:
    types = json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"]
    assert {name for name in REQUIRED if not {*REQUIRED[name]} <= types[name]["properties"].keys()} == set()


def test_versions_and_image_tags_are_those_of_the_package() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    version = setup["metadata"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["appVersion"] == version
    controller = (ROOT / "manifests/controller.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"btcctl[-a-z]*:([0-9.]+)", controller)) == {version}
    assert f"app.kubernetes.io/version: {version}" in (ROOT / "manifests/Kustomization").read_text(encoding="utf-8")


def test_the_license_is_in_the_package() -> None:
    assert (CHART / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_no_value_is_a_password() -> None:
    assert [each.path for each in values() if "password" in each.path.lower()] == []
