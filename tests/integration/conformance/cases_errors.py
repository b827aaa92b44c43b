"""The bodies of errors, status by status.

429 is answered only while the server is overloaded, which no request of a few can bring about: it
has no case.
"""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    PODS,
    SECRETS,
    STATEFUL_SETS,
    WIDGETS,
    config_map,
    define_widgets,
    secret,
    versioned,
    widget,
)

NOBODY = "/api/v1/namespaces/{ns}/nothings"


@case("errors", error=True)
def a_400_says_what_is_wrong_with_the_request(talk: Talk) -> None:
    talk.post(CONFIG_MAPS, "{")
    talk.post(CONFIG_MAPS, "")
    talk.post(CONFIG_MAPS, {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "a"}})
    talk.post(CONFIG_MAPS, config_map(data={"a": 1}))
    talk.get(CONFIG_MAPS, query={"limit": "x"})
    talk.get(CONFIG_MAPS, query={"labelSelector": "a=b=c"})
    talk.get(CONFIG_MAPS, query={"fieldSelector": "data=x"})
    talk.get(CONFIG_MAPS, query={"continue": "x"})
    talk.get(CONFIG_MAPS, query={"resourceVersion": "x"})
    talk.get(CONFIG_MAPS, query={"timeoutSeconds": "x"})
    talk.get(f"{CONFIG_MAPS}/a", query={"resourceVersion": "x"})
    talk.delete(f"{CONFIG_MAPS}/a", query={"gracePeriodSeconds": "x"})
    talk.delete(f"{CONFIG_MAPS}/a", "{")


@case("errors", error=True)
def a_400_says_how_long_a_timeout_may_be(talk: Talk) -> None:
    for timeout in ("x", "-1s", "2m", "10"):
        talk.get(f"{CONFIG_MAPS}/a", query={"timeout": timeout})
        talk.post(CONFIG_MAPS, config_map(), query={"timeout": timeout, "dryRun": "All"})
    for timeout in ("", "0s", "1s", "1m", "500ms", "1h"):
        talk.get(f"{CONFIG_MAPS}/a", query={"timeout": timeout})


@case("errors", error=True)
def a_401_is_for_a_token_that_nobody_knows(talk: Talk) -> None:
    for path in (CONFIG_MAPS, f"{CONFIG_MAPS}/a", "/api", "/nowhere", NOBODY):
        talk.get(path, user="nobody-knows-this-token")
    talk.post(CONFIG_MAPS, config_map(), user="nobody-knows-this-token")
    talk.get(CONFIG_MAPS, query={"watch": "1"}, user="nobody-knows-this-token")


@case("errors", error=True)
def a_403_says_who_may_not_do_what(talk: Talk) -> None:
    define_widgets(talk, scale=True)
    for path in (CONFIG_MAPS, WIDGETS):
        talk.get(path, user="alice")
        talk.get(f"{path}/a", user="alice")
        talk.get(path, query={"watch": "1"}, user="alice")
        talk.get(path, query={"fieldSelector": "metadata.name=a"}, user="alice")
        talk.post(path, {}, user="alice")
        talk.put(f"{path}/a", {}, user="alice")
        talk.patch(f"{path}/a", {}, user="alice")
        talk.delete(f"{path}/a", user="alice")
        talk.delete(path, user="alice")
        talk.get(path, user="")
        talk.delete(f"{path}/a", user="")
    talk.get("/api", user="")
    talk.get(CONFIG_MAPS, headers={"Authorization": "Basic eDp5"}, user="")
    talk.get(f"{WIDGETS}/a/scale", user="alice")
    talk.patch(f"{WIDGETS}/a/status", {}, user="alice")
    talk.get(f"{PODS}/a/log", user="alice")
    talk.post(f"{PODS}/a/exec", user="alice")
    talk.get("/api/v1/configmaps", user="alice")
    talk.get("/api/v1/nodes/a", user="alice")
    talk.get("/api/v1/namespaces/{ns}", user="alice")
    talk.get("/metrics", user="alice")
    talk.post("/metrics", {}, user="alice")
    talk.get(NOBODY, user="alice")
    talk.get("/apis/nowhere.example.org/v1/things", user="alice")


@case("errors", error=True)
def a_403_comes_from_what_must_be_there_too(talk: Talk) -> None:
    pod = {
        "metadata": {"name": "a"},
        "spec": {"serviceAccountName": "nobody", "containers": [{"name": "c", "image": "i"}]},
    }
    talk.post(PODS, pod)
    talk.delete("/api/v1/namespaces/default")
    talk.delete("/api/v1/namespaces/kube-system")


