from __future__ import annotations

import types

import msgspec
import pytest

from btcctl import DEPLOYMENTS, CustomResource, ResourceType, Rule, Scale, TypedKind, TypedObject
from btcctl.typed.kinds import definition_of, kind_of, type_of
from tests.unit.typed.databases import Database, DatabaseSpec, DatabaseStatus, Storage, database


def test_a_class_says_which_kind_it_is():
    assert type_of(Database) == ResourceType("pgdb.example.org", "v1", "databases", "Database")
    assert definition_of(Database).short_names == ("db",)
    assert definition_of(Database).columns["Phase"].path == ".status.phase"


def test_a_class_of_a_kind_that_exists_is_given_its_type():
    class Deployment(TypedObject, resource=DEPLOYMENTS):
        spec: dict[str, int]

    assert type_of(Deployment) is DEPLOYMENTS


def test_a_subclass_is_another_kind_and_inherits_no_words():
    class Special(Database):
        pass

    with pytest.raises(TypeError, match="Special does not say which kind it is"):
        type_of(Special)


@pytest.mark.parametrize("kind", [int, "databases", CustomResource, None])
def test_what_says_no_kind_is_refused(kind):
    with pytest.raises(TypeError, match="kind"):
        type_of(kind)


def test_a_class_that_msgspec_cannot_decode_is_refused_at_once():
    class Odd(msgspec.Struct):
        either: Storage | DatabaseSpec

    with pytest.raises(TypeError, match="union"):
        TypedKind(DEPLOYMENTS, Odd)
    assert kind_of(TypedKind(DEPLOYMENTS, dict)).type is DEPLOYMENTS


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"group": "x.org", "version": "v1"}, "Bad: plural is missing"),
        ({"group": "x.org", "plural": "bads"}, "Bad: version is missing"),
        ({"group": "x_y", "version": "v1", "plural": "bads"}, "Bad: group='x_y' cannot be one"),
        ({"group": "x.org", "version": "V1", "plural": "bads"}, "Bad: version='V1' cannot be one"),
        ({"group": "x.org", "version": 1, "plural": "bads"}, "Bad: version is of type int"),
        (
            {"group": "x.org", "version": "v1", "plural": "bads", "short_names": "b"},
            r"Bad: short_names is 'b'.*\('b',\)",
        ),
        (
            {"group": "x.org", "version": "v1", "plural": "bads", "columns": {"A": "spec"}},
            "must be like '.status.phase'",
        ),
        ({"group": "x.org", "version": "v1", "plural": "bads", "columns": {"A": 1}}, "column 'A' is of type int"),
        ({"group": "x.org", "version": "v1", "plural": "bads", "colums": {}}, "colums"),
    ],
)
def test_a_class_statement_that_cannot_be_right_is_refused_where_it_stands(words, complaint):
    with pytest.raises((TypeError, ValueError), match=complaint):
        types.new_class("Bad", (CustomResource[DatabaseSpec, None],), words)


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ({"scope": "Cluster"}, "Bad: a class statement knows no scope=, but group, version, plural, kind, namespaced"),
        ({"namespaced": "Cluster"}, "Bad: namespaced='Cluster' cannot be: it looks like namespaced=False"),
        ({"columns": ["A"]}, "Bad: columns=.* cannot be: it looks like columns={'Phase'"),
        ({"scale": ".spec.replicas"}, "Bad: scale=.* cannot be: it looks like scale=Scale"),
        ({"rules": "self.a"}, "Bad: rules has to be several Rules, or texts"),
        ({"rules": Rule("self.a")}, "Bad: rules has to be several Rules, or texts"),
        ({"rules": (1,)}, "Bad: rules has to be several Rules, or texts"),
    ],
)
def test_a_word_of_the_wrong_kind_is_refused_by_name(word, complaint):
    with pytest.raises(TypeError, match=complaint):
        types.new_class(
            "Bad", (CustomResource[DatabaseSpec, None],), {"group": "x.org", "version": "v1", "plural": "bads", **word}
        )


def test_rules_may_be_texts_and_scales_have_paths_in_spec_and_status():
    words = {"group": "x.org", "version": "v1", "plural": "goods", "rules": ["self.spec.replicas > 0"]}
    assert definition_of(types.new_class("Good", (CustomResource[DatabaseSpec, None],), words)).rules == (
        Rule("self.spec.replicas > 0"),
    )
    for paths in ((".replicas", ".status.ready"), (".spec.replicas", ".spec.replicas"), ("spec.a", ".status.b")):
        with pytest.raises(ValueError, match="a scale has paths such as"):
            Scale(*paths)


@pytest.mark.parametrize("rule", [{"rule": " "}, {"rule": "self.a\n== 1"}])
def test_a_rule_that_the_server_would_refuse_is_refused_at_once(rule):
    with pytest.raises(ValueError, match="rule"):
        Rule(**rule)


def test_an_object_knows_its_key_and_equals_another_that_says_the_same():
    assert str(database().key) == "default/a"
    assert database() == database()
    assert database(replicas=2) != database()


def test_a_status_may_be_of_another_library_and_a_kind_may_have_none():
    class Plain(CustomResource[DatabaseSpec, None], group="x.org", version="v1", plural="plains"):
        pass

    assert Plain.named("a", DatabaseSpec(engine="mysql")).status is None
    found = msgspec.convert({"spec": {"engine": "mysql"}, "status": {"ready": 1}}, Database)
    assert found.status == DatabaseStatus(ready=1)
