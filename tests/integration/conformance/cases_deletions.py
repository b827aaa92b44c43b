"""DELETE in its odder forms: old options, other policies later, dry runs of all kinds."""

from __future__ import annotations

import re

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    FINALIZER,
    LEASES,
    PODS,
    SECRETS,
    SERVICES,
    STATEFUL_SETS,
    WIDGETS,
    config_map,
    define_widgets,
    lease,
    pod,
    secret,
    service,
    stateful_set,
    widget,
)

NAMESPACES = "/api/v1/namespaces"
SERVICE_ACCOUNTS = "/api/v1/namespaces/{ns}/serviceaccounts"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_DRY = {"dryRun": "All"}
_VERSION = re.compile(r"(in object meta: |in record \()\d+")
_OTHER_UID = "11111111-2222-3333-4444-555555555555"


@case("delete")
def some_kinds_are_answered_as_they_were(talk: Talk) -> None:
    talk.post(SERVICE_ACCOUNTS, {"metadata": {"name": "a"}})
    talk.delete(f"{SERVICE_ACCOUNTS}/a")
    talk.post(SERVICES, service())
    talk.delete(f"{SERVICES}/a")
    talk.post(LEASES, lease())
    talk.delete(f"{LEASES}/a")


@case("delete")
def the_old_option_is_answered_with_accepted(talk: Talk) -> None:
    define_widgets(talk)
    held = {"finalizers": [FINALIZER]}
    for path, body in ((CONFIG_MAPS, config_map(**held)), (WIDGETS, widget(**held))):
        talk.post(path, body)
        talk.delete(f"{path}/a", {"orphanDependents": False})
        talk.delete(f"{path}/a", {"orphanDependents": False})
        talk.delete(f"{path}/a", query={"orphanDependents": "false"})
        talk.patch(f"{path}/a", {"metadata": {"finalizers": None}})
    talk.post(CONFIG_MAPS, config_map("b"))
    talk.delete(f"{CONFIG_MAPS}/b", {"orphanDependents": False})


@case("delete")
def another_policy_may_come_later(talk: Talk) -> None:
    define_widgets(talk)
    held = {"finalizers": [FINALIZER]}
    for path, body in ((CONFIG_MAPS, config_map(**held)), (WIDGETS, widget(**held))):
        talk.post(path, body)
        for policy in ("Background", "Background"):
            talk.delete(f"{path}/a", {"propagationPolicy": policy})
        talk.patch(f"{path}/a", {"metadata": {"finalizers": []}})
        talk.get(f"{path}/a")


