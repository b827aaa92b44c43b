"""docs/async.md is a program that works."""

from __future__ import annotations

import pytest

from btcctl import Object, ObjectKey
from tests import pages


@pytest.fixture
def page(tmp_path):
    return pages.run("async.md", tmp_path)


def test_the_coroutine_of_the_page_works(page, operator_env):
    env = operator_env(page.build, types=[page.Site])
    env.create(page.Site.named("a", page.SiteSpec("https://a"), namespace="default"))
    assert env.get(page.Site, "a").status == page.SiteStatus(up=True)
    assert env.clock.now() >= 0.5


def test_the_timer_daemon_and_computation_of_the_page_can_be_built(page, operator_env):
    site = page.Site.named("a", page.SiteSpec("https://a"), namespace="default")
    for build in (page.build_backups, page.build_followers, page.build_plans):
        env = operator_env(build, types=[page.Site], objects=[site])
        env.advance(100.0)
        assert env.key("a").result in {"success", "requeue_after"}


def test_what_differs_is_printed(page, capsys):
    key = ObjectKey("default", "a")
    bodies = [{"metadata": {"name": key.name}, "spec": {"url": url}} for url in ("http://a", "https://a")]
    page.on_update(*map(Object.from_body, bodies))
    assert capsys.readouterr().out == "('spec', 'url') http://a https://a\n"
