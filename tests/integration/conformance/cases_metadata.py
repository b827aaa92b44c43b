"""Metadata: what every kind checks, and how often, and what an update leaves as it is."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Body, Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    FINALIZER,
    LEASES,
    PODS,
    ROLES,
    SECRETS,
    SERVICES,
    STATEFUL_SETS,
    WIDGETS,
    config_map,
    define_widgets,
    deployment,
    lease,
    owner,
    pod,
    secret,
    service,
    stateful_set,
    widget,
)

SERVICE_ACCOUNTS = "/api/v1/namespaces/{ns}/serviceaccounts"
ROLE_BINDINGS = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings"
REVISIONS = "/apis/apps/v1/namespaces/{ns}/controllerrevisions"
EVENTS = "/api/v1/namespaces/{ns}/events"
_REF = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "a"}


def named(name: str = "a", **more: Any) -> Body:
    return {"metadata": {"name": name}, **more}


def event(name: str = "a") -> Body:
    return named(name, involvedObject={"kind": "Pod", "namespace": "{ns}", "name": "p"}, reason="r", message="m")


def kinds() -> list[tuple[str, Body]]:
    return [
        (CONFIG_MAPS, config_map()),
        (SECRETS, secret()),
        (SERVICES, service()),
        (SERVICE_ACCOUNTS, named()),
        (PODS, pod()),
        (EVENTS, event()),
        (STATEFUL_SETS, stateful_set()),
        (DEPLOYMENTS, deployment(replicas=0)),
        (REVISIONS, named(revision=1, data={})),  # a server compares the bytes of more
        (LEASES, lease()),
        (ROLES, named(rules=[])),
        (ROLE_BINDINGS, named(roleRef=_REF)),
        (WIDGETS, widget()),
    ]


def with_metadata(body: Body, **metadata: Any) -> Body:
    return {**body, "metadata": {**body["metadata"], **metadata}}


def told(talk: Talk, path: str, answer: Body) -> None:
    """The causes of a refusal, whatever a controller has done to the object meanwhile."""
    causes = sorted(f"{each['field']}: {each['message']}" for each in (answer.get("details") or {}).get("causes") or [])
    talk.note(path, [answer.get("code"), answer.get("message") if not causes else "", causes])


@case("create", error=True)
def every_kind_checks_metadata_as_often_as_it_does(talk: Talk) -> None:
    talk.service_account()
    define_widgets(talk)
    wrong = {"labels": {"-": "v"}, "annotations": {"not good": "v"}, "finalizers": ["bare"], "name": "A_b"}
    for path, body in kinds():
        for name, value in wrong.items():
            with talk.hush():
                answer = talk.post(path, with_metadata(body, **{name: value}), query={"dryRun": "All"}).body
            told(talk, f"{path} {name}", answer)


@case("update", error=True)
def an_update_checks_metadata_again_and_again(talk: Talk) -> None:
    talk.service_account()
    define_widgets(talk)
    wrong: Body = {
        "labels": {"-": "v"}, "annotations": {"not good": "v"}, "finalizers": ["bare", "not good/x"],
        "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "o", "uid": ""}],
        "deletionGracePeriodSeconds": 3, "deletionTimestamp": "2001-01-01T00:00:00Z",
        "uid": "11111111-2222-3333-4444-555555555555",
    }  # fmt: skip
    for path, body in kinds():
        with talk.hush():
            assert talk.post(path, body).status == 201
        for name, value in wrong.items():
            with talk.hush():
                answer = talk.patch(f"{path}/a", {"metadata": {name: value}}, query={"dryRun": "All"}).body
            told(talk, f"{path} {name}", answer)


@case("update")
def the_servers_own_metadata_stays_whatever_is_sent(talk: Talk) -> None:
    define_widgets(talk)
    sent = {
        "creationTimestamp": "2001-01-01T00:00:00Z", "generation": 7, "generateName": "other-", "selfLink": "/x",
        "namespace": "{ns}",
    }  # fmt: skip
    for path, body in ((CONFIG_MAPS, config_map()), (WIDGETS, widget()), (LEASES, lease())):
        talk.post(path, body)
        talk.patch(f"{path}/a", {"metadata": sent})
        talk.patch(f"{path}/a", {"metadata": {"creationTimestamp": None, "uid": None, "generateName": None}})


@case("update", error=True)
def the_name_cannot_be_taken_away(talk: Talk) -> None:
    define_widgets(talk)
    for path, body in ((CONFIG_MAPS, config_map()), (WIDGETS, widget())):
        talk.post(path, body)
        for metadata in ({"name": None}, {"name": ""}, {"name": "b"}, {"namespace": "default"}, {"namespace": None}):
            talk.patch(f"{path}/a", {"metadata": metadata})
        talk.patch(f"{path}/a", {"metadata": None})
        talk.patch(f"{path}/a", [{"op": "remove", "path": "/metadata"}], content_type="json")


@case("create")
def owners_that_come_twice_are_one(talk: Talk) -> None:
    define_widgets(talk)
    one = owner(talk.post(CONFIG_MAPS, config_map("owner")).body)
    two = {**one, "controller": True}
    talk.post(CONFIG_MAPS, config_map(ownerReferences=[one, one, two]))
    talk.post(WIDGETS, widget(ownerReferences=[one, one]))
    talk.put(f"{CONFIG_MAPS}/a", config_map(ownerReferences=[two, two]))
    talk.patch(f"{CONFIG_MAPS}/a", {"metadata": {"ownerReferences": [two, one, two]}})


@case("create", error=True)
def owners_are_no_events_and_one_is_in_control(talk: Talk) -> None:
    event = {"apiVersion": "v1", "kind": "Event", "name": "o", "uid": "u"}
    talk.post(CONFIG_MAPS, config_map(ownerReferences=[event]))
    talk.post(CONFIG_MAPS, config_map(ownerReferences=[{**event, "kind": "Pod", "apiVersion": "a/b/c"}]))
    three = [{**event, "kind": "Pod", "controller": True, "uid": each, "blockOwnerDeletion": True} for each in "uvw"]
    talk.post(CONFIG_MAPS, config_map(ownerReferences=three))


@case("create", error=True)
def finalizers_of_the_server_exclude_each_other(talk: Talk) -> None:
    define_widgets(talk)
    both = ["orphan", "foregroundDeletion"]
    talk.post(CONFIG_MAPS, config_map(finalizers=both))
    talk.post(WIDGETS, widget(finalizers=both))
    talk.post(WIDGETS, widget(finalizers=["bare", "dotted.name", FINALIZER]))
    talk.patch(f"{WIDGETS}/a", {"metadata": {"finalizers": ["bare", "new"]}})


@case("create")
def what_clients_write_for_nothing_is_nothing(talk: Talk) -> None:
    define_widgets(talk)
    nothing: Body = {
        "creationTimestamp": None, "labels": None, "annotations": {}, "finalizers": [], "ownerReferences": [],
        "managedFields": [], "generateName": "", "selfLink": "", "namespace": "",
    }  # fmt: skip
    talk.post(CONFIG_MAPS, {**config_map(**nothing), "data": None, "binaryData": {}, "immutable": None})
    talk.post(WIDGETS, {**widget(**nothing), "status": None})
    talk.post(CONFIG_MAPS, {**config_map("b"), "data": {"a": None, "b": ""}})
    talk.post(PODS.replace("pods", "secrets"), {**secret("b"), "data": {"a": None}, "stringData": {"b": None, "c": ""}})


@case("create", error=True)
def a_generation_is_no_less_than_nothing(talk: Talk) -> None:
    define_widgets(talk)
    for path, body in ((CONFIG_MAPS, config_map()), (WIDGETS, widget()), (DEPLOYMENTS, deployment(replicas=0))):
        talk.post(path, with_metadata(body, generation=-1), query={"dryRun": "All"})
        talk.post(path, with_metadata(body, generation="1"), query={"dryRun": "All"})
    talk.post(CONFIG_MAPS, config_map(generation=4))
    talk.put(f"{CONFIG_MAPS}/a", config_map(data={"a": "b"}))
    talk.patch(f"{CONFIG_MAPS}/a", {"metadata": {"finalizers": [FINALIZER]}})
    talk.delete(f"{CONFIG_MAPS}/a")
    talk.patch(f"{CONFIG_MAPS}/a", {"metadata": {"finalizers": None}})
