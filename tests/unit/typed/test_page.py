"""docs/types.md is a program that runs."""

from __future__ import annotations

from btcctl import ResourceType
from btcctl.testing import FakeClient
from tests import pages

DATABASES = ResourceType("db.example.org", "v1", "databases", "Database")


def test_the_page_does_what_it_says(tmp_path):
    client = FakeClient(types=[DATABASES], field_manager="page")
    page = pages.run("types.md", tmp_path, client=client)
    page.reconcile(page.ObjectKey("default", "b"))
    stored = client.resource(DATABASES).get(page.ObjectKey("default", "a")).body()
    assert stored["spec"]["replicas"] == 2
    assert "storageClass" not in stored["spec"]
    page.controller.stop()
