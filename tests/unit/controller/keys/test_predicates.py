"""Which changes are worth a reconcile."""

from __future__ import annotations

import pytest

from btcctl.controller.keys.predicates import (
    all_of,
    any_of,
    generation_changed,
    has_label,
    labels_changed,
    not_,
    resource_version_changed,
)
from tests.unit.controller.support import new_object

BEFORE = new_object("a", uid="u1", generation=1, resourceVersion="10", labels={"app": "x"})
STATUS_CHANGED = new_object("a", uid="u1", generation=1, resourceVersion="11", labels={"app": "x"})
RELABELLED = new_object("a", uid="u1", generation=1, resourceVersion="12", labels={"app": "y"})
SPEC_CHANGED = new_object("a", uid="u1", generation=2, resourceVersion="13", labels={"app": "x"})
MADE_ANEW = new_object("a", uid="u2", generation=1, resourceVersion="14", labels={"app": "x"})


@pytest.mark.parametrize(
    ("predicate", "passes"),
    [
        (resource_version_changed, [STATUS_CHANGED, RELABELLED, SPEC_CHANGED, MADE_ANEW]),
        (generation_changed, [SPEC_CHANGED, MADE_ANEW]),
        (labels_changed, [RELABELLED]),
        (any_of(generation_changed, labels_changed), [RELABELLED, SPEC_CHANGED, MADE_ANEW]),
        (all_of(resource_version_changed, not_(generation_changed)), [STATUS_CHANGED, RELABELLED]),
    ],
)
def test_a_predicate_passes_these_changes_and_no_others(predicate, passes):
    changes = [BEFORE, STATUS_CHANGED, RELABELLED, SPEC_CHANGED, MADE_ANEW]
    assert [new for new in changes if predicate(BEFORE, new)] == passes


def test_of_a_kind_without_generation_no_change_is_swallowed():
    before, after = new_object("a", uid="u1", resourceVersion="10"), new_object("a", uid="u1", resourceVersion="11")
    assert generation_changed(before, after)
    assert not generation_changed(after, after)


@pytest.mark.parametrize("predicate", [generation_changed, resource_version_changed, labels_changed])
def test_additions_and_deletions_always_pass(predicate):
    assert predicate(None, BEFORE)
    assert predicate(BEFORE, None)


def test_a_label_counts_before_and_after_the_change():
    labelled, plain = new_object("a", labels={"network": "n"}), new_object("a")
    wanted = has_label("network")
    assert wanted(labelled, plain)
    assert wanted(None, labelled)
    assert not wanted(plain, None)
