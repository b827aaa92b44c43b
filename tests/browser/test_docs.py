"""The site of docs/, read from a disk by a browser without a network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.timeout(1200)
def test_the_site_is_searched_and_read_without_a_network(browser: Browser, tmp_path: Path):
    command = [sys.executable, "-m", "sphinx", "--quiet", "-b", "html", DOCS, tmp_path]
    subprocess.run(command, check=True, timeout=1100)
    context = browser.new_context(offline=True)
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "search.html").as_uri() + "?q=quarantined")
    page.get_by_role("link", name="The toolkit, stage by stage").first.click()
    expect(page.get_by_role("heading", name="The toolkit, stage by stage")).to_be_visible()
    assert [each for each in asked if not each.startswith("file://")] == []
    context.close()
