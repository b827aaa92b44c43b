"""Requests in other clothes: content types, options, sizes, and what stands behind a body."""

from __future__ import annotations

import json

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    LEASES,
    PODS,
    SECRETS,
    WIDGETS,
    config_map,
    define_widgets,
    lease,
    pod,
    secret,
    versioned,
    widget,
)

_DRY = {"dryRun": "All"}
_JSON = "application/json"


@case("create", error=True)
def content_types_are_read_loosely_and_bodies_strictly(talk: Talk) -> None:
    define_widgets(talk)
    for content_type in (
        f"{_JSON}; charset=utf-8",
        "Application/JSON",
        f"{_JSON};",
        "",
        "application/x-yaml",
        "text/json",
    ):
        talk.post(CONFIG_MAPS, config_map(), content_type=content_type, query=_DRY)
    text = json.dumps(config_map())
    for body in (
        f"{text} x",
        f"{text}{text}",
        f" \n{text}\n",
        "null",
        '"text"',
        "7",
        '{"metadata": {"name": "a"}',
        "\ufeff{}",
    ):
        talk.post(CONFIG_MAPS, body, query=_DRY)
        talk.post(WIDGETS, body, query=_DRY)
    talk.post(CONFIG_MAPS, b'{"metadata":{"name":"a"},"data":{"a":"\xff"}}', query=_DRY)
    talk.post(CONFIG_MAPS, '{"metadata":{"name":"a"},"kind":1}', query=_DRY)
    talk.post(CONFIG_MAPS, '{"metadata":{"name":"a"},"apiVersion":"a/b/c"}', query=_DRY)
    talk.post(CONFIG_MAPS, '{"metadata":{"name":"a"},"Data":{"a":"b"},"metaData":{}}', query=_DRY)


@case("update", error=True)
def a_put_takes_the_same_clothes(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map())
    created = talk.post(WIDGETS, widget()).body
    yaml = "application/yaml"
    talk.put(f"{CONFIG_MAPS}/a", "metadata: {name: a}\ndata:\n  on: 'yes'\n  time: '2001-01-01'\n", content_type=yaml)
    talk.put(f"{CONFIG_MAPS}/a", "metadata: {name: a}\ndata:\n  n: 1\n", content_type=yaml)
    talk.put(f"{CONFIG_MAPS}/a", "metadata: {name: a}\ndata:\n  d: 2001-01-01\n", content_type=yaml)
    talk.put(f"{CONFIG_MAPS}/a", "- a\n- b\n", content_type=yaml)
    talk.put(f"{CONFIG_MAPS}/a", "a: b: c\n", content_type=yaml)
    talk.put(f"{CONFIG_MAPS}/a", "metadata:\n\tname: a\n", content_type=yaml)
    talk.put(f"{WIDGETS}/a", json.dumps(talk.fill(versioned(widget(spec={"size": 2}), created))), content_type=yaml)
    talk.put(f"{CONFIG_MAPS}/a", config_map(), content_type="application/merge-patch+json")
    talk.put(f"{CONFIG_MAPS}/a")


@case("create", error=True)
def options_of_writes_are_checked_together(talk: Talk) -> None:
    talk.post(CONFIG_MAPS, config_map(), query={"fieldManager": "m" * 129, "dryRun": "x", "fieldValidation": "y"})
    talk.post(CONFIG_MAPS, config_map(), query={"fieldManager": "a\nb", **_DRY})
    talk.post(CONFIG_MAPS, config_map(), query={"fieldManager": "näme", "pretty": "true", "unknown": "1", **_DRY})
    talk.post(CONFIG_MAPS, config_map(), query={"fieldManager": ["one", "two"], **_DRY})
    talk.put(f"{CONFIG_MAPS}/a", config_map(), query={"fieldValidation": "strict"})
    talk.patch(f"{CONFIG_MAPS}/a", {}, query={"force": "false"})
    talk.patch(f"{CONFIG_MAPS}/a", {}, query={"force": "x", "fieldManager": "m" * 129})