@case("errors", error=True)
def a_404_has_three_shapes(talk: Talk) -> None:
    define_widgets(talk)
    for path in (
        "/nowhere", "/api/v2", "/api/v2/namespaces", "/apis/nowhere.example.org", "/apis/nowhere.example.org/v1",
        "/apis/apps/v2/deployments", "/apis/{group}/v2/widgets", "/apis/{group}/v1/nothings", "/apis/apps/v1/nothings",
        "/api/v1/nothings", NOBODY, f"{NOBODY}/a", f"{CONFIG_MAPS}/a", f"{WIDGETS}/a", f"{WIDGETS}/a/scale",
        f"{CONFIG_MAPS}/a/status", f"{CONFIG_MAPS}/a/b/c", "/api/v1/namespaces/nowhere", f"{WIDGETS}/a/status",
    ):  # fmt: skip
        talk.get(path)
    for path in ("/nowhere", NOBODY, f"{CONFIG_MAPS}/a", f"{WIDGETS}/a"):
        talk.delete(path)
        talk.put(path, {})
        talk.patch(path, {})
    talk.post("/nowhere", {})
    talk.post(NOBODY, {})
    talk.post("/api/v1/namespaces/nowhere/configmaps", config_map())


@case("errors", error=True)
def a_405_is_for_what_no_resource_does(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map())
    talk.post(WIDGETS, widget())
    for path in (CONFIG_MAPS, WIDGETS):
        talk.put(path, {})
        talk.patch(path, {})
        talk.post(f"{path}/a", {})
        for method in ("OPTIONS", "TRACE", "FLY"):
            talk.send(method, path)
            talk.send(method, f"{path}/a")
    talk.post(f"{WIDGETS}/a/status", {})
    talk.delete(f"{WIDGETS}/a/status")
    talk.post("/api/v1/configmaps", config_map())
    talk.delete("/api/v1/namespaces")
    talk.post("/api/v1", {})
    talk.post("/version", {})


@case("errors", error=True)
def a_406_lists_what_there_is(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map())
    for path in (CONFIG_MAPS, WIDGETS, f"{CONFIG_MAPS}/a", "/apis", "/api/v1", "/version", "/nowhere"):
        talk.get(path, headers={"Accept": "text/html"})
        talk.get(path, headers={"Accept": "application/cbor"})
    table = {"Accept": "application/json;as=Table;v=v9;g=meta.k8s.io"}
    talk.get(CONFIG_MAPS, headers=table)
    talk.post(CONFIG_MAPS, config_map("b"), headers={"Accept": "text/html"})
    talk.get(f"{CONFIG_MAPS}/b")


@case("errors", error=True)
def a_409_says_what_is_in_the_way(talk: Talk) -> None:
    define_widgets(talk)
    for path, body in ((CONFIG_MAPS, config_map()), (WIDGETS, widget())):
        created = talk.post(path, body).body
        talk.post(path, body)
        talk.patch(f"{path}/a", {"metadata": {"labels": {"x": "y"}}})
        talk.put(f"{path}/a", versioned(body, created))
        talk.patch(f"{path}/a", {"metadata": {"resourceVersion": "1"}})
        talk.put(f"{path}/a", {**body, "metadata": {"name": "a", "uid": "other", "resourceVersion": "1"}})
        talk.delete(f"{path}/a", {"preconditions": {"uid": "other"}})
        talk.delete(f"{path}/a", {"preconditions": {"resourceVersion": "1"}})


