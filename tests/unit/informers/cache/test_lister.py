from __future__ import annotations

from btcctl.informers.cache.indexer import Indexer
from btcctl.informers.cache.lister import Lister
from btcctl.objects import Object
from tests.deep import DEEP
from tests.unit.informers.support import key, pod


def lister() -> Lister:
    store = Indexer("pods", {"name": lambda obj: [obj.name]})
    for obj in (pod("a", 1, namespace="one"), pod("b", 2, namespace="one"), pod("a", 3, namespace="two")):
        store.put(obj)
    return Lister(store)


def test_an_object_is_found_by_its_key():
    assert lister().get(key("a", "two")).resource_version == "3"
    assert lister().get(key("a", "three")) is None


def test_one_namespace_or_all_of_them_are_listed():
    assert [obj.resource_version for obj in lister().list("one")] == ["1", "2"]
    assert [obj.resource_version for obj in lister().list()] == ["1", "2", "3"]
    assert lister().list("three") == []


def test_namespaces_listed_before_stay_up_to_date():
    store = Indexer("pods")
    reader = Lister(store)
    assert reader.list("one") == []
    store.put(pod("a", 1, namespace="one"))
    assert [obj.name for obj in reader.list("one")] == ["a"]


def test_indices_are_asked_by_name():
    assert [str(obj.key) for obj in lister().by_index("name", "a")] == ["one/a", "two/a"]


def test_it_knows_how_many_and_which_keys():
    assert len(lister()) == 3
    assert lister().keys() == [key("a", "one"), key("b", "one"), key("a", "two")]


def test_a_list_is_the_callers_own():
    reader = lister()
    reader.list().clear()
    reader.keys().clear()
    assert len(reader.list()) == len(reader.keys()) == 3


def labelled(name: str, app: str, namespace: str = "one") -> Object:
    metadata = {"name": name, "namespace": namespace, "labels": {"app": app}}
    return Object.from_body({"metadata": metadata})


def test_labels_select_in_one_namespace_and_in_all():
    store = Indexer("pods")
    for obj in (labelled("a", "web"), labelled("b", "db"), labelled("c", "web", "two")):
        store.put(obj)
    reader = Lister(store)
    assert [obj.name for obj in reader.list(selector="app=web")] == ["a", "c"]
    assert [obj.name for obj in reader.list("one", selector="app!=web")] == ["b"]


def test_an_object_nested_too_deep_is_selected_like_any_other():
    store = Indexer("pods")
    raw = b'{"metadata":{"name":"deep","labels":{"app":"web"}},"spec":' + DEEP + b"}"
    for obj in (Object(pod("deep", 1).meta, raw), labelled("a", "web"), labelled("b", "db")):
        store.put(obj)
    assert sorted(obj.name for obj in Lister(store).list(selector="app=web")) == ["a", "deep"]