@case("create", error=True)
def objects_have_a_largest_size(talk: Talk) -> None:
    define_widgets(talk, {"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    talk.post(WIDGETS, widget(spec={"a": "v" * 1_600_000}))
    talk.post(WIDGETS, widget(spec={"a": "v" * 3_200_000}))
    talk.post(SECRETS, secret(data={"a": "dg==" * 360_000}))
    for name in ("a" * 253, "a" * 254):
        talk.post(CONFIG_MAPS, config_map(name), query=_DRY)
        talk.post(WIDGETS, widget(name, {}), query=_DRY)


@case("create")
def unusual_texts_are_kept_as_they_are(talk: Talk) -> None:
    define_widgets(talk, {"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    texts = ["<&>", "\u2028", "\U0001f600", "ä", "\x7f", 'a"b\\c', "\t\n", ""]
    data = {str(index): each for index, each in enumerate(texts)}
    answer = talk.post(CONFIG_MAPS, config_map(data=data))
    talk.note("bytes", json.loads(answer.raw)["data"])
    numbers = {"whole": 1.0, "large": 12345678901234567890, "small": 1e-7, "negative": -0.5, "exact": 9007199254740993}
    talk.post(WIDGETS, widget(spec={"texts": texts, "numbers": numbers, "nested": [[{"a": None}], []]}))
    talk.get(f"{WIDGETS}/a")


@case("update", error=True)
def a_lease_is_renewed_as_leaders_do(talk: Talk) -> None:
    first = talk.post(LEASES, lease(renewTime="2026-01-01T00:00:00.000000Z", leaseTransitions=0)).body
    renewed = versioned(lease(renewTime="2026-01-01T00:00:02.500000Z", leaseTransitions=1), first)
    talk.put(f"{LEASES}/a", renewed)
    talk.put(f"{LEASES}/a", renewed)
    talk.patch(f"{LEASES}/a", {"spec": {"holderIdentity": "", "renewTime": None}})
    talk.patch(f"{LEASES}/a", {"spec": None})


@case("delete", error=True)
def pods_have_preconditions_too(talk: Talk) -> None:
    talk.service_account()
    created = talk.post(PODS, pod()).body["metadata"]
    talk.delete(
        f"{PODS}/a", {"preconditions": {"uid": "11111111-2222-3333-4444-555555555555"}, "gracePeriodSeconds": 0}
    )
    talk.delete(f"{PODS}/a", {"preconditions": {"uid": created["uid"]}, "gracePeriodSeconds": -5})
    talk.get(f"{PODS}/a")


@case("create")
def what_a_plain_text_of_yaml_is_go_decides(talk: Talk) -> None:
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made}\ndata: "
    for value in ("12:30", "1.2.3", "y", "oN", "1e3", "0o17", "017", "089", "1_000", "5.", "0x", ".5", "1e400"):
        _in_yaml(talk, f"{head}{{a: {value}}}")
    for value in ("!!str 5", "!!int '5'", "!foo b", "!!binary aGk=", "9" * 30, "9" * 500, "2001-01-01", ".inf"):
        _in_yaml(talk, f"{head}{{a: {value}}}")


@case("errors", error=True)
def what_is_no_object_in_yaml_is_refused(talk: Talk) -> None:
    for text in ("", "~", "# nothing", "- a", "a", "a: b: c", "{a", "a: *x", "{}\n---\n{}", "a: b\n--- \n- c"):
        _in_yaml(talk, text)


def _in_yaml(talk: Talk, text: str) -> None:
    query = {"dryRun": "All"}
    answer = talk.post(CONFIG_MAPS, text, content_type="application/yaml", query=query)
    talk.note("made", answer.body.get("data"))
    apply = "application/apply-patch+yaml"
    talk.patch(f"{CONFIG_MAPS}/made", text, content_type=apply, query={**query, "fieldManager": "m"})
