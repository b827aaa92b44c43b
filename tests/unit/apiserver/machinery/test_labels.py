from __future__ import annotations

import pytest

from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.machinery.labels import matches_selector, parse_labels, selector_text

LABELS = {"app": "a", "size": "5", "word": "x"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("app=a", True), ("app==b", False), ("app!=a", False), ("none!=a", True), ("app in (a,b)", True),
        ("app notin (a)", False), ("none notin (a)", True), ("app", True), ("none", False), ("!app", False),
        ("!none", True), ("size>4", True), ("size>5", False), ("size<6", True), ("size<5", False), ("word>1", False),
        ("none<1", False), ("app=a,size>9", False), ("app in (,a)", True), ("none in ()", False),
    ],
)  # fmt: skip
def test_a_selector_matches_as_kubectl_says_it(text, matches):
    assert all(each.matches(LABELS) for each in parse_labels(text)) is matches


@pytest.mark.parametrize("text", ["a b", "a=(", "a in b", "a in (b", "=a", ",", "a,", "a>x", "a==b c", "-a=b", "a=b="])
def test_what_is_no_selector_is_refused(text):
    with pytest.raises(StatusError) as caught:
        parse_labels(text)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "a", "size": "6"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]}, False),
        ({"matchExpressions": [{"key": "none", "operator": "DoesNotExist"}]}, True),
    ],
)
def test_a_selector_of_an_object_matches_all_that_it_says(selector, matches):
    assert matches_selector(selector, LABELS) is matches


def test_a_selector_can_be_written_as_a_query():
    expressions = [{"key": "b", "operator": "In", "values": ["y", "x"]}, {"key": "c", "operator": "DoesNotExist"}]
    assert selector_text({"matchLabels": {"a": "1"}, "matchExpressions": expressions}) == "a=1,b in (x,y),!c"
