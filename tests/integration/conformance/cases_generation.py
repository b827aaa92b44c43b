"""metadata.generation: what counts, and for which kinds."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Talk, case
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
    pod,
    secret,
    service,
    stateful_set,
    widget,
)


def _note(talk: Talk, label: str, body: dict[str, Any]) -> None:
    talk.note(label, body["metadata"].get("generation"))


@case("generation")
def only_changes_of_the_spec_count(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(WIDGETS, widget())
    talk.patch(f"{WIDGETS}/a", {"spec": {"size": 2}})
    talk.patch(f"{WIDGETS}/a", {"metadata": {"labels": {"x": "y"}}})
    talk.patch(f"{WIDGETS}/a", {"status": {"ready": 1}})
    talk.patch(f"{WIDGETS}/a/status", {"status": {"ready": 2}})
    talk.patch(f"{WIDGETS}/a", {"spec": {"size": 2}})


@case("generation")
def without_a_status_subresource_the_status_counts_too(talk: Talk) -> None:
    define_widgets(talk, status=False)
    talk.post(WIDGETS, {**widget(), "status": {"ready": 1}})
    talk.patch(f"{WIDGETS}/a", {"status": {"ready": 2}})
    talk.patch(f"{WIDGETS}/a", {"metadata": {"annotations": {"x": "y"}}})


@case("generation")
def some_kinds_have_none(talk: Talk) -> None:
    role = {"metadata": {"name": "a"}, "rules": []}
    kinds = (
        (CONFIG_MAPS, config_map(), {"data": {"x": "y"}}),
        (SECRETS, secret(), {"data": {"x": "eQ=="}}),
        (SERVICES, service(), {"spec": {"publishNotReadyAddresses": True}}),
        (LEASES, lease(), {"spec": {"holderIdentity": "you"}}),
        (ROLES, role, {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}),
    )
    for path, body, change in kinds:
        talk.post(path, body)
        talk.patch(f"{path}/a", change)


@case("generation")
def workloads_have_one(talk: Talk) -> None:
    talk.service_account()
    kinds = (
        (STATEFUL_SETS, stateful_set(), {"spec": {"revisionHistoryLimit": 2}}),
        (DEPLOYMENTS, deployment(), {"spec": {"replicas": 2}}),
        (PODS, pod(), {"spec": {"activeDeadlineSeconds": 2}}),
    )
    for path, body, change in kinds:
        _note(talk, "created", talk.post(path, body).body)
        with talk.hush():
            changed = talk.patch(f"{path}/a", change).body
            labelled = talk.patch(f"{path}/a", {"metadata": {"labels": {"x": "y"}}}).body
        _note(talk, "changed", changed)
        _note(talk, "labelled", labelled)


@case("generation")
def being_marked_for_deletion_counts(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(WIDGETS, widget(finalizers=[FINALIZER]))
    talk.delete(f"{WIDGETS}/a")
    talk.delete(f"{WIDGETS}/a")
    talk.patch(f"{WIDGETS}/a", {"spec": {"size": 2}})
    talk.patch(f"{WIDGETS}/a", {"metadata": {"finalizers": None}})


@case("generation", error=True)
def a_refused_change_does_not_count(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(WIDGETS, widget())
    talk.patch(f"{WIDGETS}/a", {"spec": {"size": 99}})
    talk.patch(f"{WIDGETS}/a", {"spec": {"size": 5}, "metadata": {"generation": 50}})
