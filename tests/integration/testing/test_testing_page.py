"""The blocks of docs/testing.md are an operator and its tests, which pass for a project that is not ours."""

from __future__ import annotations

import subprocess
import sys

from tests import pages


def test_the_page_passes(tmp_path):
    (tmp_path / "test_page.py").write_text("\n".join(pages.blocks("testing.md")))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "btcctl.testing.pytest_plugin"]
    done = subprocess.run(
        [*command, "-k", "not real", str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "4 passed, 1 deselected" in done.stdout, done.stdout + done.stderr
