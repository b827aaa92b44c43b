"""Discovery: both kinds, and what else is not a resource."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.cases_lists import things
from tests.integration.conformance.harness import Answer, Talk, case

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
OLD_AGGREGATED = AGGREGATED.replace("v=v2", "v=v2beta1")
#: What the embedded server serves of the built-in groups; a real one serves more.
SERVED = {
    "v1": {
        "configmaps", "events", "namespaces", "nodes", "persistentvolumeclaims", "pods", "secrets", "serviceaccounts",
        "services",
    },
    "apps/v1": {"statefulsets", "controllerrevisions"},
    "coordination.k8s.io/v1": {"leases"},
    "events.k8s.io/v1": {"events"},
    "policy/v1": {"poddisruptionbudgets"},
    "rbac.authorization.k8s.io/v1": {"roles", "rolebindings", "clusterroles", "clusterrolebindings"},
    "apiextensions.k8s.io/v1": {"customresourcedefinitions"},
}  # fmt: skip
#: Subresources that only a cluster with nodes or a cloud has a use for.
_LEFT_OUT = ("attach", "ephemeralcontainers", "proxy", "resize", "token")


def quiet(talk: Talk, path: str, **options: Any) -> Answer:
    with talk.hush():
        return talk.get(path, **options)


def shape(answer: Answer) -> list[Any]:
    headers = {name: answer.headers.get(name) for name in ("content-type", "cache-control", "vary")}
    return [answer.status, headers, list(answer.body) if isinstance(answer.body, dict) else answer.body]


@case("discovery")
def the_version_has_these_keys(talk: Talk) -> None:
    answer = quiet(talk, "/version")
    talk.note("version", shape(answer))
    talk.note("numbers", {key: value for key, value in answer.body.items() if "ajor" in key or "inor" in key})


@case("discovery")
def the_version_is_told_to_anybody(talk: Talk) -> None:
    talk.note("alice", shape(quiet(talk, "/version", user="alice")))
    talk.note("nobody", shape(quiet(talk, "/version", user="")))


@case("discovery")
def health_is_told_to_anybody(talk: Talk) -> None:
    for path in ("/healthz", "/livez", "/readyz", "/healthz/ping", "/livez/ping"):
        talk.get(path, user="" if path.count("/") == 1 else "admin")


@case("discovery")
def health_in_many_words_ends_with_a_verdict(talk: Talk) -> None:
    for path in ("/healthz", "/livez", "/readyz"):
        answer = quiet(talk, path, query={"verbose": ""})
        first, *_, last = answer.body.splitlines()
        talk.note(path, [answer.status, answer.headers["content-type"], first, last])


@case("discovery", error=True)
def a_health_check_that_does_not_exist_is_not_found(talk: Talk) -> None:
    talk.get("/healthz/nonsense")


@case("discovery")
def the_core_group_has_one_version(talk: Talk) -> None:
    answer = quiet(talk, "/api")
    talk.note("answer", [shape(answer), answer.body["versions"]])


@case("discovery")
def groups_have_versions_and_a_preferred_one(talk: Talk) -> None:
    things(talk)
    answer = talk.eventually(lambda: [a for a in [talk.get("/apis")] if talk.group in a.raw.decode()])[0]
    wanted = {each.partition("/")[0] for each in SERVED} | {talk.group}
    talk.note("shape", shape(answer))
    talk.note("groups", sorted((e for e in answer.body["groups"] if e["name"] in wanted), key=lambda e: e["name"]))


@case("discovery")
def a_group_of_a_definition_is_told(talk: Talk) -> None:
    things(talk)
    talk.eventually(lambda: talk.get("/apis/{group}").status == 200)
    talk.get("/apis/{group}")


@case("discovery")
def resources_of_a_definition_come_with_their_subresources(talk: Talk) -> None:
    scale = {"specReplicasPath": ".spec.nodes", "statusReplicasPath": ".status.nodes"}
    talk.crd(subresources={"status": {}, "scale": scale}, schema={"nodes": {"type": "integer"}})
    talk.eventually(lambda: talk.get("/apis/{group}/v1").status == 200)
    answer = quiet(talk, "/apis/{group}/v1")
    for each in answer.body["resources"]:
        each.pop("storageVersionHash", None)
    talk.note("answer", [shape(answer), answer.body])


@case("discovery")
def names_and_categories_of_a_definition_are_told(talk: Talk) -> None:
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    names |= {"shortNames": ["wd", "wdg"], "categories": ["all", "toys"]}
    schema = {"openAPIV3Schema": {"type": "object"}}
    versions = [{"name": name, "served": True, "storage": name == "v1", "schema": schema} for name in ("v1", "v1beta1")]
    talk.define({"group": "{group}", "scope": "Cluster", "names": names, "versions": versions})
    talk.eventually(lambda: talk.get("/apis/{group}/v1beta1").status == 200)
    talk.get("/apis/{group}")
    for version in ("v1", "v1beta1"):
        answer = quiet(talk, f"/apis/{{group}}/{version}")
        for each in answer.body["resources"]:
            each.pop("storageVersionHash", None)
        talk.note(version, answer.body)


def _served(entries: list[dict[str, Any]], served: set[str]) -> list[dict[str, Any]]:
    def wanted(name: str) -> bool:
        main, _, subresource = name.partition("/")
        return main in served and subresource not in _LEFT_OUT

    return [{**each, "storageVersionHash": "…"} for each in entries if wanted(each["name"])]


@case("discovery")
def built_in_resources_are_described(talk: Talk) -> None:
    for group_version, served in SERVED.items():
        answer = quiet(talk, f"/{'apis' if '/' in group_version else 'api'}/{group_version}")
        talk.note(group_version, [shape(answer), answer.body["groupVersion"]])
        talk.note(f"{group_version} resources", _served(answer.body["resources"], served))


@case("discovery")
def the_aggregated_kind_describes_a_definition(talk: Talk) -> None:
    talk.crd(subresources={"status": {}})
    headers = {"Accept": AGGREGATED}
    told = talk.eventually(
        lambda: [a for a in [talk.get("/apis", headers=headers)] if talk.group in a.raw.decode()], 15.0
    )[0]
    talk.note("shape", shape(told))
    talk.note("group", [each for each in told.body["items"] if each["metadata"]["name"] == talk.group])


@case("discovery")
def the_aggregated_kind_describes_the_core_group(talk: Talk) -> None:
    answer = quiet(talk, "/api", headers={"Accept": AGGREGATED})
    talk.note("shape", shape(answer))
    (group,) = answer.body["items"]
    (version,) = group.pop("versions")
    talk.note("group", [group, version["version"], version["freshness"]])
    chosen = [each for each in version["resources"] if each["resource"] in SERVED["v1"]]
    for each in chosen:
        each["subresources"] = [e for e in each.get("subresources", ()) if e["subresource"] not in _LEFT_OUT]
    talk.note("resources", chosen)


@case("discovery")
def what_has_not_changed_since_is_not_sent_again(talk: Talk) -> None:
    first = quiet(talk, "/api", headers={"Accept": AGGREGATED})
    second = talk.get("/api", headers={"Accept": AGGREGATED, "If-None-Match": first.headers["etag"]})
    talk.note("tags", [len(first.headers["etag"]), first.headers["etag"] == second.headers.get("etag"), second.body])


@case("discovery")
def the_first_type_that_can_be_served_wins(talk: Talk) -> None:
    for accept in (
        f"{OLD_AGGREGATED},{AGGREGATED},application/json",
        f"{OLD_AGGREGATED},application/json",
        f"application/json,{AGGREGATED}",
        "text/html,*/*",
        "*/*",
        "",
    ):
        answer = quiet(talk, "/api", headers={"Accept": accept})
        talk.note(accept, [answer.status, answer.headers["content-type"], answer.body["kind"]])


@case("discovery", error=True)
def the_beta_of_the_aggregated_kind_is_gone(talk: Talk) -> None:
    talk.get("/apis", headers={"Accept": OLD_AGGREGATED})
    talk.get("/api", headers={"Accept": OLD_AGGREGATED})


@case("discovery", error=True)
def what_does_not_exist_is_not_found_in_plain_text(talk: Talk) -> None:
    for path in ("/apis/{group}", "/apis/{group}/v1", "/apis/apps/v2", "/api/v2", "/nonsense", "/apis/apps/v1/x/y/z/a"):
        talk.get(path)
    talk.get("/apis/{group}/v1/namespaces/{ns}/things/a")


@case("discovery", error=True)
def a_resource_that_does_not_exist_is_not_found_in_json(talk: Talk) -> None:
    things(talk)
    for path in (
        "/api/v1/nonsense",
        "/api/v1/namespaces/{ns}/nonsense/a",
        "/apis/apps/v1/nonsense",
        "/apis/apps/v2/nonsense",
        "/apis/{group}/v1/nonsense",
        "/apis/{group}/v1/namespaces/{ns}/things/a/nonsense",
        "/api/v1/namespaces/{ns}/secrets/a/status",
    ):
        talk.get(path)


@case("discovery", error=True)
def discovery_takes_no_writes(talk: Talk) -> None:
    for path in ("/api", "/apis", "/api/v1", "/version"):
        with talk.hush():
            answers = [talk.send(method, path) for method in ("POST", "PUT", "PATCH", "DELETE", "HEAD")]
        talk.note(path, [each.status for each in answers])
    talk.post("/api")