@case("errors", error=True)
def a_410_is_for_a_past_from_before_a_resource_was_known(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(WIDGETS, widget())
    talk.watch(WIDGETS, {"resourceVersion": "1"})
    talk.watch(WIDGETS, {"resourceVersion": "1", "allowWatchBookmarks": "true"})


@case("errors", error=True)
def a_413_is_for_bodies_that_are_too_large(talk: Talk) -> None:
    define_widgets(talk)
    large = "x" * (3 << 20)
    talk.post(CONFIG_MAPS, config_map())
    for method, path in (("POST", CONFIG_MAPS), ("PUT", f"{CONFIG_MAPS}/a"), ("POST", WIDGETS)):
        talk.send(method, path, config_map(data={"a": large}))
    talk.patch(f"{CONFIG_MAPS}/a", {"data": {"a": large}})
    talk.delete(f"{CONFIG_MAPS}/a", {"preconditions": {"uid": large}})
    talk.patch(f"{CONFIG_MAPS}/a", [{"op": "test", "path": "/kind", "value": "ConfigMap"}] * 10001, content_type="json")


@case("errors", error=True)
def objects_are_too_large_before_bodies_are(talk: Talk) -> None:
    define_widgets(talk, {"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    talk.post(WIDGETS, widget(spec={"a": "x" * (1700 << 10)}))
    talk.post(CONFIG_MAPS, config_map(data={"a": "x" * (1 << 20), "b": "x"}))
    talk.post(SECRETS, secret(stringData={"a": "x" * (1 << 20), "b": "x"}))
    talk.post(CONFIG_MAPS, config_map(annotations={"a": "x" * (256 << 10)}))


@case("errors", error=True)
def a_415_lists_what_is_understood(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map())
    talk.post(WIDGETS, widget())
    for content_type in ("text/plain", "application/xml", "application/cbor", "application/merge-patch+json", "json"):
        for path, body in ((CONFIG_MAPS, config_map("b")), (WIDGETS, widget("b"))):
            talk.post(path, body, content_type=content_type)
            talk.put(f"{path}/a", body, content_type=content_type)
    for path in (CONFIG_MAPS, WIDGETS):
        for content_type in ("application/json", "application/cbor", "text/plain", ""):
            talk.patch(f"{path}/a", {}, content_type=content_type)
        talk.delete(f"{path}/none", "x", content_type="text/plain")


@case("errors", error=True)
def a_422_lists_every_cause(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map("Bad_Name", labels={"-": "x"}, data={"b d": "x"}))
    talk.post(WIDGETS, widget("Bad_Name", {"size": 99}))
    talk.post(WIDGETS, {**widget(), "kind": "Other"})
    talk.post(STATEFUL_SETS, {"metadata": {"name": "a"}, "spec": {"replicas": -1}})
    talk.post(CONFIG_MAPS, config_map(), query={"dryRun": "No", "fieldValidation": "Never"})
    talk.get(CONFIG_MAPS, query={"resourceVersionMatch": "Exact"})
    talk.delete(f"{CONFIG_MAPS}/a", {"propagationPolicy": "Sideways"})
    talk.patch(f"{CONFIG_MAPS}/a", {}, content_type="application/apply-patch+yaml")


@case("errors", error=True)
def a_500_is_for_what_nobody_foresaw(talk: Talk) -> None:
    created = talk.post(CONFIG_MAPS, config_map()).body
    talk.post(CONFIG_MAPS, {"metadata": {"name": "b", "resourceVersion": "1"}})
    talk.put(f"{CONFIG_MAPS}/a", versioned(config_map(), {"metadata": {"resourceVersion": "abc"}}))
    talk.get(CONFIG_MAPS, query={"watch": "1", "resourceVersion": "abc"})
    talk.note("created", created["metadata"]["name"])


@case("errors", error=True)
def a_504_is_for_versions_yet_to_come(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(CONFIG_MAPS, config_map())
    future = {"resourceVersion": str(10**15)}
    for path in (CONFIG_MAPS, WIDGETS, f"{CONFIG_MAPS}/a", f"{WIDGETS}/a"):
        talk.get(path, query=future)


@case("errors", error=True)
def what_is_answered_to_head_has_no_body(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(WIDGETS, widget())
    for path in (CONFIG_MAPS, f"{CONFIG_MAPS}/a", "/nowhere", "/version", NOBODY, WIDGETS, f"{WIDGETS}/a"):
        answer: Any = talk.send("HEAD", path)
        talk.note(path, answer.raw.decode())


@case("errors", error=True)
def a_504_is_for_what_is_given_no_time(talk: Talk) -> None:
    talk.post(CONFIG_MAPS, config_map())
    for timeout in ("1ns", "1us"):
        talk.get(CONFIG_MAPS, query={"timeout": timeout})
        talk.post(CONFIG_MAPS, config_map("b"), query={"timeout": timeout})
        talk.patch(f"{CONFIG_MAPS}/a", {"data": {"k": "v"}}, query={"timeout": timeout})
        talk.delete(f"{CONFIG_MAPS}/a", query={"timeout": timeout})
        talk.get("/version", query={"timeout": timeout})
