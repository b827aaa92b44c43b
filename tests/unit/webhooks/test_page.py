"""docs/webhooks.md is an operator that works."""

from __future__ import annotations

from tests import pages


def test_the_test_of_the_page_passes(tmp_path, operator_env):
    page = pages.run("webhooks.md", tmp_path)
    page.test_a_volume_has_a_class_and_a_known_size(operator_env)
    assert list(page.size_is_known(page.Admission(page.Volume.named("a", page.VolumeSpec("1Gi"))))) == []
