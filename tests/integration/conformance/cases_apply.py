"""Server-side apply, and who owns which field.

Entries are sorted by operation, second and name: managers are named in the order they come, so
that it does not matter where a second ends.
"""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Answer, Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    LEASES,
    PODS,
    SERVICES,
    WIDGETS,
    config_map,
    define_widgets,
    deployment,
    pod,
    service,
    widget,
)

APPLY = "application/apply-patch+yaml"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_TEXT = {"type": "string"}
_PARTS = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "items": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": _TEXT, "weight": {"type": "integer", "default": 1}},
    },
}
RICH = {
    "type": "object",
    "properties": {
        "size": {"type": "integer", "default": 1},
        "image": _TEXT,
        "parts": _PARTS,
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": _TEXT},
        "words": {"type": "array", "items": _TEXT},
        "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": _TEXT},
        "each": {"type": "object", "additionalProperties": _TEXT},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}


def _apply(talk: Talk, path: str, body: Any, manager: str = "one", **query: Any) -> Answer:
    return talk.patch(path, body, content_type=APPLY, query={"fieldManager": manager, **query})


def _rich(talk: Talk) -> str:
    define_widgets(talk, RICH, scale=True)
    return f"{WIDGETS}/a"


@case("apply")
def applying_creates_then_changes_nothing_then_changes(talk: Talk) -> None:
    path = _rich(talk)
    first = _apply(talk, path, widget(spec={"size": 2, "parts": [{"name": "x"}]}))
    again = _apply(talk, path, widget(spec={"size": 2, "parts": [{"name": "x"}]}))
    talk.note("the version stays", first.version == again.version)
    _apply(talk, path, widget(spec={"size": 3}))
    _apply(talk, f"{CONFIG_MAPS}/a", config_map(data={"k": "v"}))
    _apply(talk, f"{CONFIG_MAPS}/a", config_map(data={"other": "v"}))


@case("apply", error=True)
def what_another_owns_is_a_conflict(talk: Talk) -> None:
    path = _rich(talk)
    _apply(talk, path, widget(spec={"size": 2, "image": "a", "parts": [{"name": "x", "weight": 2}], "tags": ["t"]}))
    _apply(talk, path, widget(spec={"size": 3}), "two")
    _apply(talk, path, widget(spec={"size": 3, "image": "b", "parts": [{"name": "x", "weight": 3}]}), "two")


@case("apply", error=True)
def what_was_updated_is_a_conflict_too(talk: Talk) -> None:
    path = _rich(talk)
    talk.post(WIDGETS, widget(spec={"size": 2, "image": "a"}), query={"fieldManager": "maker"})
    _apply(talk, path, widget(spec={"size": 3}))
    talk.patch(path, {"spec": {"image": "b"}}, query={"fieldManager": "painter"})
    _apply(talk, path, widget(spec={"size": 3, "image": "c"}))


@case("apply")
def equal_values_are_shared_and_force_takes_the_rest(talk: Talk) -> None:
    path = _rich(talk)
    _apply(talk, path, widget(spec={"size": 2, "image": "a", "tags": ["t"]}))
    _apply(talk, path, widget(spec={"size": 2, "tags": ["t", "u"]}), "two")
    _apply(talk, path, widget(spec={"size": 3, "image": "b"}), "two", force="true")
    talk.pause(1.1)  # entries come in the order of their seconds
    _apply(talk, path, widget(spec={}))
    talk.get(path)


@case("apply")
def what_an_applier_drops_goes_unless_somebody_else_has_it(talk: Talk) -> None:
    path = _rich(talk)
    _apply(
        talk, path, widget(spec={"size": 5, "image": "a", "parts": [{"name": "x"}, {"name": "y"}], "each": {"k": "v"}})
    )
    _apply(talk, path, widget(spec={"parts": [{"name": "y"}]}), "two")
    talk.patch(path, {"spec": {"each": {"l": "w"}}}, query={"fieldManager": "updater"})
    _apply(talk, path, widget(spec={}))


@case("apply")
def lists_and_maps_are_merged_as_the_schema_says(talk: Talk) -> None:
    path = _rich(talk)
    spec = {"parts": [{"name": "b"}], "tags": ["b"], "words": ["b"], "whole": {"b": "1"}, "free": {"b": {"c": 1}}}
    talk.post(WIDGETS, widget(spec=spec), query={"fieldManager": "maker"})
    spec = {"parts": [{"name": "a"}, {"name": "b", "weight": 4}], "tags": ["a"], "free": {"b": {"d": [1]}}}
    _apply(talk, path, widget(spec=spec), force="true")
    _apply(talk, path, widget(spec={"words": ["a"], "whole": {"a": "1"}}), "two", force="true")


