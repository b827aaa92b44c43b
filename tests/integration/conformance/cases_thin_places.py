"""Exchanges of many kinds, each tried beside a real server because little else goes there."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.cases_crd_lifecycle import DEFINITIONS
from tests.integration.conformance.harness import Answer, Body, Talk, case
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
    owner,
    pod,
    secret,
    service,
    stateful_set,
    versioned,
    widget,
)

ACCOUNTS = "/api/v1/namespaces/{ns}/serviceaccounts"
APPLY = "application/apply-patch+yaml"
_DRY = {"dryRun": "All"}
_TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


def told(answer: Answer) -> list[Any]:
    """What is the same whatever a controller has done meanwhile."""
    return [answer.status, answer.body.get("message"), (answer.body.get("details") or {}).get("causes")]


@case("delete")
def one_policy_after_another(talk: Talk) -> None:
    define_widgets(talk)
    policies = ("Orphan", "Foreground", "Background")
    for path, make in ((CONFIG_MAPS, config_map), (WIDGETS, widget)):
        for number, pair in enumerate((first, second) for first in policies for second in policies):
            with talk.hush():
                talk.post(path, make(f"a{number}", finalizers=[FINALIZER]))
                answers = [talk.delete(f"{path}/a{number}", {"propagationPolicy": each}) for each in pair]
                talk.patch(f"{path}/a{number}", {"metadata": {"finalizers": None}})
            for answer in answers:
                metadata = answer.body["metadata"]
                seen = [metadata.get(name) for name in ("generation", "deletionGracePeriodSeconds")]
                talk.note(f"{pair}", [answer.status, sorted(metadata.get("finalizers") or ()), *seen])


@case("delete", error=True)
def options_of_a_deletion_are_read_closely(talk: Talk) -> None:
    define_widgets(talk)
    talk.service_account()
    bodies: list[Any] = [
        {"propagationPolicy": "Bogus"}, {"orphanDependents": True, "propagationPolicy": "Orphan"},
        {"gracePeriodSeconds": -1}, {"preconditions": {"uid": "x"}}, {"preconditions": {"resourceVersion": "1"}},
        {"unknown": 1}, {"kind": "Pod", "apiVersion": "v1"}, {"kind": "DeleteOptions", "apiVersion": "apps/v1"},
        {"kind": "DeleteOptions", "apiVersion": "nope/v9"}, {"gracePeriodSeconds": "x"}, [], "x",
        {"ignoreStoreReadErrorWithClusterBreakingPotential": True},
    ]  # fmt: skip
    queries: list[Body] = [
        {"gracePeriodSeconds": "-5"}, {"gracePeriodSeconds": "abc"}, {"propagationPolicy": "x"},
        {"orphanDependents": "maybe"}, {"fieldValidation": "Bogus"},
    ]  # fmt: skip
    of_many: list[Body] = [
        {"labelSelector": "a in ("}, {"limit": "1"}, {"limit": "-1"}, {"continue": "x"},
        {"fieldSelector": "metadata.name=zzz"},
    ]  # fmt: skip
    for path, body in ((SECRETS, secret()), (WIDGETS, widget()), (PODS, pod())):
        talk.post(path, body)
        for options in bodies:
            talk.delete(f"{path}/a", options, query=_DRY)
        for query in queries:
            talk.delete(f"{path}/a", query={**query, **_DRY})
        for query in of_many:
            talk.delete(path, query={**query, **_DRY})
        talk.delete(path, {"propagationPolicy": "Bogus"}, query=_DRY)


@case("apply", error=True)
def odd_names_of_managers(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map())
    talk.post(WIDGETS, widget())
    wanted = config_map(data={"k": "v"})
    for name in ("x" * 128, "x" * 129, "a\nb", "", " ", "é", "a\u200bb", "日" * 50, "a b/c"):
        query = {"fieldManager": name, **_DRY}
        talk.patch(f"{CONFIG_MAPS}/a", {"data": {"k": "v"}}, query=query)
        talk.patch(f"{CONFIG_MAPS}/a", wanted, content_type=APPLY, query={**query, "force": "true"})
        talk.post(WIDGETS, widget("b"), query=query)
        talk.put(f"{CONFIG_MAPS}/a", wanted, query=query)
        talk.patch(f"{WIDGETS}/a/scale", {"spec": {"replicas": 1}}, query=query)
    for force in ("true", "", "0", "x", "FALSE"):
        talk.patch(f"{CONFIG_MAPS}/a", {"data": {"k": "v"}}, query={"force": force, **_DRY})
        query = {"fieldManager": "m", "force": force, **_DRY}
        talk.patch(f"{CONFIG_MAPS}/a", wanted, content_type=APPLY, query=query)
    for agent in ("kubectl/v1.30 (linux)", "a b/c", "/x", "x/", "x" * 200, "a\tb"):
        talk.patch(f"{CONFIG_MAPS}/a", {"data": {"k": "w"}}, headers={"User-Agent": agent}, query=_DRY)


@case("dry run")
def subresources_are_tried_only(talk: Talk) -> None:
    talk.service_account()
    talk.post(PODS, pod())
    with talk.hush():
        talk.post(DEPLOYMENTS, deployment(replicas=0))
    talk.put(f"{PODS}/a/status", pod(), query=_DRY)
    talk.patch(f"{DEPLOYMENTS}/a/scale", {"spec": {"replicas": 3}}, query=_DRY)
    talk.post(f"{PODS}/a/binding", {"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "n"}}, query=_DRY)
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a"}}
    talk.post(f"{PODS}/a/eviction", eviction, query=_DRY)
    with talk.hush():
        body = talk.get(f"{PODS}/a").body
    talk.note("pod", [body["spec"].get("nodeName"), body["metadata"].get("deletionTimestamp")])


@case("access reviews", error=True)
def a_token_request_is_checked(talk: Talk) -> None:
    talk.post(ACCOUNTS, {"metadata": {"name": "x"}})
    place = f"{ACCOUNTS}/x/token"
    specs: list[Body] = [{"expirationSeconds": each} for each in (600, 2**32, 1, 599, 2**32 + 1, 0, -1, "x")]
    specs += [{}, {"audiences": ["a", "b"]}, {"audiences": [""]}, {"bogus": 1}, {"boundObjectRef": {}}]
    kinds = ("Pod", "Secret", "ConfigMap")
    specs += [{"boundObjectRef": {"kind": each, "apiVersion": "v1", "name": "none"}} for each in kinds]
    bodies: list[Any] = [{"spec": each} for each in specs]
    bodies += [{"metadata": {"name": "y"}, "spec": {}}, {"metadata": {"namespace": "default"}, "spec": {}}, {}, "{"]
    bodies.append({"apiVersion": "v1", "kind": "ServiceAccount", "spec": {}})
    for body in bodies:
        with talk.hush():
            answer = talk.post(place, body)
        entries = (answer.body.get("metadata") or {}).get("managedFields") or ()
        talk.note(f"{body}", [*told(answer), [each["fieldsV1"] for each in entries]])
    talk.post(f"{ACCOUNTS}/none/token", {"spec": {}})
    talk.get(place)
    talk.put(place, {})


@case("status", error=True)
def a_namespace_is_finalized_by_name_and_version(talk: Talk) -> None:
    place = "/api/v1/namespaces/{ns}/finalize"

    def finalize(*finalizers: str, **metadata: Any) -> None:
        body = {"metadata": {"name": "{ns}", **metadata}, "spec": {"finalizers": [*finalizers]}}
        with talk.hush():
            answer = talk.put(place, body)
        talk.note("finalized", [*told(answer), answer.body.get("spec")])

    finalize("bad")
    finalize("-/-", "kubernetes")
    finalize("kubernetes", name="other")
    finalize("kubernetes", "example.org/x")
    finalize("kubernetes")
    finalize("kubernetes", resourceVersion="1")
    talk.get(place)


@case("create", error=True)
def little_comes_into_a_namespace_that_goes(talk: Talk) -> None:
    path = "/api/v1/namespaces/{ns}-t/configmaps"
    with talk.hush():
        talk.post("/api/v1/namespaces", {"metadata": {"name": "{ns}-t"}})
        talk.delete_later("/api/v1/namespaces/{ns}-t")
        talk.post(path, config_map(finalizers=[FINALIZER]))
        talk.delete("/api/v1/namespaces/{ns}-t")
        talk.eventually(lambda: talk.get(f"{path}/a").body.get("metadata", {}).get("deletionTimestamp"))
    talk.post(path, config_map("b"), query=_DRY)
    talk.patch(f"{path}/b", config_map("b"), content_type=APPLY, query={"fieldManager": "m"})
    talk.put(LEASES.replace("{ns}", "{ns}-t") + "/l", lease("l"))
    with talk.hush():
        talk.note("patched", talk.patch(f"{path}/a", {"data": {"k": "v"}}).status)
        talk.patch(f"{path}/a", {"metadata": {"finalizers": None}})


@case("merge patch", error=True)
def patches_of_every_odd_kind(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map(data={"k": "v"}))
    talk.post(WIDGETS, widget())
    types = (
        "application/json", "", "application/merge-patch+json; charset=utf-8", "application/MERGE-PATCH+json",
        "text/plain", "application/yaml", "application/cbor", "application/json-patch+json;x=y", "merge",
    )  # fmt: skip
    texts = (
        "", "{}", "[]", "null", "1", '"x"', "{", '[{"op":"add"}]', '[{"op":"test","path":"/kind","value":"x"}]',
        '{"metadata":null}', '{"a":1,"a":2}',
    )  # fmt: skip
    metadata: list[Body] = [
        {"name": "b"}, {"namespace": "b"}, {"uid": "b"}, {"resourceVersion": "1"}, {"resourceVersion": "x"},
        {"labels": {"a": 1}}, {"labels": {"a": None}}, {"annotations": "x"}, {"ownerReferences": [{}]},
        {"finalizers": ["x"]}, {"creationTimestamp": "x"}, {"deletionTimestamp": None}, {"generation": 5},
        {"managedFields": [{}]}, {"managedFields": None},
    ]  # fmt: skip
    for path in (f"{CONFIG_MAPS}/a", f"{WIDGETS}/a"):
        for each in types:
            talk.patch(path, {"metadata": {"labels": {"a": "b"}}}, content_type=each or None, query=_DRY)
        for text in texts:
            for each in ("merge", "json"):
                talk.patch(path, text, content_type=each, query=_DRY)
        for each in metadata:
            talk.patch(path, {"metadata": each}, query=_DRY)


@case("apply", error=True)
def configurations_of_every_odd_kind(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map(data={"k": "v"}))
    talk.post(WIDGETS, widget())
    metadata: list[Any] = [
        {}, {"name": "z"}, {"name": "a", "namespace": "z"}, {"name": "a", "managedFields": []},
        {"name": "a", "resourceVersion": "1"}, {"name": "a", "uid": "1"}, {"name": "a", "labels": {"a": 1}},
        {"name": "a", "finalizers": ["x", "x"]}, {"name": "a", "ownerReferences": [{"uid": "1"}, {"uid": "1"}]}, None,
        {"name": "a", "creationTimestamp": None}, {"name": "a", "generateName": "b-"},
    ]  # fmt: skip
    for path, whole in ((f"{CONFIG_MAPS}/a", config_map()), (f"{WIDGETS}/a", widget())):
        wanted: list[Any] = [{**whole, "metadata": each} for each in metadata]
        wanted += [{**whole, "kind": "Other"}, {**whole, "apiVersion": "v9"}, {"kind": whole["kind"]}, [whole], "x", ""]
        wanted += ["a: [", {**whole, "bogus": 1}]
        for body in wanted:
            talk.patch(path, body, content_type=APPLY, query={"fieldManager": "m", **_DRY})


@case("create", error=True)
def custom_resources_of_every_odd_kind(talk: Talk) -> None:
    define_widgets(talk)
    names = ("A", "a.b", "x" * 254, "a/b", "a%b", "..")
    metadata: list[Body] = [
        {"bogus": 1}, {"labels": {"a": "b" * 64}}, {"annotations": {"A_": "b"}}, {"finalizers": ["x"]},
        {"finalizers": [""]}, {"finalizers": [FINALIZER, FINALIZER]}, {"generation": 5}, {"selfLink": "x"},
        {"deletionGracePeriodSeconds": 5}, {"managedFields": [{"manager": "m"}]}, {"namespace": "other"},
        {"creationTimestamp": "x"}, {"resourceVersion": "0"}, {"resourceVersion": "1"}, {"uid": "u"},
    ]  # fmt: skip
    parts: list[Body] = [
        {"kind": "WidgetList", "items": []}, {"apiVersion": "{group}/v2"}, {"apiVersion": ""}, {"metadata": []},
        {"metadata": {"name": 5}}, {"spec": []}, {"spec": None}, {"spec": "x"}, {"status": {"ready": 5}},
        {"status": "x"}, {"extra": {"a": 1}},
    ]  # fmt: skip
    specs: list[Body] = [{"size": each} for each in (1.0, "1", None, 2**70)]
    bodies = [widget(each) for each in names] + [widget(**each) for each in metadata]
    bodies += [{**widget(), **each} for each in parts] + [widget(spec=each) for each in specs]
    for body in bodies:
        talk.post(WIDGETS, body, query=_DRY)
    listed = {"apiVersion": "v1", "items": [config_map()]}
    for path in (WIDGETS, CONFIG_MAPS):
        for kind in ("List", "ConfigMapList", "BogusList"):
            talk.post(path, {**listed, "kind": kind}, query=_DRY)
        for raw in (b"", b" ", b"null", b"[]", b"{}", b'{"kind":"Widget"}', b"a: b"):
            talk.post(path, raw, query=_DRY)


@case("status", error=True)
def statuses_of_every_odd_kind(talk: Talk) -> None:
    define_widgets(talk)
    first = talk.post(WIDGETS, widget()).body
    place = f"{WIDGETS}/a/status"
    ready: Body = {"status": {"ready": 1}}
    puts = (
        {**widget(), **ready}, versioned({**widget(spec={"size": 9}), **ready}, first),
        {**widget("b", resourceVersion="1"), **ready}, {**widget(resourceVersion="1"), **ready},
    )  # fmt: skip
    for body in puts:
        talk.put(place, body)
    patches: list[Body] = [{"status": each} for each in ({"ready": "x"}, None, {"bogus": 1})]
    patches.append({"status": {"ready": 2}, "spec": {"size": 99}, "metadata": {"labels": {"a": "b"}}})
    for patch in patches:
        talk.patch(place, patch)
    talk.patch(place, {"status": {"bogus": 1}}, query={"fieldValidation": "Strict"})
    for operated in ("/status", "/status/none"):
        talk.patch(place, [{"op": "replace", "path": operated, "value": {"ready": 4}}], content_type="json")
    for name in ("a", "none"):
        body = {**widget(name), "status": {"ready": 5}}
        talk.patch(f"{WIDGETS}/{name}/status", body, content_type=APPLY, query={"fieldManager": "m"})
    talk.put(f"{WIDGETS}/none/status", widget("none", resourceVersion="1"))
    talk.post(place, widget())
    talk.delete(place)
    talk.get(place, headers=_TABLE)


@case("garbage", error=True)
def references_to_owners_of_every_odd_kind(talk: Talk) -> None:
    reference = owner(talk.post(CONFIG_MAPS, config_map()).body)
    controller = {**reference, "controller": True}
    several: list[Any] = [
        [reference], [{**reference, "blockOwnerDeletion": True}], [controller, {**controller, "uid": "x"}],
        [{**reference, "apiVersion": "bogus/v1/x"}], [{**reference, "namespace": "x"}], [reference, reference], [{}],
        *([{**reference, name: ""}] for name in ("name", "uid", "kind")), None, [], "x",
    ]  # fmt: skip
    for references in several:
        talk.post(CONFIG_MAPS, config_map("d", ownerReferences=references), query=_DRY)
    talk.post(CONFIG_MAPS, config_map("d", ownerReferences=[reference]))
    for changed in ({**reference, "uid": "zz"}, controller):
        body = config_map("d", ownerReferences=[changed])
        talk.patch(f"{CONFIG_MAPS}/d", {"metadata": body["metadata"]}, query=_DRY)
        talk.patch(f"{CONFIG_MAPS}/d", body, content_type=APPLY, query={"fieldManager": "m", **_DRY})
    for change in ({"uid": reference["uid"], "$patch": "delete"}, {**reference, "blockOwnerDeletion": True}):
        talk.patch(
            f"{CONFIG_MAPS}/d", {"metadata": {"ownerReferences": [change]}}, content_type="strategic", query=_DRY
        )


@case("update", error=True)
def strategies_of_workloads_make_sense(talk: Talk) -> None:
    with talk.hush():
        talk.post(DEPLOYMENTS, deployment(replicas=0))
        talk.post(STATEFUL_SETS, stateful_set())
    rolling: list[Body] = [{"maxSurge": 0, "maxUnavailable": 0}, {"maxSurge": "x%"}, {"maxUnavailable": "150%"}]
    of_deployments: list[Body] = [
        {"replicas": -1}, {"strategy": {"type": "Recreate"}}, {"strategy": {"type": "Bogus"}}, {"minReadySeconds": 700},
        {"progressDeadlineSeconds": 0}, {"revisionHistoryLimit": -1}, {"selector": None}, {"selector": {}},
        {"template": {"spec": {"restartPolicy": "Never"}}}, {"template": {"spec": {"activeDeadlineSeconds": 5}}},
        {"template": {"spec": {"ephemeralContainers": [{"name": "x", "image": "y"}]}}}, {"minReadySeconds": -1},
        *({"strategy": {"rollingUpdate": each}} for each in rolling),
    ]  # fmt: skip
    of_sets: list[Body] = [
        {"updateStrategy": {"type": "OnDelete"}}, {"updateStrategy": {"type": "Bogus"}},
        {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}}, {"ordinals": {"start": -1}},
        {"updateStrategy": {"rollingUpdate": {"partition": -1}}}, {"podManagementPolicy": "Bogus"},
        {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "X"}}, {"ordinals": {"start": 3}},
        {"template": {"spec": {"restartPolicy": "OnFailure"}}}, {"serviceName": None}, {"minReadySeconds": -1},
    ]  # fmt: skip
    for path, changes in ((DEPLOYMENTS, of_deployments), (STATEFUL_SETS, of_sets)):
        for change in changes:
            with talk.hush():
                answer = talk.patch(f"{path}/a", {"spec": change}, query=_DRY)
            talk.note(f"{change}", told(answer))
    for each in ({"maxUnavailable": 2}, {"maxUnavailable": "x", "partition": 1}):
        talk.post(STATEFUL_SETS, stateful_set("b", updateStrategy={"rollingUpdate": each}), query=_DRY)


@case("update", error=True)
def addresses_of_a_service_make_sense(talk: Talk) -> None:
    talk.post(SERVICES, service())
    unspecified = ".".join("0000")
    external = ("x", "127.0.0.1", unspecified, "169.254.0.1", "224.0.0.5", "fe80::1", "10.0.0.1", "010.0.0.1")
    changes: list[Body] = [
        {"type": "ExternalName"}, {"ports": None}, {"ports": [{"port": 80, "targetPort": "bad name"}]},
        {"ports": [{"port": 80, "protocol": "X"}]}, {"ports": [{"port": 80, "nodePort": 30000}]},
        {"selector": {"a": "-"}}, {"externalTrafficPolicy": "Local"}, {"internalTrafficPolicy": "X"},
        {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 0}}},
        {"healthCheckNodePort": 5}, {"ipFamilies": ["IPv6"]}, {"ipFamilyPolicy": "X"}, {"trafficDistribution": "X"},
        {"ipFamilyPolicy": "RequireDualStack"}, {"allocateLoadBalancerNodePorts": False},
        *({"loadBalancerSourceRanges": [each]} for each in ("x", "10.0.0.0/8", "10.0.0.0")),
        *({"externalIPs": [each]} for each in external),
    ]  # fmt: skip
    for change in changes:
        with talk.hush():
            answer = talk.patch(f"{SERVICES}/a", {"spec": change}, query=_DRY)
        talk.note(f"{change}", told(answer))


@case("crd lifecycle", error=True)
def what_a_definition_may_become(talk: Talk) -> None:
    define_widgets(talk)
    place = f"{DEFINITIONS}/widgets.{{group}}"
    of_it: list[Body] = [
        {"group": "other.example.org"}, {"scope": "Cluster"}, {"names": {"plural": "others"}}, {"versions": []},
        {"names": {"kind": "Other"}}, {"preserveUnknownFields": True}, {"conversion": {"strategy": "Webhook"}},
        {"names": {"categories": ["all"], "shortNames": ["wd"]}},
    ]  # fmt: skip
    of_its_status: list[Body] = [
        {"storedVersions": []}, {"storedVersions": ["v1", "v2"]}, {"storedVersions": ["v2"]}, {"conditions": None},
        {"acceptedNames": {"plural": "x", "kind": "X"}},
    ]  # fmt: skip
    with talk.hush():
        answers = [talk.patch(place, {"spec": each}, query=_DRY) for each in of_it]
        answers += [talk.patch(f"{place}/status", {"status": each}, query=_DRY) for each in of_its_status]
    for change, answer in zip([*of_it, *of_its_status], answers, strict=True):
        talk.note(f"{change}", told(answer))
    talk.get(f"{place}/scale")


@case("create", error=True)
def generated_names_are_checked_before_and_after(talk: Talk) -> None:
    talk.service_account()
    for path, make in ((CONFIG_MAPS, config_map), (SERVICES, service), (STATEFUL_SETS, stateful_set), (PODS, pod)):
        for base in ("a-", "A-", "a_", "x" * 58, "x" * 64, "x" * 260, "-a", "a.", "a--", "."):
            metadata = {key: each for key, each in make("")["metadata"].items() if key != "name"}
            with talk.hush():
                answer = talk.post(path, {**make(""), "metadata": {**metadata, "generateName": base}}, query=_DRY)
            made = answer.body.get("details", answer.body.get("metadata"))["name"]
            causes = [each["message"].replace(made, "MADE") for each in (told(answer)[2] or ())]
            talk.note(base, [answer.status, len(made), causes])


@case("tables")
def a_status_asked_for_as_a_table(talk: Talk) -> None:
    define_widgets(talk)
    metadata = {"Accept": "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"}
    for path, make in ((WIDGETS, widget), (DEPLOYMENTS, deployment)):
        with talk.hush():
            talk.post(path, make("a"))
        for headers in (_TABLE, metadata):
            talk.get(f"{path}/a/status", headers=headers)
            talk.patch(f"{path}/a/status", {"metadata": {"labels": {"a": "b"}}}, headers=headers)


@case("tables", error=True)
def the_status_of_a_definition_asked_for_as_a_table(talk: Talk) -> None:
    define_widgets(talk)
    path = f"{DEFINITIONS}/widgets.{talk.group}"
    plain = {"Accept": f"{_TABLE['Accept']},application/json"}
    metadata = {"Accept": "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"}
    with talk.hush():
        body = talk.get(path).body
        said = {
            f"{method} {subresource} {headers['Accept'][:60]}": talk.send(
                method, f"{path}{subresource}", sent, headers=headers
            )
            for headers in (_TABLE, plain, metadata)
            for subresource in ("", "/status")
            for method, sent in (
                ("GET", None),
                ("PUT", {**body, "metadata": {**body["metadata"], "resourceVersion": ""}}),
            )
        }
    for what, answer in said.items():
        talk.note(what, [answer.status, answer.body.get("kind"), answer.body.get("message"), answer.body.get("reason")])


@case("delete", error=True)
def a_collection_is_deleted_as_of_a_version(talk: Talk) -> None:
    define_widgets(talk)
    for path, make in ((SECRETS, secret), (WIDGETS, widget)):
        with talk.hush():
            first = talk.post(path, make("a")).body["metadata"]["resourceVersion"]
            talk.post(path, make("b"))
            token = talk.get(path, query={"limit": "1"}).body["metadata"]["continue"]
            talk.patch(f"{path}/a", {"metadata": {"labels": {"a": "b"}}})
            talk.delete(f"{path}/b")
            talk.post(path, make("c"))
        for query in (
            {"resourceVersion": first, "resourceVersionMatch": "Exact"},
            {"resourceVersion": first, "limit": "1"},
            {"resourceVersion": first},
            {"resourceVersion": first, "dryRun": "All"},
            {"resourceVersion": "1"},
            {"resourceVersion": "1", "resourceVersionMatch": "Exact"},
            {"resourceVersion": "1", "resourceVersionMatch": "NotOlderThan"},
            {"resourceVersion": "0"},
            {"resourceVersion": "x"},
            {"resourceVersionMatch": "Exact"},
            {"continue": token},
            {"continue": "x"},
            {"limit": "1"},
            {"limit": "x"},
            {"resourceVersion": "that of e"},
            {"resourceVersion": "that of e", "fieldSelector": "metadata.name=e"},
        ):
            with talk.hush():
                for name in ("d", "e"):
                    newest = talk.post(path, make(name)).body["metadata"].get("resourceVersion", "")
                said = {name: newest if value == "that of e" else value for name, value in query.items()}
                answer = talk.delete(path, query=said)
                left = sorted(each["metadata"]["name"] for each in talk.get(path).body["items"])
            shown = {name: "…" if value in {first, token} else value for name, value in query.items()}
            message = (
                (answer.body.get("message") or "").replace(f"({newest})", "(newest)").replace(f"({first})", "(first)")
            )
            items = sorted(each["metadata"]["name"] for each in answer.body.get("items") or ())
            talk.note(f"{shown}", [answer.status, answer.body.get("reason"), message, items, left])


@case("schema errors", error=True)
def what_no_schema_may_say_even_if_it_says_nothing(talk: Talk) -> None:
    for words in (
        {"dependencies": {}},
        {"dependencies": {"a": []}},
        {"dependencies": {"a": ["b"]}},
        {"dependencies": {"a": {"type": "string"}}},
        {"definitions": {}},
        {"definitions": {"a": {"type": "string"}}},
        {"patternProperties": {}},
        {"patternProperties": {"a": {"type": "string"}}},
        {"additionalItems": False},
        {"additionalItems": {}},
        {"$ref": ""},
        {"$ref": "#/a"},
        {"id": ""},
        {"$schema": ""},
        {"enum": []},
        {"required": []},
        {"properties": {}},
        {"allOf": []},
        {"items": {}},
        {"example": None},
        {"example": {}},
        {"externalDocs": {}},
        {"x-kubernetes-validations": []},
        {"x-kubernetes-list-map-keys": []},
    ):
        with talk.hush():
            # Not kept: a real server may take minutes for one that is deleted before it is established.
            answer = talk.post(f"{DEFINITIONS}?dryRun=All", _definition({"type": "object", **words}))
        spec = answer.body.get("spec") or {}
        schema = [each["schema"]["openAPIV3Schema"]["properties"]["spec"] for each in spec.get("versions") or ()]
        talk.note(f"{words}", [*told(answer), schema])


def _definition(spec: Body, **version: Any) -> Body:
    schema = {"type": "object", "properties": {"spec": spec}}
    served = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **version}
    names = {"plural": "odds", "singular": "odd", "kind": "Odd", "listKind": "OddList"}
    return {
        "kind": "CustomResourceDefinition",
        "apiVersion": "apiextensions.k8s.io/v1",
        "metadata": {"name": "odds.{group}"},
        "spec": {"group": "{group}", "scope": "Namespaced", "names": names, "versions": [served]},
    }
