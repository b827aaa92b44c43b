from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from btcctl.informers.cache.indexer import Indexer
from btcctl.objects import Object, ObjectKey
from btcctl.testing import capture_logs
from tests.properties import effort
from tests.unit.informers.support import key, pod


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with capture_logs() as entries:
        yield entries


def words(obj: Object) -> list[str]:
    """An object is found under each word of its `spec`; one whose spec is not a list cannot be indexed."""
    spec = obj.body().get("spec", [])
    if spec == "poison":
        raise LookupError("poison")
    return spec


def names(objects: list[Object]) -> list[str]:
    return sorted(obj.name for obj in objects)


def test_put_and_delete_return_what_was_there():
    store = Indexer("pods")
    first = pod("a", 1)
    assert store.put(first) is None
    assert store.put(pod("a", 2)) is first
    assert store.delete(key("a")).resource_version == "2"
    assert store.delete(key("a")) is None
    assert store.get(key("a")) is None


def test_replace_returns_what_was_there_and_swaps_it_for_the_new():
    store = Indexer("pods", {"word": words})
    store.put(pod("a", 1, spec=["x"]))
    assert list(store.replace({key("b"): pod("b", 2, spec=["x"])})) == [key("a")]
    assert store.keys() == [key("b")]
    assert names(store.by_index("word", "x")) == ["b"]


def test_an_object_is_found_under_each_of_its_values_and_no_longer_under_old_ones():
    store = Indexer("pods", {"word": words})
    store.put(pod("a", 1, spec=["x", "y", "x"]))
    store.put(pod("b", 1, spec=["y"]))
    assert names(store.by_index("word", "y")) == ["a", "b"]
    store.put(pod("a", 2, spec=["z"]))
    assert (names(store.by_index("word", "x")), names(store.by_index("word", "y"))) == ([], ["b"])
    store.delete(key("b"))
    assert store.index_values("word") == ("z",)  # values that lead nowhere are forgotten


def test_an_index_may_come_late_and_only_once():
    store = Indexer("pods")
    store.put(pod("a", 1, spec=["x"]))
    store.add_index("word", words)
    store.add_index("word", words)
    assert names(store.by_index("word", "x")) == ["a"]
    with pytest.raises(ValueError, match="'word'"):
        store.add_index("word", lambda obj: [obj.name])


def test_asking_an_unknown_index_names_those_there_are():
    with pytest.raises(KeyError, match=r"no index 'nope', only \['word'\]"):
        Indexer("pods", {"word": words}).by_index("nope", "x")


def test_an_object_that_cannot_be_indexed_is_stored_and_indexed_when_it_has_changed(logged):
    store = Indexer("pods", {"word": words, "name": lambda obj: [obj.name]})
    store.put(pod("a", 1, spec=["x"]))
    store.put(pod("a", 2, spec="poison"))
    store.put(pod("a", 3, spec="poison"))
    assert store.get(key("a")).resource_version == "3"
    assert names(store.by_index("word", "x")) == []
    assert names(store.by_index("name", "a")) == ["a"]
    assert store.quarantined() == 1
    assert len(logged) == 1

    store.put(pod("a", 4, spec=["x"]))
    assert names(store.by_index("word", "x")) == ["a"]
    assert store.quarantined() == 0


def test_poison_in_a_list_keeps_nothing_else_from_being_indexed(logged):
    store = Indexer("pods", {"word": words})
    store.replace({key(n): pod(n, 1, spec=s) for n, s in {"a": ["x"], "b": "poison", "c": ["x"]}.items()})
    assert names(store.by_index("word", "x")) == ["a", "c"]
    store.replace({key("b"): pod("b", 1, spec="poison")})
    assert store.quarantined() == 1
    assert len(logged) == 1
    store.delete(key("b"))
    assert store.quarantined() == 0


@pytest.mark.parametrize("values", ["word", b"word", 7, [["unhashable"]], None])
def test_values_that_are_no_values_are_quarantined_too(values):
    store = Indexer("pods", {"odd": lambda obj: values})
    store.put(pod("a", 1))
    assert store.quarantined() == 1
    assert store.keys() == [key("a")]


@pytest.mark.parametrize(
    ("values", "type_"), [("worker-1", "str"), (b"worker-1", "bytes"), (7, "int"), (None, "NoneType")]
)
def test_an_index_function_that_returns_one_value_is_named_where_the_index_is_read(values, type_):
    def by_word(obj):
        return values if obj.name == "bad" else ["x"]

    words = rf"index 'word': .*by_word \({__file__}:\d+\) has returned a {type_}, not several values: \[value\]"
    store = Indexer("pods", {"word": by_word})
    store.put(pod("a", 1))
    assert names(store.by_index("word", "x")) == ["a"]
    store.put(pod("bad", 1))
    for read in (lambda: store.by_index("word", "x"), lambda: store.index_values("word")):
        with pytest.raises(TypeError, match=words) as caught:
            read()
        assert "worker-1" not in str(caught.value)  # it comes out of an object
    late = Indexer("pods")
    late.put(pod("bad", 1))
    with pytest.raises(TypeError, match=words):
        late.add_index("word", by_word)
    with pytest.raises(KeyError):
        late.by_index("word", "x")


