from __future__ import annotations

import pytest

from btcctl import ConfigError
from btcctl.crds.definition import to_yaml
from btcctl.crds.modules import crds_in
from btcctl.testing import assert_crds
from tests.unit.typed import databases


def test_a_manifest_that_was_made_of_the_module_is_right(tmp_path):
    manifest = tmp_path / "crds.yaml"
    manifest.write_text(to_yaml(crds_in(databases)))
    assert_crds(manifest, databases)


def test_a_manifest_that_says_something_else_fails_with_the_difference_and_the_way_to_mend_it(tmp_path):
    manifest = tmp_path / "crds.yaml"
    manifest.write_text(to_yaml(crds_in(databases)).replace("maximum: 9", "maximum: 10"))
    with pytest.raises(AssertionError) as raised:
        assert_crds(str(manifest), databases)
    said = str(raised.value)
    assert f"btcctl crds tests.unit.typed.databases > {manifest}" in said
    assert "-                maximum: 10" in said
    assert "+                maximum: 9" in said


def test_a_manifest_that_is_not_there_is_no_assertion(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        assert_crds(tmp_path / "crds.yaml", databases)
