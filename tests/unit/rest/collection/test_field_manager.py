from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS
from btcctl.rest.client import ApiClient
from btcctl.rest.collection.field_manager import program_name
from btcctl.testing import FakeClient
from tests.unit.rest.fakes import ScriptedTransport, answer

A = ObjectKey("default", "a")


@pytest.fixture(autouse=True)
def forgotten():
    program_name.cache_clear()
    yield
    program_name.cache_clear()


@pytest.mark.parametrize(
    ("argv0", "spec", "name"),
    [
        ("/usr/bin/my-operator", None, "my-operator"),
        ("operator.py", None, "operator"),
        ("/app/pkg/__main__.py", "pkg.__main__", "pkg"),
        ("/app/pkg/__main__.py", None, "pkg"),
        ("/app/tool.py", "pkg.tool", "pkg.tool"),
        ("-c", None, "python"),
        ("", None, "python"),
        ("/x/" + "n" * 300, None, "n" * 128),
        ("/x/böse\n", None, "bse"),
        ("/opt/опер атор", None, "python"),
        ("/opt/опер x", None, "x"),
    ],
)
def test_the_default_field_manager_is_the_name_of_the_program(monkeypatch, argv0, spec, name):
    main = SimpleNamespace(__spec__=SimpleNamespace(name=spec) if spec else None)
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setattr(sys, "argv", [argv0])
    assert ApiClient(ScriptedTransport()).field_manager == name


def test_a_module_that_is_run_gives_its_name(tmp_path):
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__main__.py").write_text(
        "from btcctl.rest.collection.field_manager import program_name; print(program_name())"
    )
    done = subprocess.run([sys.executable, "-m", "pkg"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "pkg\n"


@pytest.mark.parametrize("name", ["", "n" * 129, "é" * 65, "a\nb", "\udc80", 7])
def test_a_name_that_no_server_takes_is_refused(name):
    with pytest.raises(ValueError, match="field manager"):
        ApiClient(ScriptedTransport(), field_manager=name)
    client = FakeClient(field_manager="me").resource(CONFIG_MAPS, "default")
    if name != "":
        with pytest.raises(ValueError, match="field manager"):
            client.apply({"metadata": {"name": "a"}}, field_manager=name)


def test_an_apply_without_a_chosen_field_manager_is_refused_before_anything_is_sent():
    client = FakeClient()
    with pytest.raises(ValueError, match="field_manager='my-operator'"):
        client.resource(CONFIG_MAPS, "default").apply({"metadata": {"name": "a"}})
    assert client.actions == []
    assert client.resource(CONFIG_MAPS, "default").apply({"metadata": {"name": "a"}}, field_manager="me").key == A


def test_a_client_takes_it_once_for_all_writes():
    transport = ScriptedTransport(answer({"metadata": {"name": "a"}}))
    ApiClient(transport, field_manager="mine").resource(CONFIG_MAPS, "default").create({"metadata": {"name": "a"}})
    assert transport.last.query == {"fieldManager": "mine"}
