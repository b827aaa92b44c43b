"""docs/operator.md is an operator that works."""

from __future__ import annotations

from tests import pages


def test_the_operator_of_the_page_works(tmp_path, operator_env):
    page = pages.run("operator.md", tmp_path)
    env = operator_env(page.build, types=[page.Greeting])
    env.create(page.Greeting.named("a", page.GreetingSpec("Ada"), namespace="default"))
    assert env.get(page.ConfigMap, "a").data == {"text": "Hello, Ada!"}
    assert env.events("a") == ["Greeted"]
