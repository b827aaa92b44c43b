"""docs/crds.md is a program that runs."""

from __future__ import annotations

from btcctl.testing import FakeClient
from tests import pages


def test_the_page_makes_a_definition_that_a_server_takes(tmp_path, capsys):
    page = pages.run("crds.md", tmp_path)
    webs = FakeClient(types=[page.crd]).resource(page.Web, "default")
    made = webs.create(page.Web.named("a", page.WebSpec(ports=[page.Port("http", 80)])))
    assert made.spec.ports == [page.Port("http", 80)]
    assert "webs.web.example.org" in capsys.readouterr().out
