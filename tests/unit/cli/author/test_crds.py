from __future__ import annotations

import pytest
import yaml

from btcctl.cli.main import main

MODULE = '''
import msgspec
from btcctl import CustomResource

class Spec(msgspec.Struct):
    """What is wanted."""
    size: int

class Thing(CustomResource[Spec, None], group="x.org", version="v1", plural="things"):
    pass

class OldThing(CustomResource[Spec, None], group="x.org", version="v1beta1", plural="things", kind="Thing"):
    pass
'''


@pytest.fixture
def module(tmp_path):
    path = tmp_path / "my_types.py"
    path.write_text(MODULE)
    return path


def test_the_definitions_of_a_module_are_printed(module, capsys):
    assert main(["crds", str(module)], {}) == 0
    [crd] = yaml.safe_load_all(capsys.readouterr().out)
    assert crd["metadata"]["name"] == "things.x.org"
    assert [(each["name"], each["storage"]) for each in crd["spec"]["versions"]] == [("v1", True), ("v1beta1", False)]


def test_a_module_is_found_by_its_name(capsys):
    assert main(["crds", "tests.unit.typed.databases"], {}) == 0
    assert "databases.pgdb.example.org" in capsys.readouterr().out


def test_a_file_that_says_the_same_is_right_however_it_is_written(module, tmp_path, capsys):
    main(["crds", str(module)], {})
    crd = yaml.safe_load(capsys.readouterr().out)
    file = tmp_path / "crds.yaml"
    file.write_text(yaml.safe_dump_all([{"kind": "Namespace"}, crd], sort_keys=True))
    assert main(["crds", str(module), "--check", str(file)], {}) == 0
    assert capsys.readouterr().out == ""


def test_a_file_that_says_something_else_is_out_of_date(module, tmp_path, capsys):
    main(["crds", str(module)], {})
    file = tmp_path / "crds.yaml"
    file.write_text(capsys.readouterr().out.replace("What is wanted.", "What was wanted."))
    assert main(["crds", str(module), "--check", str(file)], {}) == 1
    captured = capsys.readouterr()
    assert "-            description: What was wanted." in captured.out
    assert "is out of date" in captured.err


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = 1", "has no class that says which kind it is"),
        ("import nowhere_at_all", "cannot be imported: ModuleNotFoundError"),
        ("def", "cannot be imported: SyntaxError"),
        ("\nsize = sise", "cannot be imported: NameError: name 'sise' is not defined, in "),
        ("\nsize = sise", "bad.py, line 2"),
        (MODULE.replace('group="x.org"', 'group="x"'), "a definition needs a group with a dot in it"),
        (MODULE.replace("size: int", "size: int | list[int]"), "spec.size may be of several types"),
        (MODULE.replace("v1beta1", "v1"), "two classes are of version v1"),
    ],
)
def test_a_module_without_definitions_is_bad_usage(tmp_path, capsys, text, complaint):
    path = tmp_path / "bad.py"
    path.write_text(text)
    assert main(["crds", str(path)], {}) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("text", ["- 1", "a: [", "\udcff"])
def test_a_file_that_holds_no_objects_is_bad_usage(module, tmp_path, capsys, text):
    file = tmp_path / "crds.yaml"
    file.write_bytes(text.encode(errors="surrogateescape"))
    assert main(["crds", str(module), "--check", str(file)], {}) == 2
    assert str(file) in capsys.readouterr().err


def test_files_that_are_not_there_are_bad_usage(module, tmp_path, capsys):
    assert main(["crds", str(tmp_path / "no.py")], {}) == 2
    assert main(["crds", str(module), "--check", str(tmp_path / "no.yaml")], {}) == 2
    assert main(["crds", "no.such.module"], {}) == 2
    assert "Traceback" not in capsys.readouterr().err
