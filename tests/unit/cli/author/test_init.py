from __future__ import annotations

import pytest

from btcctl.cli.author.init import Project
from btcctl.cli.main import main


@pytest.mark.parametrize(
    ("kind", "plural"),
    [("Database", "databases"), ("Policy", "policies"), ("Key", "keys"), ("Proxy", "proxies"), ("Bus", "buses")],
)
def test_a_plural_is_made_of_the_kind(kind, plural):
    assert Project("mine", kind, "x.org").plural == plural


def test_a_project_has_all_that_an_operator_needs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "my-db", "--kind", "Database", "--group", "db.example.org"], {}) == 0
    made = {str(each.relative_to(tmp_path / "my-db")) for each in (tmp_path / "my-db").rglob("*") if each.is_file()}
    assert {
        "my_db/types.py",
        "manifests/crds.yaml",
        "chart/templates/deployment.yaml",
        "tests/test_operator.py",
        ".github/workflows/ci.yaml",
    } <= made
    assert "name: databases.db.example.org" in (tmp_path / "my-db/manifests/crds.yaml").read_text()
    assert "24 files in my-db/" in capsys.readouterr().out


def test_what_is_there_is_never_overwritten(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    assert main(["init", "mine"], {}) == 2
    assert "mine is there already: nothing was written" in capsys.readouterr().err
    assert [*(tmp_path / "mine").iterdir()] == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["My_Op"], "'My_Op' is no name of an operator: it looks like my-operator"),
        (["mine", "--kind", "database"], "'database' is no kind"),
        (["mine", "--group", "db"], "'db' is no group"),
        (["../mine"], "'../mine' is no name"),
        (["operator"], "'operator' would be imported in place of another module of this name"),
        (["class"], "'class' would be imported"),
        (["tests"], "'tests' would be imported"),
        (["btcctl"], "'btcctl' would be imported"),
        (["app"], "'App' means something else in the project's code: choose another --kind"),
        (["mine", "--kind", "ConfigMap"], "'ConfigMap' means something else"),
        (["mine", "--kind", "None"], "'None' means something else"),
    ],
)
def test_what_cannot_be_a_name_is_bad_usage(tmp_path, monkeypatch, capsys, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    assert main(["init", *arguments], {}) == 2
    assert complaint in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []
