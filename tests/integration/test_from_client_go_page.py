"""The controller of docs/from-client-go.md runs, and has types."""

from __future__ import annotations

import pytest

from btcctl import CONFIG_MAPS, ObjectKey
from btcctl.testing import FakeClient
from tests import pages
from tests.integration.support import eventually
from tests.types_of import mypy


def test_the_controller_of_the_page_says_what_there_is_and_what_is_gone(tmp_path, capsys):
    client = FakeClient()
    manager = pages.run("from-client-go.md", tmp_path).build(client)
    maps, said = client.resource(CONFIG_MAPS, "default"), []

    def is_said(line: str) -> bool:
        said.extend(capsys.readouterr().out.splitlines())
        return line in said

    maps.create({"metadata": {"name": "a", "labels": {"x": "y"}}})
    manager.start()
    try:
        eventually(lambda: is_said("default/a has labels {'x': 'y'}"))
        maps.delete(ObjectKey("default", "a"))
        eventually(lambda: is_said("default/a is gone"))
    finally:
        manager.stop()


@pytest.mark.timeout(600)
def test_the_controller_of_the_page_has_types(tmp_path):
    (tmp_path / "program.py").write_text("\n".join(pages.blocks("from-client-go.md")))
    done = mypy(tmp_path, "--strict", "--config-file=", "program.py")
    assert done.returncode == 0, done.stdout
