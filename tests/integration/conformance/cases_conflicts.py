"""Who wrote first: resourceVersions and uids that no longer hold."""

from __future__ import annotations

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    LEASES,
    ROLES,
    SECRETS,
    WIDGETS,
    config_map,
    define_widgets,
    deployment,
    lease,
    secret,
    versioned,
    widget,
)

_OTHER_UID = "11111111-2222-3333-4444-555555555555"


@case("conflicts", error=True)
def a_put_with_a_stale_version_is_refused(talk: Talk) -> None:
    define_widgets(talk)
    first = talk.post(WIDGETS, widget()).body
    talk.put(f"{WIDGETS}/a", versioned(widget(spec={"size": 2}), first))
    talk.put(f"{WIDGETS}/a", versioned(widget(spec={"size": 3}), first))
    talk.get(f"{WIDGETS}/a")


@case("conflicts", error=True)
def a_put_of_a_config_map_with_a_stale_version_is_refused(talk: Talk) -> None:
    first = talk.post(CONFIG_MAPS, config_map()).body
    talk.put(f"{CONFIG_MAPS}/a", versioned(config_map(data={"k": "1"}), first))
    talk.put(f"{CONFIG_MAPS}/a", versioned(config_map(data={"k": "2"}), first))


@case("conflicts", error=True)
def patches_with_a_stale_version_are_refused(talk: Talk) -> None:
    define_widgets(talk)
    first = talk.post(WIDGETS, widget()).body
    talk.patch(f"{WIDGETS}/a", {"spec": {"size": 2}})
    stale = {"metadata": {"resourceVersion": first["metadata"]["resourceVersion"]}}
    talk.patch(f"{WIDGETS}/a", {**stale, "spec": {"size": 3}})
    talk.patch(f"{WIDGETS}/a/status", {**stale, "status": {"ready": 3}})


@case("conflicts", error=True)
def custom_resources_and_leases_need_a_version_in_a_put(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(WIDGETS, widget())
    talk.put(f"{WIDGETS}/a", widget(spec={"size": 2}))
    talk.put(f"{WIDGETS}/a", widget(resourceVersion="0"))
    talk.put(f"{WIDGETS}/a", widget(resourceVersion=""))
    talk.post(LEASES, lease())
    talk.put(f"{LEASES}/a", lease(holderIdentity="you"))


@case("conflicts")
def most_built_in_kinds_need_no_version_in_a_put(talk: Talk) -> None:
    talk.post(CONFIG_MAPS, config_map())
    talk.put(f"{CONFIG_MAPS}/a", config_map(data={"k": "v"}))
    talk.post(SECRETS, secret())
    talk.put(f"{SECRETS}/a", secret(data={"k": "dg=="}))
    talk.post(DEPLOYMENTS, deployment())  # which no controller touches here
    talk.put(f"{DEPLOYMENTS}/a", deployment(revisionHistoryLimit=3))
    role = {"metadata": {"name": "a"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
    talk.post(ROLES, {**role, "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"})
    talk.put(f"{ROLES}/a", {**role, "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": []})


@case("conflicts", error=True)
def a_version_that_is_no_number_is_an_internal_error(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(WIDGETS, widget())
    talk.post(CONFIG_MAPS, config_map())
    talk.put(f"{WIDGETS}/a", widget(resourceVersion="abc"))
    talk.put(f"{CONFIG_MAPS}/a", config_map(resourceVersion="abc"))
    talk.patch(f"{CONFIG_MAPS}/a", {"metadata": {"resourceVersion": "abc"}})


@case("conflicts", error=True)
def a_put_with_another_uid_is_refused(talk: Talk) -> None:
    define_widgets(talk)
    first = talk.post(WIDGETS, widget()).body
    talk.put(f"{WIDGETS}/a", versioned(widget(uid=_OTHER_UID), first))
    talk.post(CONFIG_MAPS, config_map())
    talk.put(f"{CONFIG_MAPS}/a", config_map(uid=_OTHER_UID))
    talk.patch(f"{CONFIG_MAPS}/a", {"metadata": {"uid": _OTHER_UID}})


@case("conflicts", error=True)
def a_stale_status_is_refused(talk: Talk) -> None:
    define_widgets(talk)
    first = talk.post(WIDGETS, widget()).body
    talk.put(f"{WIDGETS}/a/status", {**versioned(widget(), first), "status": {"ready": 1}})
    talk.put(f"{WIDGETS}/a/status", {**versioned(widget(), first), "status": {"ready": 2}})
    talk.put(f"{WIDGETS}/a/status", {**widget(), "status": {"ready": 2}})