def test_a_thousand_poisoned_objects_do_not_flood_the_log(logged):
    store = Indexer("pods", {"word": words})
    for number in range(100):
        store.put(pod(f"p{number}", 1, spec="poison"))
    assert store.quarantined() == 100
    assert len(logged) == 10


def test_an_index_function_may_use_the_store_it_indexes():
    store = Indexer("pods")
    store.put(pod("a", 1))
    store.add_index("others", lambda obj: [other.name for other in store.list() if other.key != obj.key])
    store.put(pod("b", 1))
    assert names(store.by_index("others", "a")) == ["b"]


def test_what_changes_while_an_index_is_built_is_indexed_as_it_is_in_the_end():
    store = Indexer("pods")
    store.put(pod("a", 1, spec=["old"]))
    store.put(pod("b", 1, spec=["gone"]))
    raced = []

    def racing(obj: Object) -> list[str]:
        if not raced:
            raced.append(obj)
            store.put(pod("a", 2, spec=["new"]))
            store.put(pod("c", 2, spec=["new"]))
            store.delete(key("b"))
        return words(obj)

    store.add_index("word", racing)
    assert (names(store.by_index("word", "new")), store.index_values("word")) == (["a", "c"], ("new",))


@pytest.mark.parametrize("way", ["put", "replace"])
def test_what_is_stored_while_an_index_appears_is_in_it(way):
    store = Indexer("pods")

    def appearing(obj: Object) -> list[str]:
        store.add_index("word", words)
        return [obj.name]

    store.add_index("name", appearing)
    obj = pod("a", 1, spec=["x"])
    store.put(obj) if way == "put" else store.replace({obj.key: obj})
    assert names(store.by_index("word", "x")) == ["a"]


keys = st.builds(ObjectKey, st.sampled_from(["one", "two"]), st.sampled_from("abc"))
specs = st.lists(st.sampled_from("xyz"), max_size=3) | st.just("poison")


class IndexerAgainstADict(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.logs = contextlib.ExitStack()
        self.logs.enter_context(capture_logs())  # tracebacks take longer than all the rest
        self.store = Indexer("pods", {"early": words})
        self.model: dict[ObjectKey, Object] = {}
        self.indices = {"early"}

    def teardown(self) -> None:
        self.logs.close()

    @rule(key=keys, spec=specs)
    def put(self, key: ObjectKey, spec: object) -> None:
        obj = pod(key.name, 1, namespace=key.namespace, spec=spec)
        assert self.store.put(obj) is self.model.get(key)
        self.model[key] = obj

    @rule(key=keys)
    def delete(self, key: ObjectKey) -> None:
        assert self.store.delete(key) is self.model.pop(key, None)

    @rule(specs=st.dictionaries(keys, specs))
    def replace(self, specs: dict[ObjectKey, object]) -> None:
        objects = {key: pod(key.name, 2, namespace=key.namespace, spec=spec) for key, spec in specs.items()}
        assert self.store.replace(dict(objects)) == self.model
        self.model = objects

    @rule(name=st.sampled_from(["late", "later"]))
    def add_index(self, name: str) -> None:
        self.store.add_index(name, words)
        self.indices.add(name)

    @invariant()
    def it_holds_the_same(self) -> None:
        assert {obj.key: obj for obj in self.store.list()} == self.model
        assert sorted(self.store.keys()) == sorted(self.model)
        assert len(self.store) == len(self.model)

    @invariant()
    def its_indices_find_the_same(self) -> None:
        specs = {key: obj.body()["spec"] for key, obj in self.model.items()}
        for name in self.indices:
            for value in "xyz":
                wanted = sorted(key for key, spec in specs.items() if spec != "poison" and value in spec)
                assert sorted(obj.key for obj in self.store.by_index(name, value)) == wanted
        assert self.store.quarantined() == len(self.indices) * list(specs.values()).count("poison")


TestIndexerAgainstADict = IndexerAgainstADict.TestCase
TestIndexerAgainstADict.settings = effort(40)


class Grade:
    """A value of a program's own, which compares as it likes."""

    def __eq__(self, other: object) -> bool:
        raise SystemExit("compared")

    __hash__ = object.__hash__


class Letter(StrEnum):
    A = "a"


def test_values_that_are_compared_by_foreign_code_leave_their_object_out():
    indexer = Indexer("pods", {"grade": lambda obj: [Grade()] if obj.name == "odd" else ["a"]})  # type: ignore[list-item]
    for version in (1, 2):
        indexer.put(pod("odd", version))
        indexer.put(pod("good", version))
    assert [each.name for each in indexer.by_index("grade", "a")] == ["good"]
    assert indexer.get(key("odd")) is not None


def test_a_value_that_is_a_text_of_another_class_is_found_by_its_text():
    indexer = Indexer("pods", {"letter": lambda _: [Letter.A]})
    indexer.put(pod("one", 1))
    assert [type(each) for each in indexer.index_values("letter")] == [str]


class Shelf:
    def index(self, obj: Object) -> list[str]:
        return [obj.name]


def test_a_method_is_the_same_index_however_often_it_is_added():
    indexer, shelf = Indexer("pods"), Shelf()
    indexer.add_index("name", shelf.index)
    indexer.add_index("name", shelf.index)
    with pytest.raises(ValueError, match="another index"):
        indexer.add_index("name", Shelf().index)
