"""DELETE: at once, in two steps, with preconditions, and of whole collections."""

from __future__ import annotations

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    FINALIZER,
    PODS,
    SECRETS,
    STATEFUL_SETS,
    WIDGETS,
    config_map,
    define_widgets,
    pod,
    secret,
    stateful_set,
    widget,
)

_OTHER_UID = "11111111-2222-3333-4444-555555555555"


def _bind(talk: Talk, name: str = "a") -> None:
    body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": {"kind": "Node", "name": "n"}}
    talk.post(f"{PODS}/{name}/binding", body)


@case("delete")
def what_nothing_holds_is_gone_at_once(talk: Talk) -> None:
    define_widgets(talk)
    for path, body in ((CONFIG_MAPS, config_map()), (WIDGETS, widget()), (STATEFUL_SETS, stateful_set())):
        talk.post(path, body)
        talk.delete(f"{path}/a")
        talk.get(f"{path}/a")


@case("delete")
def finalizers_hold_it_until_the_last_is_gone(talk: Talk) -> None:
    define_widgets(talk)
    for path, body in ((CONFIG_MAPS, config_map(finalizers=[FINALIZER])), (WIDGETS, widget(finalizers=[FINALIZER]))):
        talk.post(path, body)
        first = talk.delete(f"{path}/a")
        second = talk.delete(f"{path}/a")
        talk.note("same version", first.version == second.version)
        talk.patch(f"{path}/a", {"metadata": {"finalizers": None}})
        talk.get(f"{path}/a")


@case("delete", error=True)
def what_is_missing_is_not_found(talk: Talk) -> None:
    define_widgets(talk)
    talk.delete(f"{CONFIG_MAPS}/a")
    talk.delete(f"{WIDGETS}/a")
    talk.delete(f"{PODS}/a")
    talk.delete("/api/v1/namespaces/{ns}-not")
    talk.delete("/api/v1/namespaces/{ns}-not/configmaps/a")


@case("delete", error=True)
def preconditions_must_hold(talk: Talk) -> None:
    define_widgets(talk)
    for path, body in ((CONFIG_MAPS, config_map()), (WIDGETS, widget())):
        created = talk.post(path, body).body["metadata"]
        talk.delete(f"{path}/a", {"preconditions": {"uid": _OTHER_UID}})
        talk.delete(
            f"{path}/a", {"preconditions": {"uid": created["uid"], "resourceVersion": created["resourceVersion"]}}
        )
        talk.get(f"{path}/a")


@case("delete", error=True)
def options_are_checked(talk: Talk) -> None:
    talk.post(CONFIG_MAPS, config_map())
    path = f"{CONFIG_MAPS}/a"
    talk.delete(path, {"propagationPolicy": "Sideways"})
    talk.delete(path, query={"propagationPolicy": "Sideways"})
    talk.delete(path, query={"propagationPolicy": ""})
    talk.delete(path, {"propagationPolicy": "Orphan", "orphanDependents": True})
    talk.delete(path, {"dryRun": ["Some"]})
    talk.delete(path, {"gracePeriodSeconds": -1})
    talk.delete(path, "{")
    talk.delete(path, {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": "x"})
    talk.delete(path, {"kind": "ConfigMap", "apiVersion": "v1"})


@case("delete", error=True)
def a_pod_that_no_node_runs_is_gone_at_once(talk: Talk) -> None:
    talk.service_account()
    talk.post(PODS, pod())
    talk.delete(f"{PODS}/a")
    talk.get(f"{PODS}/a")


@case("delete")
def a_pod_on_a_node_gets_its_grace(talk: Talk) -> None:
    talk.service_account()
    talk.post(PODS, pod())
    _bind(talk)
    talk.delete(f"{PODS}/a")
    talk.delete(f"{PODS}/a")
    talk.delete(f"{PODS}/a", {"gracePeriodSeconds": 5})
    talk.delete(f"{PODS}/a", {"gracePeriodSeconds": 60})
    talk.delete(f"{PODS}/a", query={"gracePeriodSeconds": "0"})
    talk.get(f"{PODS}/a")


@case("delete")
def the_grace_of_a_pod_is_its_own_unless_the_client_says(talk: Talk) -> None:
    talk.service_account()
    talk.post(PODS, pod(terminationGracePeriodSeconds=7))
    _bind(talk)
    talk.delete(f"{PODS}/a")
    talk.delete(f"{PODS}/a", {"gracePeriodSeconds": 0})
    talk.post(PODS, pod("b", metadata={"finalizers": [FINALIZER]}))
    _bind(talk, "b")
    talk.delete(f"{PODS}/b", {"gracePeriodSeconds": 0})
    talk.patch(f"{PODS}/b", {"metadata": {"finalizers": None}})
    talk.get(f"{PODS}/b")


@case("delete")
def a_collection_goes_as_the_selector_says(talk: Talk) -> None:
    define_widgets(talk)
    for name in "abc":
        talk.post(SECRETS, {**secret(name), "metadata": {"name": name, "labels": {"x": name}}})
        talk.post(WIDGETS, widget(name, labels={"x": name}))
    for path in (SECRETS, WIDGETS):
        talk.delete(path, query={"labelSelector": "x in (a,b)"})
        talk.get(path)
        talk.delete(path, query={"dryRun": "All"})
        talk.delete(path, query={"fieldSelector": "metadata.name=c"})
        talk.delete(path)


@case("delete", error=True)
def collections_of_namespaces_and_bad_selectors_are_refused(talk: Talk) -> None:
    talk.delete("/api/v1/namespaces")
    talk.delete(SECRETS, query={"labelSelector": "a b"})
    talk.delete(SECRETS, query={"propagationPolicy": "Sideways"})
    talk.delete("/api/v1/secrets")


@case("delete", error=True)
def the_first_namespaces_stay(talk: Talk) -> None:
    talk.delete("/api/v1/namespaces/default")
    talk.delete("/api/v1/namespaces/kube-system")


@case("delete")
def a_namespace_is_marked_and_goes_when_it_is_finalized(talk: Talk) -> None:
    """Its controller does that, too, but not soon while other cases change what there is to discover."""
    place = "/api/v1/namespaces/{ns}-b"
    talk.post("/api/v1/namespaces", {"metadata": {"name": "{ns}-b"}})
    talk.delete(place)
    with talk.hush():
        talk.put(f"{place}/finalize", {"metadata": {"name": "{ns}-b"}, "spec": {"finalizers": []}})
        talk.eventually(lambda: talk.get(place).status == 404)
    talk.get(place)
