"""fieldValidation: unknown and duplicate fields, ignored, warned of or refused."""

from __future__ import annotations

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    PODS,
    SERVICES,
    STATEFUL_SETS,
    WIDGETS,
    config_map,
    define_widgets,
    deployment,
    pod,
    service,
    stateful_set,
    template,
    versioned,
    widget,
)

_MODES = ("Ignore", "Warn", "Strict", "")
_TWICE = '{"apiVersion":"{group}/v1","kind":"Widget","metadata":{"name":"NAME"},"spec":{"size":1,"size":2}}'
_DATA_TWICE = '{"metadata":{"name":"NAME"},"data":{"k":"1","k":"2"}}'


def _mode(mode: str) -> dict[str, str]:
    return {"fieldValidation": mode} if mode else {}


@case("field validation", error=True)
def unknown_fields_of_a_custom_resource(talk: Talk) -> None:
    define_widgets(talk)
    for mode in _MODES:
        body = {**widget(f"a{mode.lower()}", {"size": 1, "bogus": 1}), "alsoBogus": {"deep": 1}}
        talk.post(WIDGETS, body, query=_mode(mode))


@case("field validation", error=True)
def unknown_fields_of_a_built_in_kind(talk: Talk) -> None:
    for mode in _MODES:
        talk.post(CONFIG_MAPS, {**config_map(f"a{mode.lower()}"), "bogus": 1}, query=_mode(mode))
        containers = [{"name": "main", "image": "i", "imagee": "j", "ports": [{"containerPort": 1, "prot": "TCP"}]}]
        body = deployment(f"a{mode.lower()}", template=template(containers=containers, bogus=[]))
        talk.post(DEPLOYMENTS, {**body, "speck": {}}, query=_mode(mode))


@case("field validation", error=True)
def duplicate_fields(talk: Talk) -> None:
    define_widgets(talk)
    for mode in _MODES:
        name = f"a{mode.lower()}"
        talk.post(WIDGETS, _TWICE.replace("NAME", name), query=_mode(mode))
        talk.post(CONFIG_MAPS, _DATA_TWICE.replace("NAME", name), query=_mode(mode))


@case("field validation", error=True)
def unknown_metadata(talk: Talk) -> None:
    define_widgets(talk)
    for mode in _MODES:
        talk.post(WIDGETS, widget(f"a{mode.lower()}", bogus=1), query=_mode(mode))
        talk.post(CONFIG_MAPS, config_map(f"a{mode.lower()}", bogus=1), query=_mode(mode))


@case("field validation", error=True)
def updates_are_validated_too(talk: Talk) -> None:
    define_widgets(talk)
    created = talk.post(WIDGETS, widget()).body
    talk.put(f"{WIDGETS}/a", versioned(widget(spec={"bogus": 1}), created), query={"fieldValidation": "Strict"})
    talk.put(f"{WIDGETS}/a", versioned(widget(spec={"size": 1, "bogus": 1}), created))
    talk.post(STATEFUL_SETS, stateful_set(), query={"dryRun": "All"})
    talk.post(CONFIG_MAPS, config_map())
    talk.put(f"{CONFIG_MAPS}/a", {**config_map(), "bogus": 1}, query={"fieldValidation": "Strict"})
    talk.put(f"{CONFIG_MAPS}/a", {**config_map(), "bogus": 1})


@case("field validation", error=True)
def patches_are_validated_too(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(WIDGETS, widget())
    talk.post(CONFIG_MAPS, config_map())
    for mode in ("Ignore", "Warn"):
        talk.patch(f"{WIDGETS}/a", {"spec": {"bogus": 1}, "top": 2}, query=_mode(mode))
        talk.patch(f"{CONFIG_MAPS}/a", {"bogus": 1}, query=_mode(mode))
        talk.patch(f"{CONFIG_MAPS}/a", {"bogus": 1}, content_type="strategic", query=_mode(mode))


@case("field validation", error=True)
def an_unknown_mode_is_refused(talk: Talk) -> None:
    talk.post(CONFIG_MAPS, config_map(), query={"fieldValidation": "Sometimes"})
    talk.put(f"{CONFIG_MAPS}/a", config_map(), query={"fieldValidation": "strict"})
    talk.patch(f"{CONFIG_MAPS}/a", {}, query={"fieldValidation": "warn"})


@case("field validation", error=True)
def unknown_fields_come_with_other_errors(talk: Talk) -> None:
    define_widgets(talk)
    talk.service_account()
    talk.post(WIDGETS, widget(spec={"size": 99, "bogus": 1}))
    talk.post(PODS, pod(bogus=1, containers=[]))
    talk.post(SERVICES, service(bogus=1, ports=[{"port": 1, "bogus": 2}]))
    talk.post(CONFIG_MAPS, {**config_map(), "bogus": 1})
    talk.post(CONFIG_MAPS, {**config_map(), "bogus": 1})
