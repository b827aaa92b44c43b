"""JSON merge patches."""

from __future__ import annotations

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    SECRETS,
    WIDGETS,
    config_map,
    define_widgets,
    deployment,
    secret,
    widget,
)


@case("merge patch")
def null_removes_and_maps_merge(talk: Talk) -> None:
    talk.post(CONFIG_MAPS, config_map(data={"a": "1", "b": "2"}, labels={"x": "y"}, annotations={"p": "q"}))
    talk.patch(f"{CONFIG_MAPS}/a", {"data": {"a": None, "c": "3"}, "metadata": {"labels": {"z": "w"}}})
    talk.patch(f"{CONFIG_MAPS}/a", {"data": None, "metadata": {"annotations": None}})
    talk.patch(f"{CONFIG_MAPS}/a", {"data": {"a": None}})
    talk.patch(f"{CONFIG_MAPS}/a", {})


@case("merge patch")
def lists_are_replaced(talk: Talk) -> None:
    define_widgets(talk, {"type": "object", "properties": {"args": {"type": "array", "items": {"type": "string"}}}})
    talk.post(WIDGETS, widget(spec={"args": ["a", "b"]}))
    talk.patch(f"{WIDGETS}/a", {"spec": {"args": ["c"]}})
    talk.patch(f"{WIDGETS}/a", {"spec": {"args": []}})
    talk.patch(f"{WIDGETS}/a", {"spec": None})


@case("merge patch")
def a_patch_without_effect_keeps_the_version(talk: Talk) -> None:
    define_widgets(talk)
    before = talk.post(WIDGETS, widget())
    after = talk.patch(f"{WIDGETS}/a", {"spec": {"size": 1}})
    talk.note("same version", before.version == after.version)
    talk.post(DEPLOYMENTS, deployment())
    talk.patch(f"{DEPLOYMENTS}/a", {"spec": {"replicas": None, "paused": False}}, query={"dryRun": "All"})


@case("merge patch", error=True)
def patches_that_are_no_objects_are_refused(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map())
    talk.post(WIDGETS, widget())
    for path in (f"{CONFIG_MAPS}/a", f"{WIDGETS}/a"):
        talk.patch(path, "{")
        talk.patch(path, "")
        talk.patch(path, [])
        talk.patch(path, "3")
        talk.patch(path, "null")
        talk.patch(path, '"text"')


@case("merge patch", error=True)
def what_it_makes_must_be_valid(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map())
    talk.post(WIDGETS, widget())
    talk.post(SECRETS, secret())
    talk.patch(f"{CONFIG_MAPS}/a", {"metadata": {"labels": {"-": "x"}}})
    talk.patch(f"{CONFIG_MAPS}/a", {"data": {"bad key": "x"}})
    talk.patch(f"{CONFIG_MAPS}/a", {"data": {"k": 1}})
    talk.patch(f"{WIDGETS}/a", {"spec": {"size": 11}})
    talk.patch(f"{WIDGETS}/a", {"spec": {"size": "one"}})
    talk.patch(f"{WIDGETS}/a", {"spec": 3})
    talk.patch(f"{SECRETS}/a", {"data": {"k": "?"}})


@case("merge patch", error=True)
def identity_cannot_be_patched(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map())
    talk.post(WIDGETS, widget())
    for path in (f"{CONFIG_MAPS}/a", f"{WIDGETS}/a"):
        talk.patch(path, {"metadata": {"name": "b"}})
        talk.patch(path, {"metadata": {"namespace": "default"}})
        talk.patch(path, {"kind": "Other"})
        talk.patch(path, {"apiVersion": "other/v1"})
        talk.patch(path, {"metadata": {"creationTimestamp": None}})
        talk.patch(path, {"metadata": {"generation": 9, "selfLink": "/x"}})
        talk.patch(path, {"metadata": {"name": None, "namespace": None}})


@case("merge patch", error=True)
def what_is_missing_is_not_found(talk: Talk) -> None:
    define_widgets(talk)
    talk.patch(f"{CONFIG_MAPS}/a", {})
    talk.patch(f"{WIDGETS}/a", {})
    talk.patch(f"{WIDGETS}/a/status", {})
    talk.patch(f"{WIDGETS}/a/other", {})


@case("merge patch", error=True)
def other_content_types_are_refused(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map())
    talk.post(WIDGETS, widget())
    for path in (f"{CONFIG_MAPS}/a", f"{WIDGETS}/a"):
        talk.patch(path, {}, content_type="application/json")
        talk.patch(path, {}, content_type="text/plain")
    talk.patch(f"{WIDGETS}/a", {}, content_type="strategic")
    talk.patch(f"{CONFIG_MAPS}/a", {"data": {"k": "v"}}, content_type="application/merge-patch+json; charset=utf-8")
