"""What a schema does not know, and what it lets through."""

from __future__ import annotations

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import SIZED, WIDGETS, define_widgets, versioned, widget

_PRESERVE = {"x-kubernetes-preserve-unknown-fields": True}
_PART = {"type": "object", "properties": {"name": {"type": "string"}}}


@case("pruning")
def unknown_fields_go_at_every_depth(talk: Talk) -> None:
    properties = {
        "parts": {"type": "array", "items": _PART},
        "byName": {"type": "object", "additionalProperties": _PART},
        "deep": {"type": "object", "properties": {"part": _PART}},
        "matrix": {"type": "array", "items": {"type": "array", "items": _PART}},
    }
    define_widgets(talk, {"type": "object", "properties": properties})
    dirty = {"name": "x", "bogus": 1}
    spec = {
        "parts": [dirty, {"only": "bogus"}],
        "byName": {"k": dirty},
        "deep": {"part": dirty, "bogus": {"a": "b"}},
        "matrix": [[dirty], []],
        "bogus": None,
    }
    talk.post(WIDGETS, {**widget(spec=spec), "other": 1})
    talk.get(f"{WIDGETS}/a")


@case("pruning")
def what_is_to_be_preserved_is(talk: Talk) -> None:
    properties = {
        "free": {"type": "object", **_PRESERVE},
        "partly": {"type": "object", "properties": {"strict": _PART}, **_PRESERVE},
        "any": _PRESERVE,
        "items": {"type": "array", "items": {"type": "object", **_PRESERVE}},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    define_widgets(talk, {"type": "object", "properties": properties})
    dirty = {"name": "x", "bogus": 1}
    spec = {
        "free": {"a": {"b": [1, {"c": None}]}},
        "partly": {"strict": dirty, "loose": dirty},
        "any": [1, "two", {"three": 3}],
        "items": [{"x": 1}, {}],
        "map": {"any": "key"},
    }
    talk.post(WIDGETS, widget(spec=spec))
    talk.patch(f"{WIDGETS}/a", {"spec": {"any": 3.5, "free": {"a": None, "z": None}}})


@case("pruning", error=True)
def integers_or_strings_are_both(talk: Talk) -> None:
    define_widgets(talk, {"type": "object", "properties": {"port": {"x-kubernetes-int-or-string": True}}})
    talk.post(WIDGETS, widget(spec={"port": 80}))
    talk.post(WIDGETS, widget("b", {"port": "web"}))
    talk.post(WIDGETS, widget("c", {"port": True}))
    talk.post(WIDGETS, widget("d", {"port": 1.5}))
    talk.post(WIDGETS, widget("e", {"port": ["a"]}))
    talk.post(WIDGETS, widget("f", {"port": None}))


@case("pruning")
def embedded_resources_keep_their_type_and_metadata(talk: Talk) -> None:
    embedded = {
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}},
    }
    define_widgets(talk, {"type": "object", "properties": {"inner": embedded, "loose": {**embedded, **_PRESERVE}}})
    inner = {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "x", "labels": {"a": "b"}}}
    dirty = {**inner, "spec": {"a": "b", "c": "d"}, "other": 1}
    talk.post(WIDGETS, widget(spec={"inner": dirty, "loose": dirty}))


@case("pruning", error=True)
def embedded_resources_need_a_type(talk: Talk) -> None:
    embedded = {"type": "object", "x-kubernetes-embedded-resource": True, **_PRESERVE}
    define_widgets(talk, {"type": "object", "properties": {"inner": embedded}})
    talk.post(WIDGETS, widget(spec={"inner": {"metadata": {"name": "x"}}}))
    talk.post(
        WIDGETS, widget(spec={"inner": {"apiVersion": "v1", "kind": "Thing", "metadata": {"labels": {"-": "x"}}}})
    )
    talk.post(WIDGETS, widget(spec={"inner": {"apiVersion": "a/b/c", "kind": "bad kind"}}))


@case("pruning")
def the_status_is_pruned_too(talk: Talk) -> None:
    define_widgets(talk)
    created = talk.post(WIDGETS, widget()).body
    status = {"ready": 1, "bogus": {"a": 1}}
    talk.put(f"{WIDGETS}/a/status", {**versioned(widget(), created), "status": status})
    talk.patch(f"{WIDGETS}/a/status", {"status": status, "top": 1})


@case("pruning", error=True)
def pruning_comes_before_validation(talk: Talk) -> None:
    define_widgets(talk, {**SIZED, "required": ["size"]})
    talk.post(WIDGETS, widget(spec={"sise": 1}))
    talk.post(WIDGETS, widget(spec={"size": 1, "extra": {"any": "thing"}}))
    talk.post(WIDGETS, widget("b", spec={"size": 1.0}))
    talk.post(WIDGETS, {**widget("c"), "spec": []})
    talk.post(WIDGETS, {**widget("d"), "spec": None})