@case("apply", error=True)
def what_cannot_be_applied_is_refused(talk: Talk) -> None:
    path = _rich(talk)
    talk.patch(path, widget(), content_type=APPLY)
    _apply(talk, path, widget(managedFields=[{}]))
    _apply(talk, path, {"metadata": {"name": "a"}})
    _apply(talk, path, {**widget(), "kind": "Other"})
    _apply(talk, path, widget("other"))
    _apply(talk, path, widget(uid="66666666-6666-6666-6666-666666666666"))
    _apply(talk, path, widget(), "m" * 129)
    _apply(talk, f"{path}/status", {**widget(), "status": {}})


@case("apply", error=True)
def what_does_not_fit_the_types_is_refused(talk: Talk) -> None:
    path = _rich(talk)
    for spec in (
        {"bogus": 1},
        {"size": "two"},
        {"image": 1},
        {"parts": {"name": "x"}},
        {"parts": [{"weight": 1}]},
        {"parts": [{"name": "x"}, {"name": "x"}]},
        {"tags": ["a", "a"]},
        {"tags": [{"a": 1}]},
        {"each": ["a"]},
    ):
        _apply(talk, path, widget(spec=spec))
        _apply(talk, path, widget(spec=spec), fieldValidation="Strict")
    _apply(talk, f"{CONFIG_MAPS}/a", {**config_map(), "bogus": 1})
    _apply(talk, f"{CONFIG_MAPS}/a", {**config_map(), "data": {"a": 1}})


@case("apply", error=True)
def a_version_or_uid_that_is_another_is_a_conflict(talk: Talk) -> None:
    path = _rich(talk)
    _apply(talk, path, widget())
    _apply(talk, path, widget(resourceVersion="1"))
    _apply(talk, path, widget(uid="66666666-6666-6666-6666-666666666666"))
    _apply(talk, path, widget(namespace="other"))


@case("apply", error=True)
def what_the_rules_of_the_kind_refuse_is_refused(talk: Talk) -> None:
    define_widgets(talk)
    _apply(talk, f"{WIDGETS}/a", widget(spec={"size": 11}))
    _apply(talk, f"{WIDGETS}/a", widget(spec={"size": 1}))
    _apply(talk, f"{WIDGETS}/a", widget(spec={"size": 11}))
    _apply(talk, f"{CONFIG_MAPS}/a", config_map(data={"not a key": "v"}))
    talk.get(f"{WIDGETS}/a")


@case("apply")
def status_has_entries_of_its_own(talk: Talk) -> None:
    path = _rich(talk)
    _apply(talk, path, {**widget(), "status": {"ready": 1}})
    _apply(talk, f"{path}/status", {**widget(spec={"size": 9}), "status": {"ready": 2}}, "two")
    talk.patch(f"{path}/status", {"status": {"ready": 3}}, query={"fieldManager": "updater"})
    _apply(talk, f"{path}/status", {**widget(), "status": {"ready": 4}}, "two")
    _apply(talk, f"{path}/status", {**widget(), "status": {}}, "two")


@case("apply")
def replicas_change_their_owner_with_the_scale(talk: Talk) -> None:
    path = _rich(talk)
    _apply(talk, path, widget(spec={"size": 2}))
    talk.patch(f"{path}/scale", {"spec": {"replicas": 3}}, query={"fieldManager": "scaler"})
    talk.get(path)
    _apply(talk, path, widget(spec={"size": 2}))
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "a"}, "spec": {"replicas": 4}}
    _apply(talk, f"{path}/scale", scale, "two", force="true")
    talk.get(path)


@case("apply")
def the_user_agent_names_who_does_not(talk: Talk) -> None:
    define_widgets(talk)
    for number, agent in enumerate(("my-op/1.2 (x)", "noslash", "/x", "é" * 100, "a\tb/1")):
        talk.post(WIDGETS, widget(f"a{number}"), headers={"User-Agent": agent})
    talk.post(CONFIG_MAPS, config_map(data={"k": "v"}), query={"fieldManager": "named"})


