from __future__ import annotations

import pytest

from btcctl.informers.cache.selectors import parse_selector

LABELS = {"app": "web", "tier": "front", "example.org/size": "10", "empty": ""}


@pytest.mark.parametrize(
    "selector",
    [
        "",
        "app",
        "app=web",
        "app==web",
        " app = web , tier ",
        "app!=db",
        "none!=db",
        "!none",
        "app in (db, web)",
        "app notin (db)",
        "none notin (db)",
        "example.org/size>9,example.org/size<11",
        "empty=",
        "empty in ()",
        "tier in (front),app in (web)",
    ],
)
def test_labels_that_fit_are_selected(selector):
    assert parse_selector(selector)(LABELS)


@pytest.mark.parametrize(
    "selector",
    [
        "none",
        "app=db",
        "app=web,tier=back",
        "app!=web",
        "!app",
        "app in (db)",
        "none in (db)",
        "app notin (db,web)",
        "example.org/size>10",
        "example.org/size<10",
        "app>1",
        "none>1",
        "app=",
    ],
)
def test_labels_that_do_not_fit_are_not(selector):
    assert not parse_selector(selector)(LABELS)


@pytest.mark.parametrize(
    "selector", ["=web", "app=web,", ",", "app in web", "app in (web", "app = web tier", "a b", "app>many", "!", "app!"]
)
def test_what_is_no_selector_is_refused(selector):
    with pytest.raises(ValueError, match="is no"):
        parse_selector(selector)


def test_a_label_may_be_called_like_an_operator():
    assert parse_selector("in,notin=x")({"in": "", "notin": "x"})
