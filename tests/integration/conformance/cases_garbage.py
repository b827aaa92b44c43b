"""Owners and dependents."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    FINALIZER,
    SECRETS,
    WIDGETS,
    config_map,
    define_widgets,
    owner,
    secret,
    widget,
)

_COLLECTED_SECONDS = 60.0  # a real collector looks for new kinds every 30 s


def _owned(name: str, *owners: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    body = secret(name)
    return {**body, "metadata": {"name": name, "ownerReferences": list(owners), **metadata}}


def _gone(talk: Talk, path: str) -> None:
    talk.eventually(lambda: talk.get(path).status == 404, _COLLECTED_SECONDS)
    talk.get(path)


@case("garbage")
def dependents_follow_their_owner_in_the_background(talk: Talk) -> None:
    first = talk.post(CONFIG_MAPS, config_map()).body
    talk.post(SECRETS, _owned("one", owner(first)))
    talk.delete(f"{CONFIG_MAPS}/a")
    talk.get(f"{CONFIG_MAPS}/a")
    _gone(talk, f"{SECRETS}/one")


@case("garbage")
def custom_resources_own_and_are_owned(talk: Talk) -> None:
    define_widgets(talk)
    first = talk.post(WIDGETS, widget()).body
    second = talk.post(WIDGETS, widget("b", ownerReferences=[owner(first, controller=True)])).body
    talk.post(SECRETS, _owned("one", owner(second)))
    talk.delete(f"{WIDGETS}/a", {"propagationPolicy": "Background"})
    _gone(talk, f"{WIDGETS}/b")
    _gone(talk, f"{SECRETS}/one")


@case("garbage")
def in_the_foreground_dependents_go_first(talk: Talk) -> None:
    first = talk.post(CONFIG_MAPS, config_map()).body
    talk.post(SECRETS, _owned("one", owner(first, blockOwnerDeletion=True), finalizers=[FINALIZER]))
    talk.delete(f"{CONFIG_MAPS}/a", {"propagationPolicy": "Foreground"})
    talk.eventually(lambda: "deletionTimestamp" in talk.get(f"{SECRETS}/one").body["metadata"])
    talk.get(f"{SECRETS}/one")
    talk.get(f"{CONFIG_MAPS}/a")
    talk.patch(f"{SECRETS}/one", {"metadata": {"finalizers": None}})
    _gone(talk, f"{SECRETS}/one")
    _gone(talk, f"{CONFIG_MAPS}/a")


@case("garbage")
def in_the_foreground_only_those_that_block_are_waited_for(talk: Talk) -> None:
    first = talk.post(CONFIG_MAPS, config_map()).body
    talk.post(SECRETS, _owned("one", owner(first), finalizers=[FINALIZER]))
    talk.delete(f"{CONFIG_MAPS}/a", {"propagationPolicy": "Foreground"})
    _gone(talk, f"{CONFIG_MAPS}/a")
    talk.eventually(lambda: "deletionTimestamp" in talk.get(f"{SECRETS}/one").body["metadata"])
    talk.patch(f"{SECRETS}/one", {"metadata": {"finalizers": None}})


@case("garbage")
def in_the_foreground_who_has_another_owner_lets_go_and_stays(talk: Talk) -> None:
    first = talk.post(CONFIG_MAPS, config_map()).body
    second = talk.post(CONFIG_MAPS, config_map("b")).body
    talk.post(SECRETS, _owned("one", owner(first, blockOwnerDeletion=True), owner(second)))
    talk.delete(f"{CONFIG_MAPS}/a", {"propagationPolicy": "Foreground"})
    _gone(talk, f"{CONFIG_MAPS}/a")
    talk.get(f"{SECRETS}/one")


@case("garbage")
def orphans_lose_the_reference_and_stay(talk: Talk) -> None:
    first = talk.post(CONFIG_MAPS, config_map()).body
    talk.post(SECRETS, _owned("one", owner(first)))
    talk.delete(f"{CONFIG_MAPS}/a", query={"propagationPolicy": "Orphan"})
    _gone(talk, f"{CONFIG_MAPS}/a")
    talk.get(f"{SECRETS}/one")


@case("garbage")
def an_owner_that_never_was_is_as_good_as_gone(talk: Talk) -> None:
    missing = {"apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": "11111111-2222-3333-4444-555555555555"}
    talk.post(SECRETS, _owned("one", missing))
    _gone(talk, f"{SECRETS}/one")


@case("garbage")
def a_dependent_stays_while_one_owner_is_left(talk: Talk) -> None:
    first = talk.post(CONFIG_MAPS, config_map()).body
    second = talk.post(CONFIG_MAPS, config_map("b")).body
    talk.post(SECRETS, _owned("one", owner(first), owner(second)))
    talk.delete(f"{CONFIG_MAPS}/a")
    talk.eventually(lambda: len(talk.get(f"{SECRETS}/one").body["metadata"]["ownerReferences"]) == 1)
    talk.get(f"{SECRETS}/one")
    talk.delete(f"{CONFIG_MAPS}/b")
    _gone(talk, f"{SECRETS}/one")


@case("garbage", error=True)
def a_policy_and_the_old_option_exclude_each_other(talk: Talk) -> None:
    talk.post(CONFIG_MAPS, config_map())
    talk.delete(f"{CONFIG_MAPS}/a", {"propagationPolicy": "Foreground", "orphanDependents": False})
    talk.delete(f"{CONFIG_MAPS}/a", {"propagationPolicy": "foreground"})
    talk.delete(f"{CONFIG_MAPS}/a", {"orphanDependents": False})


@case("garbage", error=True)
def references_must_be_whole(talk: Talk) -> None:
    first = talk.post(CONFIG_MAPS, config_map()).body
    whole = owner(first)
    talk.post(SECRETS, _owned("one", {**whole, "uid": ""}))
    talk.post(SECRETS, _owned("one", {**whole, "apiVersion": "a/b/c"}))
    talk.post(SECRETS, _owned("one", {**whole, "kind": ""}, {**whole, "name": ""}))
    twice = [{**whole, "controller": True}, {**whole, "controller": True, "uid": "other"}]
    talk.post(SECRETS, _owned("one", *twice))