@case("delete", error=True)
def a_body_leaves_the_query_nothing_to_say(talk: Talk) -> None:
    path = f"{CONFIG_MAPS}/a"
    talk.post(CONFIG_MAPS, config_map())
    talk.delete(path, query={"gracePeriodSeconds": "x"})
    talk.delete(path, query={"gracePeriodSeconds": ""} | _DRY)
    talk.delete(path, {"dryRun": ["All"]}, query={"propagationPolicy": "Sideways"})
    talk.delete(path, {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"], "unknown": 1})
    talk.delete(path, {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", "dryRun": ["All"]})
    talk.delete(path, "dryRun: [All]\n", content_type="application/yaml")
    talk.delete(path, "[]")
    talk.delete(path, {"preconditions": {"uid": 3}})
    talk.delete(path, {"propagationPolicy": "", "dryRun": ["All"]})
    talk.delete(path, {"dryRun": ["All", "None"], "propagationPolicy": "x"})
    talk.delete(path, {}, content_type="text/plain")
    talk.delete(path, {"dryRun": []})


@case("delete", error=True)
def a_subresource_and_a_missing_kind_cannot_be_deleted(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(WIDGETS, widget())
    talk.delete(f"{WIDGETS}/a/status")
    talk.post(f"{WIDGETS}/a/status", widget())
    talk.post(f"{WIDGETS}/a", widget())
    talk.put(WIDGETS, widget())
    talk.patch(WIDGETS, {})
    talk.send("OPTIONS", f"{WIDGETS}/a")
    talk.delete(f"{PODS}/a/status")
    talk.delete("/api/v1/namespaces/{ns}/nothings/a")
    for method in ("GET", "DELETE", "PUT"):
        talk.send(method, "/apis/{group}/v1/widgets/a")
    talk.send("DELETE", "/apis/{group}/v1/widgets")
    talk.send("POST", "/apis/{group}/v1/widgets", widget())


@case("delete", error=True)
def namespaces_and_definitions_have_preconditions_of_their_own(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(NAMESPACES, {"metadata": {"name": "{ns}-c"}})
    for path in (f"{NAMESPACES}/{{ns}}-c", f"{DEFINITIONS}/widgets.{{group}}"):
        talk.delete(path, {"preconditions": {"uid": _OTHER_UID}})
        with talk.hush():
            answer = talk.delete(path, {"preconditions": {"resourceVersion": "1"}}).body
        talk.note("version", [answer["code"], _VERSION.sub(r"\1<version>", answer["message"])])
    with talk.hush():
        talk.delete(f"{NAMESPACES}/{{ns}}-c")


@case("delete", error=True)
def a_precondition_may_be_a_version(talk: Talk) -> None:
    talk.post(SECRETS, secret())
    with talk.hush():
        version = talk.get(f"{SECRETS}/a").version
        stale = talk.delete(f"{SECRETS}/a", {"preconditions": {"resourceVersion": "1"}}).body
    talk.note("stale", [stale["code"], _VERSION.sub(r"\1<version>", stale["message"]), stale["details"]])
    talk.delete(f"{SECRETS}/a", {"preconditions": {"resourceVersion": version}})


@case("dry run")
def a_delete_of_other_kinds_shows_what_it_would_do(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(SERVICES, service())
    talk.post(SERVICE_ACCOUNTS, {"metadata": {"name": "a"}})
    talk.post(STATEFUL_SETS, stateful_set())
    talk.post(NAMESPACES, {"metadata": {"name": "{ns}-d"}})
    for path in (
        f"{SERVICES}/a",
        f"{SERVICE_ACCOUNTS}/a",
        f"{NAMESPACES}/{{ns}}-d",
        f"{DEFINITIONS}/widgets.{{group}}",
    ):
        talk.delete(path, query=_DRY)
        talk.delete(path, {"dryRun": ["All"], "propagationPolicy": "Orphan"})
        talk.note("is there", "deletionTimestamp" not in talk.get(path).body["metadata"])
    talk.delete(f"{STATEFUL_SETS}/a", query=_DRY)
    with talk.hush():
        talk.delete(f"{NAMESPACES}/{{ns}}-d")


@case("dry run")
def the_last_finalizer_is_not_really_gone(talk: Talk) -> None:
    define_widgets(talk)
    held = {"finalizers": [FINALIZER]}
    for path, body in ((CONFIG_MAPS, config_map(**held)), (WIDGETS, widget(**held))):
        talk.post(path, body)
        talk.delete(f"{path}/a")
        talk.patch(f"{path}/a", {"metadata": {"finalizers": None}}, query=_DRY)
        talk.get(f"{path}/a")
        with talk.hush():
            talk.patch(f"{path}/a", {"metadata": {"finalizers": None}})


@case("dry run")
def a_put_creates_nothing_and_subresources_change_nothing(talk: Talk) -> None:
    define_widgets(talk, scale=True)
    talk.service_account()
    talk.put(f"{LEASES}/a", lease(), query=_DRY)
    talk.get(f"{LEASES}/a")
    talk.post(WIDGETS, widget())
    talk.patch(f"{WIDGETS}/a/scale", {"spec": {"replicas": 5}}, query=_DRY)
    talk.get(f"{WIDGETS}/a/scale")
    talk.post(PODS, pod())
    body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "a"}, "target": {"kind": "Node", "name": "n"}}
    talk.post(f"{PODS}/a/binding", body, query=_DRY)
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a", "namespace": "{ns}"}}
    talk.post(f"{PODS}/a/eviction", eviction, query=_DRY)
    talk.get(f"{PODS}/a")


@case("dry run")
def an_apply_and_a_definition_are_tried_only(talk: Talk) -> None:
    apply = "application/apply-patch+yaml"
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}
    talk.patch(f"{CONFIG_MAPS}/a", body, content_type=apply, query={**_DRY, "fieldManager": "me"})
    talk.get(f"{CONFIG_MAPS}/a")
    define_widgets(talk)
    place = f"{DEFINITIONS}/widgets.{{group}}"
    names = {"plural": "others", "singular": "other", "kind": "Other", "listKind": "OtherList"}
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": "{group}", "scope": "Namespaced", "names": names, "versions": [version]}
    head = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    talk.post(DEFINITIONS, {**head, "metadata": {"name": "others.{group}"}, "spec": spec}, query=_DRY)
    talk.get(f"{DEFINITIONS}/others.{{group}}")
    with talk.hush():
        shown = talk.patch(place, {"spec": {"versions": [version]}}, query=_DRY).body
        kept = talk.get(place).body
    talk.note("shown", [shown["metadata"]["generation"], shown["spec"]])
    talk.note("kept", [kept["metadata"]["generation"], kept["spec"]])
