"""PUT: what it may change, keeps, and does not do."""

from __future__ import annotations

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    FINALIZER,
    LEASES,
    PODS,
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
    template,
    versioned,
    widget,
)


@case("update")
def a_put_replaces_all_but_the_servers_own_fields(talk: Talk) -> None:
    define_widgets(talk)
    first = talk.post(WIDGETS, widget(labels={"a": "b"}, annotations={"c": "d"})).body
    talk.put(f"{WIDGETS}/a", versioned(widget(spec={}, labels={"x": "y"}), first))
    created = talk.post(CONFIG_MAPS, config_map(data={"k": "v"}, labels={"a": "b"})).body
    own = {"uid": created["metadata"]["uid"], "creationTimestamp": "2001-01-01T00:00:00Z", "generation": 7}
    talk.put(f"{CONFIG_MAPS}/a", config_map(data={"l": "w"}, **own))


@case("update")
def a_put_that_changes_nothing_keeps_the_version(talk: Talk) -> None:
    define_widgets(talk)
    for path, body in ((WIDGETS, widget()), (SECRETS, secret()), (SERVICES, service())):
        before = talk.post(path, body).body
        after = talk.put(f"{path}/a", versioned(body, before)).body
        talk.note("same version", before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"])


@case("update", error=True)
def a_put_of_what_is_missing_creates_only_leases(talk: Talk) -> None:
    define_widgets(talk)
    talk.put(f"{WIDGETS}/a", widget(resourceVersion="1"))
    talk.put(f"{CONFIG_MAPS}/a", config_map())
    talk.put(f"{LEASES}/a", lease())
    talk.put(f"{LEASES}/b", lease("b", holderIdentity="you"))


@case("update", error=True)
def another_name_than_the_paths_is_refused(talk: Talk) -> None:
    define_widgets(talk)
    first = talk.post(WIDGETS, widget()).body
    talk.post(CONFIG_MAPS, config_map())
    talk.put(f"{CONFIG_MAPS}/a", config_map("other"))
    talk.put(f"{WIDGETS}/a", versioned(widget("other"), first))
    talk.put(f"{CONFIG_MAPS}/a", config_map(namespace="default"))
    talk.put(f"{CONFIG_MAPS}/a", {"metadata": {}, "data": {"no": "name"}})
    talk.put(f"{CONFIG_MAPS}/a", config_map(""))


@case("update", error=True)
def a_put_checks_kinds_and_bodies_as_a_post_does(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(WIDGETS, widget())
    talk.post(CONFIG_MAPS, config_map())
    talk.put(f"{WIDGETS}/a", {**widget(), "kind": "Other"})
    talk.put(f"{CONFIG_MAPS}/a", {**config_map(), "kind": "Secret"})
    talk.put(f"{CONFIG_MAPS}/a", "{")
    talk.put(f"{CONFIG_MAPS}/a", config_map(labels={"-": ""}))


@case("update", error=True)
def immutable_config_maps_and_secrets_stay_as_they_are(talk: Talk) -> None:
    talk.post(CONFIG_MAPS, {**config_map(data={"k": "v"}), "immutable": True})
    talk.put(f"{CONFIG_MAPS}/a", {**config_map(data={"k": "w"}), "immutable": True})
    talk.put(f"{CONFIG_MAPS}/a", config_map(data={"k": "v"}))
    talk.put(f"{CONFIG_MAPS}/a", {**config_map(data={"k": "v"}, labels={"may": "change"}), "immutable": True})
    talk.post(SECRETS, secret(data={"k": "dg=="}, immutable=True))
    talk.put(f"{SECRETS}/a", secret(data={"k": "dw=="}, immutable=True))
    talk.post(SECRETS, secret("b", type="example.org/one"))
    talk.put(f"{SECRETS}/b", secret("b", type="example.org/two"))


@case("update", error=True)
def most_of_a_stateful_set_never_changes(talk: Talk) -> None:
    talk.post(STATEFUL_SETS, stateful_set())
    talk.put(f"{STATEFUL_SETS}/a", stateful_set(serviceName="other"))
    talk.put(f"{STATEFUL_SETS}/a", stateful_set(podManagementPolicy="Parallel"))
    talk.put(f"{STATEFUL_SETS}/a", stateful_set(selector={"matchLabels": {"app": "b"}}))
    with talk.hush():  # by now a controller may have written the status
        may = stateful_set(template=template(terminationGracePeriodSeconds=1), minReadySeconds=3)
        changed = talk.put(f"{STATEFUL_SETS}/a", may).body
    talk.note("spec", changed["spec"])
    talk.note("generation", changed["metadata"]["generation"])


@case("update", error=True)
def the_selector_of_a_deployment_never_changes(talk: Talk) -> None:
    talk.post(DEPLOYMENTS, deployment())
    other = {"matchLabels": {"app": "a", "more": "b"}}
    talk.put(f"{DEPLOYMENTS}/a", deployment(selector=other))
    labelled = {**template(), "metadata": {"labels": other["matchLabels"]}}
    talk.put(f"{DEPLOYMENTS}/a", deployment(selector=other, template=labelled))
    talk.put(f"{DEPLOYMENTS}/a", deployment(template=labelled))


@case("update", error=True)
def little_of_a_pod_ever_changes(talk: Talk) -> None:
    talk.service_account()
    talk.post(PODS, pod())
    image = [{"name": "main", "image": "example.org/image:2"}]
    for change in (
        {"hostname": "other"},
        {"nodeName": "n"},
        {"serviceAccountName": "other", "serviceAccount": "other"},
    ):
        talk.patch(f"{PODS}/a", {"spec": change})
    talk.put(f"{PODS}/a", pod(containers=image))
    talk.put(f"{PODS}/a", pod(containers=image, serviceAccountName="default"))
    talk.put(f"{PODS}/a", pod(containers=[*image, {"name": "more", "image": "i"}]))
    for seconds in (5, 9, -1, 3, None):
        talk.patch(f"{PODS}/a", {"spec": {"activeDeadlineSeconds": seconds}})
    talk.patch(f"{PODS}/a", {"metadata": {"labels": {"may": "change"}}})
    talk.patch(f"{PODS}/a", {"spec": {"tolerations": []}})
    talk.patch(f"{PODS}/a", {"spec": {"tolerations": [{"key": "k", "operator": "Exists"}]}})
    talk.patch(f"{PODS}/a", {"spec": {"tolerations": []}})
    talk.patch(f"{PODS}/a", {"spec": {"schedulingGates": [{"name": "example.org/gate"}]}})


@case("update", error=True)
def the_address_of_a_service_never_changes(talk: Talk) -> None:
    talk.post(SERVICES, service())
    talk.put(f"{SERVICES}/a", service(ports=[{"port": 81, "name": "web"}]))
    talk.put(f"{SERVICES}/a", service(clusterIP="10.0.0.77"))
    talk.put(f"{SERVICES}/a", service(ports=[{"port": 0}]))
    talk.put(f"{SERVICES}/a", service(ports=[{"port": 1}, {"port": 2}]))
    talk.put(f"{SERVICES}/a", service(sessionAffinity="Sometimes"))


@case("update", error=True)
def no_finalizer_is_added_while_deleting(talk: Talk) -> None:
    define_widgets(talk)
    for path, body in ((CONFIG_MAPS, config_map(finalizers=[FINALIZER])), (WIDGETS, widget(finalizers=[FINALIZER]))):
        talk.post(path, body)
        talk.delete(f"{path}/a")
        more = {"metadata": {"finalizers": [FINALIZER, f"{FINALIZER}-more"]}}
        talk.patch(f"{path}/a", more)
        talk.patch(f"{path}/a", {"metadata": {"labels": {"x": "y"}}})
        talk.patch(f"{path}/a", {"metadata": {"deletionTimestamp": "2001-01-01T00:00:00Z"}})
        talk.patch(f"{path}/a", {"metadata": {"finalizers": []}})
        talk.get(f"{path}/a")


@case("update", error=True)
def a_put_to_a_collection_or_of_a_missing_subresource_is_refused(talk: Talk) -> None:
    talk.post(CONFIG_MAPS, config_map())
    talk.put(CONFIG_MAPS, config_map())
    talk.put(f"{CONFIG_MAPS}/a/status", config_map())
    talk.patch(CONFIG_MAPS, {})
    talk.post(f"{CONFIG_MAPS}/a", config_map())
