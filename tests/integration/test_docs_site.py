"""The site of docs/ can be built without a warning, and read without a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
LOADED = re.compile(r"""<(?:script|img|link|iframe|source)\b[^>]*?\b(?:src|href)=["']((?:https?:)?//[^"']+)""")


def build(source: Path, site: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going", "-b", "html"]
    options = ["-c", DOCS, source, site]
    env = {**os.environ, **environ}
    return subprocess.run([*command, *options], capture_output=True, text=True, timeout=1100, env=env, check=False)


@pytest.mark.timeout(1200)
def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path):
    done = build(DOCS, tmp_path)
    assert done.returncode == 0, done.stderr
    pages = [*tmp_path.rglob("*.html")]
    assert len(pages) > 40
    assert {each for page in pages for each in LOADED.findall(page.read_text())} == set()
    index = (tmp_path / "searchindex.js").read_text()  # is loaded as a script: from a disk, too
    assert index.startswith("Search.setIndex(")
    assert all(word in index for word in ("reflector", "conformance", "ItemExponentialRateLimiter"))


@pytest.mark.timeout(1200)
def test_a_link_that_leads_nowhere_and_a_name_without_docstring_are_errors(tmp_path: Path):
    source = tmp_path / "docs"
    source.mkdir()
    (tmp_path / "silent.py").write_text("def says_nothing(): ...\n")
    (source / "index.md").write_text(
        "# Page\n\n[there](missing.md)\n\n```{eval-rst}\n.. autofunction:: silent.says_nothing\n```\n"
    )
    done = build(source, tmp_path / "site", PYTHONPATH=str(tmp_path))
    assert done.returncode != 0
    assert "missing.md" in done.stderr
    assert "function silent.says_nothing has no docstring" in done.stderr