@case("apply")
def updates_of_one_manager_are_merged_and_lost_to_others(talk: Talk) -> None:
    path = _rich(talk)
    talk.post(WIDGETS, widget(spec={"size": 2, "image": "a"}), query={"fieldManager": "a"})
    talk.patch(path, {"spec": {"each": {"k": "v"}}}, query={"fieldManager": "a"})
    talk.patch(path, {"spec": {"image": "b"}, "metadata": {"labels": {"l": "1"}}}, query={"fieldManager": "b"})
    talk.patch(path, {"spec": {"image": "b"}}, query={"fieldManager": "c"})
    talk.patch(path, {"spec": None, "metadata": {"labels": None}}, query={"fieldManager": "c"})


@case("apply")
def entries_can_be_reset_and_come_back_with_an_apply(talk: Talk) -> None:
    path = _rich(talk)
    talk.post(WIDGETS, widget(spec={"size": 2, "image": "a"}))
    talk.patch(path, {"metadata": {"managedFields": []}})
    talk.patch(path, {"metadata": {"managedFields": [{}]}})
    talk.patch(path, {"spec": {"size": 3}})
    _apply(talk, path, widget(spec={"image": "a"}))
    talk.post(CONFIG_MAPS, config_map(data={"k": "v"}))
    talk.patch(f"{CONFIG_MAPS}/a", {"metadata": {"managedFields": []}})
    _apply(talk, f"{CONFIG_MAPS}/a", config_map(data={"k": "w"}))


@case("apply")
def of_many_updaters_the_oldest_become_one(talk: Talk) -> None:
    talk.post(CONFIG_MAPS, config_map(data={"k": "v"}), query={"fieldManager": "m00"})
    for number in range(1, 14):
        patch = {"data": {f"k{number}": "v"}}
        with talk.hush():
            talk.patch(f"{CONFIG_MAPS}/a", patch, query={"fieldManager": f"m{number:02}"})
    talk.get(f"{CONFIG_MAPS}/a")


@case("apply")
def kubectl_goes_over_from_its_own_side(talk: Talk) -> None:
    kubectl = "kubectl-client-side-apply"
    text = '{"apiVersion":"v1","data":{"k":"v"},"kind":"ConfigMap","metadata":{"name":"a"}}\n'
    talk.post(
        CONFIG_MAPS, config_map(data={"k": "v"}, annotations={LAST_APPLIED: text}), query={"fieldManager": kubectl}
    )
    _apply(talk, f"{CONFIG_MAPS}/a", config_map(data={"k": "w"}), "kubectl")
    _apply(talk, f"{CONFIG_MAPS}/a", config_map(data={"k": "x"}), "other")


@case("apply")
def built_in_kinds_are_merged_by_their_keys(talk: Talk) -> None:
    talk.service_account()
    with talk.hush():
        talk.eventually(lambda: talk.get("/api/v1/namespaces/{ns}/serviceaccounts/default").status == 200)
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 80, "protocol": "UDP"}]
    _apply(talk, f"{SERVICES}/a", service(clusterIP="None", ports=ports))
    _apply(talk, f"{SERVICES}/a", service(clusterIP="None", ports=[{"name": "c", "port": 81}]), "two")
    _apply(talk, f"{DEPLOYMENTS}/a", deployment(replicas=0))
    env = {"name": "main", "image": "example.org/image:1", "env": [{"name": "E", "value": "1"}]}
    _apply(talk, f"{PODS}/a", pod(containers=[env]))
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "a"}}
    yaml = "apiVersion: coordination.k8s.io/v1\nkind: Lease\nspec: {renewTime: 2026-01-02T03:04:05.000006Z}\n"
    talk.patch(f"{LEASES}/a", yaml, content_type=APPLY, query={"fieldManager": "one"})
    yaml += "metadata: {name: a}\n"
    talk.patch(f"{LEASES}/a", yaml, content_type=APPLY, query={"fieldManager": "one"})
    _apply(talk, f"{LEASES}/a", lease)


@case("apply")
def a_dry_run_shows_who_would_own_what(talk: Talk) -> None:
    path = _rich(talk)
    _apply(talk, path, widget(), dryRun="All")
    talk.get(path)
    _apply(talk, path, widget(spec={"size": 2}))
    _apply(talk, path, widget(spec={"size": 3}), "two", force="true", dryRun="All")
    talk.get(path)


@case("apply")
def watches_and_bare_metadata_show_the_entries(talk: Talk) -> None:
    path = _rich(talk)
    _apply(talk, path, widget(spec={"size": 2}))
    talk.watch(WIDGETS, {"resourceVersion": "0"}, until=1)
    talk.get(path, headers={"Accept": "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"})
