"""POST: names, namespaces, metadata, and what is there already."""

from __future__ import annotations

import re

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    FINALIZER,
    PODS,
    ROLES,
    SERVICES,
    STATEFUL_SETS,
    WIDGETS,
    config_map,
    define_widgets,
    pod,
    service,
    stateful_set,
    widget,
)


@case("create", error=True)
def what_is_there_already_is_a_conflict(talk: Talk) -> None:
    define_widgets(talk)
    for path, body in ((CONFIG_MAPS, config_map()), (WIDGETS, widget())):
        talk.post(path, body)
        talk.post(path, body)
    talk.post("/api/v1/namespaces", {"metadata": {"name": "{ns}"}})


@case("create", error=True)
def what_is_being_deleted_is_still_there(talk: Talk) -> None:
    talk.post(CONFIG_MAPS, config_map(finalizers=[FINALIZER]))
    talk.delete(f"{CONFIG_MAPS}/a")
    talk.post(CONFIG_MAPS, config_map())
    talk.patch(f"{CONFIG_MAPS}/a", {"metadata": {"finalizers": None}})
    talk.get(f"{CONFIG_MAPS}/a")


@case("create", error=True)
def a_version_in_a_new_object_is_refused(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map(resourceVersion="5"))
    talk.post(WIDGETS, widget(resourceVersion="5"))


@case("create")
def what_only_the_server_may_say_is_ignored(talk: Talk) -> None:
    define_widgets(talk)
    sent = {
        "uid": "x",
        "creationTimestamp": "2001-01-01T00:00:00Z",
        "generation": 9,
        "deletionTimestamp": "2001-01-01T00:00:00Z",
        "deletionGracePeriodSeconds": 3,
        "selfLink": "/x",
    }
    talk.post(WIDGETS, {**widget(**sent), "status": {"ready": 3}})
    talk.post(CONFIG_MAPS, config_map(**sent))
    talk.post(STATEFUL_SETS, {**stateful_set(metadata=sent), "status": {"replicas": 7}})


@case("create", error=True)
def missing_namespaces_are_not_found(talk: Talk) -> None:
    define_widgets(talk)
    talk.post("/api/v1/namespaces/{ns}-not/configmaps", config_map())
    talk.post("/apis/{group}/v1/namespaces/{ns}-not/widgets", widget())
    talk.post("/api/v1/namespaces/{ns}-not/pods", pod())


@case("create", error=True)
def other_namespaces_than_the_paths_are_refused(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map(namespace="default"))
    talk.post(WIDGETS, widget(namespace="default"))
    talk.post("/api/v1/configmaps", config_map(namespace="{ns}"))
    talk.post("/api/v1/namespaces", {"metadata": {"name": "{ns}-b", "namespace": "{ns}"}})
    with talk.hush():
        talk.delete("/api/v1/namespaces/{ns}-b")


@case("create", error=True)
def names_are_checked_as_the_kind_asks(talk: Talk) -> None:
    talk.service_account()
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map("A_b"))
    talk.post(CONFIG_MAPS, config_map("a." * 130 + "a"))
    talk.post(CONFIG_MAPS, {"metadata": {}})
    talk.post(WIDGETS, widget("A_b"))
    talk.post(WIDGETS, widget(""))
    talk.post(SERVICES, service("1a"))
    talk.post(SERVICES, service("a" * 64))
    talk.post(STATEFUL_SETS, stateful_set("a.b"))
    talk.post(PODS, pod("a/b"))
    talk.post(ROLES, {"metadata": {"name": "a%b"}, "rules": []})
    talk.post("/api/v1/namespaces", {"metadata": {"name": "a.b"}})


@case("create", error=True)
def labels_and_annotations_are_checked(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map(labels={"-bad": "v"}))
    talk.post(CONFIG_MAPS, config_map(labels={"good": "not good"}))
    talk.post(CONFIG_MAPS, config_map(labels={"good": "v" * 64}))
    talk.post(CONFIG_MAPS, config_map(labels={"Bad.Prefix/x": "v", "a/b/c": "w"}))
    talk.post(CONFIG_MAPS, config_map(annotations={"not good": "v"}))
    talk.post(WIDGETS, widget(labels={"x" * 64: "v"}))
    talk.post(WIDGETS, widget(annotations={"": "v"}))
    talk.post(CONFIG_MAPS, config_map(annotations={"a": "v" * 262145}))


