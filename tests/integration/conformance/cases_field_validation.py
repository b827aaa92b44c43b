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


@case("field validation", error=True)
def unknown_and_duplicate_fields_are_told_in_the_order_of_the_text(talk: Talk) -> None:
    for mode in _MODES:
        body = (
            '{"zebra":1,"metadata":{"name":"NAME","labels":{"a":"1","a":"2"},"odd":1},"spec":{"replicas":1,"replicas":0,'
            '"selector":{"matchLabels":{"app":"a"},"bogus":{}},"template":{"metadata":{"labels":{"app":"a"},"x":1},"spec":'
            '{"containers":[{"name":"main","image":"i","env":[{"name":"A","valu":"1"},{"name":"B","name":"C"}],'
            '"resources":{"limits":{"cpu":"1","cpu":"2"},"limit":{}},"livenessProbe":{"httpGet":{"port":1,"ports":2}}}],'
            '"volumes":[{"name":"v","configMap":{"names":"c","name":"c"},"configmap":{}}]}}},"aardvark":null}'
        )
        talk.post(DEPLOYMENTS, body.replace("NAME", f"a{mode.lower()}"), query=_mode(mode))


@case("field validation", error=True)
def names_of_fields_have_one_case(talk: Talk) -> None:
    for mode in ("Warn", "Strict"):
        body = {"metadata": {"Name": "x", "name": f"a{mode.lower()}"}, "Data": {"k": "v"}, "data": {"K": "v"}}
        talk.post(CONFIG_MAPS, body, query=_mode(mode))
        talk.post(SERVICES, service(f"s{mode.lower()}", clusterIp="None", Ports=[]), query=_mode(mode))


@case("field validation", error=True)
def only_so_many_problems_are_told(talk: Talk) -> None:
    many = {f"bogus{number}": number for number in range(120)}
    talk.post(CONFIG_MAPS, {**config_map(), **many}, query={"fieldValidation": "Strict"})
    long = {f"{'x' * 300}{number}": number for number in range(30)}
    talk.post(CONFIG_MAPS, {**config_map("b"), **long, "short": 1})
    fewer = {f"{'x' * 300}{number}": number for number in range(13)}
    talk.post(CONFIG_MAPS, {**config_map("c"), **fewer})


@case("field validation", error=True)
def bodies_in_yaml_are_validated_too(talk: Talk) -> None:
    define_widgets(talk)
    for mode in _MODES:
        body = f"metadata:\n  name: a{mode.lower()}\n  bogus: 1\ndata:\n  k: v\nspeck: {{}}\n"
        talk.post(CONFIG_MAPS, body, content_type="application/yaml", query=_mode(mode))
        custom = "apiVersion: {group}/v1\nkind: Widget\nmetadata: {name: NAME}\nspec: {size: 1, bogus: 2}\n"
        talk.post(
            WIDGETS, custom.replace("NAME", f"a{mode.lower()}"), content_type="application/yaml", query=_mode(mode)
        )


@case("field validation", error=True)
def a_status_is_validated_too(talk: Talk) -> None:
    created = talk.post(DEPLOYMENTS, deployment()).body
    for mode in _MODES:
        body = {**versioned(deployment(), created), "status": {"bogus": 1}, "speck": 2}
        talk.put(f"{DEPLOYMENTS}/a/status", body, query=_mode(mode))
        for content_type in ("merge", "strategic"):
            patch = {"status": {"bogus": 1, "conditions": [{"type": "Odd", "status": "True", "x": 1}]}}
            talk.patch(f"{DEPLOYMENTS}/a/status", patch, content_type=content_type, query=_mode(mode))


@case("field validation", error=True)
def kinds_of_every_group_are_validated(talk: Talk) -> None:
    roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles"
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"], "verb": ["list"]}]
    talk.post(roles, {"metadata": {"name": "a"}, "rules": rules, "rule": []})
    leases = "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases"
    talk.post(leases, {"metadata": {"name": "a"}, "spec": {"holderIdentity": "me", "holder": "you"}})
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    part = {"type": "object", "propertys": {}, "additionalProperties": {"type": "string", "bogus": 1}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": part}, "odd": 1}
    names = {"plural": "odds", "singular": "odd", "kind": "Odd", "listKind": "OddList", "short": ["o"]}
    spec = {"group": "{group}", "scope": "Namespaced", "names": names, "versions": [version]}
    body = {"metadata": {"name": "odds.{group}"}, "spec": spec}
    for mode in ("Strict", "Warn"):
        talk.post(definitions, body, query={**_mode(mode), "dryRun": "All"})
