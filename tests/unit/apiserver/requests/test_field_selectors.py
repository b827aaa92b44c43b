"""Label and field selectors."""

from __future__ import annotations

import pytest

from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.machinery.labels import matches_selector, selector_text
from btcctl.apiserver.requests.field_selectors import parse_labels, select
from tests.unit.apiserver.calls import CONFIG_MAPS, PODS, THINGS, pod, thing


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        ("app=x", {"app": "x"}, True),
        ("app==x", {"app": "y"}, False),
        ("app!=x", {"app": "y"}, True),
        ("app!=x", {}, True),
        ("app", {"app": ""}, True),
        ("!app", {}, True),
        ("! app", {"app": "x"}, False),
        ("app in (x, y)", {"app": "y"}, True),
        ("app in (x,y)", {}, False),
        ("app notin (x)", {}, True),
        ("app in ()", {"app": ""}, True),
        ("app=x,idx=1", {"app": "x", "idx": "2"}, False),
        ("idx>3", {"idx": "4"}, True),
        ("idx>3", {"idx": "3"}, False),
        ("idx<3", {"idx": "x"}, False),
        ("app=", {"app": ""}, True),
        ("app=", {"app": "x"}, False),
        ("example.org/app = x", {"example.org/app": "x"}, True),
        ("", {}, True),
    ],
)
def test_label_selectors_match(selector, labels, expected):
    assert all(each.matches(labels) for each in parse_labels(selector)) is expected


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("app in (x", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("app in x", "unable to parse requirement: found 'x' expected: '('"),
        ("a b=c", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("=x", "found '=', expected: !, identifier, or 'end of string'"),
        ("app=x,,", "found ',', expected: identifier after ','"),
        ("app=x,", "found '', expected: identifier after ','"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("a>x", "the value must be an integer"),
    ],
)
def test_wrong_syntax_is_400_in_a_real_servers_words(selector, message):
    with pytest.raises(StatusError) as caught:
        parse_labels(selector)
    assert (caught.value.status, message in caught.value.message) == (400, True)


@pytest.mark.parametrize(
    ("path", "selector", "message"),
    [
        (THINGS, "spec.size=1", "field label not supported: spec.size"),
        (PODS, "spec.foo=x", "field label not supported: spec.foo"),
        (CONFIG_MAPS, "data.k=v", '"data.k" is not a known field selector: only "metadata.name", "metadata.namespace"'),
        (THINGS, "bad", "invalid selector: 'bad'; can't understand 'bad'"),
    ],
)
def test_a_field_that_cannot_be_selected_by_is_400(server, path, selector, message):
    answer = server.get(path, fieldSelector=selector)
    assert (answer.status, answer.message) == (400, message)


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("metadata.name=a", ["a"]),
        ("metadata.name!=a", ["b"]),
        ("metadata.namespace==default", ["a", "b"]),
        ("spec.color=green", ["b"]),
        ("metadata.name=b,spec.color=red", []),
        ("", ["a", "b"]),
        (r"metadata.name!=a\,b", ["a", "b"]),
    ],
)
def test_field_selectors_match(server, selector, names):
    server.created(THINGS, thing("a"))
    server.created(THINGS, thing("b", color="green"))
    assert server.get(THINGS, fieldSelector=selector).names == names


def test_what_is_in_another_namespace_is_not_selected(server):
    served = server.api.registry.find("", "v1", "configmaps")
    body = server.created(CONFIG_MAPS, {"metadata": {"name": "a"}})
    assert [select(served, each, "", "")(body) for each in ("default", "", "other")] == [True, True, False]


def test_pods_are_selected_by_where_they_run(server):
    server.created(PODS, pod("a"))
    server.created(PODS, pod("b", nodeName="n1"))
    assert server.get(PODS, fieldSelector="spec.nodeName=").names == ["a"]
    assert server.get(PODS, fieldSelector="spec.nodeName=n1,status.phase!=Failed").names == ["b"]


SELECTOR = {
    "matchLabels": {"b": "2", "a": "1"},
    "matchExpressions": [
        {"key": "t", "operator": "In", "values": ["y", "x"]},
        {"key": "e", "operator": "Exists"},
        {"key": "n", "operator": "DoesNotExist"},
        {"key": "o", "operator": "NotIn", "values": ["z"]},
    ],
}


def test_an_objects_own_selector_matches_and_reads_like_a_query():
    labels = {"a": "1", "b": "2", "t": "x", "e": ""}
    assert matches_selector(SELECTOR, labels)
    assert not matches_selector(SELECTOR, {**labels, "n": ""})
    assert not matches_selector(None, labels)
    assert matches_selector({}, {})
    assert selector_text(SELECTOR) == "a=1,b=2,t in (x,y),e,!n,o notin (z)"