@case("create", error=True)
def metadata_of_a_wrong_type_is_refused(talk: Talk) -> None:
    talk.service_account()
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map(labels={"a": 1}))
    talk.post(CONFIG_MAPS, config_map(labels="a"))
    talk.post(CONFIG_MAPS, {**config_map(), "data": {"a": 1}})
    talk.post(CONFIG_MAPS, {**config_map(), "data": ["a"]})
    talk.post(CONFIG_MAPS, config_map(finalizers="a"))
    talk.post(PODS, pod(containers={}))
    talk.post(PODS, pod(terminationGracePeriodSeconds="30"))


@case("create", error=True)
def owner_references_are_checked(talk: Talk) -> None:
    define_widgets(talk)
    whole = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u"}
    for name in whole:
        talk.post(
            CONFIG_MAPS, config_map(ownerReferences=[{key: value for key, value in whole.items() if key != name}])
        )
    two = [{**whole, "controller": True, "uid": each} for each in "uv"]
    talk.post(WIDGETS, widget(ownerReferences=two))


@case("create", error=True)
def finalizers_need_a_domain(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map(finalizers=["bare"]))
    talk.post(WIDGETS, widget(finalizers=["bare"]))
    talk.post(CONFIG_MAPS, config_map("b", finalizers=["not good/x"]))


@case("create", error=True)
def nothing_new_comes_into_a_namespace_that_is_being_deleted(talk: Talk) -> None:
    talk.service_account()
    talk.post(CONFIG_MAPS, config_map("held", finalizers=[FINALIZER]))
    talk.delete("/api/v1/namespaces/{ns}")
    talk.post(CONFIG_MAPS, config_map())
    talk.post(PODS, pod())
    with talk.hush():
        talk.patch(f"{CONFIG_MAPS}/held", {"metadata": {"finalizers": None}})


@case("create", error=True)
def generated_names_begin_as_asked(talk: Talk) -> None:
    """What is generated is random, so that only its form can be compared."""
    with talk.hush():
        created = talk.post(CONFIG_MAPS, {"metadata": {"generateName": "gen-"}}).body["metadata"]
        refused = talk.post(CONFIG_MAPS, {"metadata": {"generateName": "Bad_"}}).body
        long = talk.post(CONFIG_MAPS, {"metadata": {"generateName": "a" * 70}}).body["metadata"]
    form = re.compile(r"[bcdfghjklmnpqrstvwxz2456789]{5}")
    talk.note("base", created["generateName"])
    talk.note("fits", bool(form.fullmatch(created["name"].removeprefix("gen-"))))
    talk.note("long", (len(long["name"]), long["name"][:58], bool(form.fullmatch(long["name"][58:]))))
    talk.note("refused", (refused["code"], refused["reason"]))
    talk.note("fields", sorted(each["field"] for each in refused["details"]["causes"]))
    talk.post(CONFIG_MAPS, config_map("named", generateName="gen-"))


@case("create", error=True)
def a_pod_needs_its_service_account(talk: Talk) -> None:
    talk.post(PODS, pod(serviceAccountName="none"))
    talk.post(PODS, pod(serviceAccountName="Bad_Name"))


@case("create", error=True)
def bodies_that_cannot_be_read_are_refused(talk: Talk) -> None:
    define_widgets(talk)
    for path in (CONFIG_MAPS, WIDGETS):
        talk.post(path, "{")
        talk.post(path, "[]")
        talk.post(path, "", content_type="application/json")
        talk.post(path, "x: y", content_type="text/plain")
    talk.post(CONFIG_MAPS, widget())
    talk.post(WIDGETS, {**widget(), "kind": "Other"})
    talk.post(WIDGETS, {**widget(), "apiVersion": "{group}/v2"})
    talk.post(WIDGETS, {"metadata": {"name": "a"}})
    talk.post(CONFIG_MAPS, {**config_map(), "apiVersion": "v2"})
    talk.post(CONFIG_MAPS, {**config_map(), "kind": "Secret"})


@case("create")
def yaml_is_read_too(talk: Talk) -> None:
    define_widgets(talk)
    yaml = "application/yaml"
    talk.post(CONFIG_MAPS, "metadata: {name: a}\ndata: {k: v}\n", content_type=yaml)
    talk.post(WIDGETS, "apiVersion: {group}/v1\nkind: Widget\nmetadata: {name: a}\n", content_type=yaml)
    talk.post(CONFIG_MAPS, "metadata: [", content_type=yaml)
