"""The history of a pod template."""

from __future__ import annotations

from typing import Any

from btcctl.sandbox.controllers.stateful.revisions import (
    build_revision,
    plan_history,
    surplus_revisions,
    template_hash,
    template_of,
)

TEMPLATE = {"metadata": {"labels": {"app": "net"}}, "spec": {"containers": [{"name": "c", "image": "one"}]}}
NEW_TEMPLATE = {**TEMPLATE, "spec": {"containers": [{"name": "c", "image": "two"}]}}


def stateful_set(template: dict[str, Any], current: str = "") -> dict[str, Any]:
    metadata = {"name": "net", "namespace": "ns", "uid": "set-uid"}
    return {"metadata": metadata, "spec": {"template": template}, "status": {"currentRevision": current}}


def revision(template: dict[str, Any], number: int) -> dict[str, Any]:
    return build_revision(stateful_set(template), number)


def test_a_new_set_gets_its_first_revision_which_is_current_and_wanted():
    history = plan_history(stateful_set(TEMPLATE), [])
    assert history.create
    assert history.update == history.current
    assert history.update["revision"] == 1


def test_a_settled_set_writes_nothing():
    existing = revision(TEMPLATE, 1)
    history = plan_history(stateful_set(TEMPLATE, existing["metadata"]["name"]), [existing])
    assert (history.create, history.renumber, history.update) == (False, False, existing)


def test_a_changed_template_gets_the_next_number_and_the_old_one_stays_current():
    old = revision(TEMPLATE, 4)
    history = plan_history(stateful_set(NEW_TEMPLATE, old["metadata"]["name"]), [old])
    assert history.create
    assert history.current == old
    assert history.update["revision"] == 5


def test_going_back_makes_the_old_revision_the_newest():
    old, new = revision(TEMPLATE, 1), revision(NEW_TEMPLATE, 2)
    history = plan_history(stateful_set(TEMPLATE, new["metadata"]["name"]), [old, new])
    assert history.renumber
    assert history.update == {**old, "revision": 3}
    assert history.current == new


def test_a_revision_gives_its_template_back():
    assert template_of(revision(TEMPLATE, 1)) == TEMPLATE


def test_the_order_of_keys_does_not_matter_and_the_content_does():
    turned = dict(reversed(TEMPLATE.items()))
    assert template_hash(turned) == template_hash(TEMPLATE)
    assert template_hash(NEW_TEMPLATE) != template_hash(TEMPLATE)
    assert set(template_hash(TEMPLATE)) <= set("bcdfghjklmnpqrstvwxz2456789")


def test_the_oldest_unused_revisions_are_surplus():
    history = [revision({"spec": {"n": number}}, number) for number in range(1, 6)]
    live = {history[0]["metadata"]["name"]}
    assert [each["revision"] for each in surplus_revisions(history, live, limit=2)] == [2, 3]
    assert surplus_revisions(history, live, limit=10) == []
