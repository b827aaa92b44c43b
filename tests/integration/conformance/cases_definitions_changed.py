"""What a change of a definition does to the objects that are there, and versions that differ."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Body, Talk, case

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
THING = f"{DEFINITIONS}/things.{{group}}"
NAMES: Body = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
#: Who set what is listed by the second it was set in: a case that compares that order waits for the next.
SECOND = 1.1
APPLY = "application/apply-patch+yaml"
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


def version(name: str, fields: Body, *, storage: bool = False, served: bool = True, **more: Any) -> Body:
    spec = {"type": "object", "properties": fields, **more.pop("spec", {})}
    schema = {
        "type": "object",
        "properties": {"spec": spec, "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    return {"name": name, "served": served, "storage": storage, "schema": {"openAPIV3Schema": schema}, **more}


def text(**more: Any) -> Body:
    return {"type": "string", **more}


def number(**more: Any) -> Body:
    return {"type": "integer", **more}


def define(talk: Talk, *versions: Body, scope: str = "Namespaced") -> str:
    """Define things; their path, without the version."""
    talk.define(talk.fill({"group": "{group}", "scope": scope, "names": NAMES, "versions": list(versions)}))
    return "/apis/{group}/%s" + ("/namespaces/{ns}" if scope == "Namespaced" else "") + "/things"


def redefine(talk: Talk, *versions: Body) -> None:
    """Change the definition, and wait until the change is in force."""
    with talk.hush():
        changed = talk.patch(THING, {"spec": {"versions": list(versions)}})
        assert changed.status == 200, changed.body


def thing(number: str = "v1", name: str = "a", **spec: Any) -> Body:
    return {"apiVersion": f"{{group}}/{number}", "kind": "Thing", "metadata": {"name": name}, "spec": spec}


def shown(talk: Talk, path: str) -> Any:
    with talk.hush():
        return talk.get(path).body.get("spec")


@case("crd lifecycle")
def new_defaults_and_lost_fields_show_in_what_is_there(talk: Talk) -> None:
    path = define(talk, version("v1", {"a": text(), "b": text()}, storage=True)) % "v1"
    talk.post(path, thing(a="1", b="2"))
    redefine(talk, version("v1", {"b": text(), "d": text(default="new")}, storage=True))
    talk.eventually(lambda: shown(talk, f"{path}/a") == {"b": "2", "d": "new"})
    talk.get(f"{path}/a")
    talk.get(path)
    before = talk.get(f"{path}/a").body["metadata"]["generation"]
    with talk.hush():
        after = talk.patch(f"{path}/a", {"metadata": {"labels": {"x": "y"}}}).body["metadata"]["generation"]
    talk.note("generations", [before, after])


@case("crd lifecycle", error=True)
def what_was_right_before_may_stay(talk: Talk) -> None:
    path = define(talk, version("v1", {"a": number(), "b": number()}, storage=True)) % "v1"
    talk.post(path, thing(a=9, b=1))
    redefine(talk, version("v1", {"a": number(maximum=5), "b": number(maximum=5)}, storage=True))
    talk.eventually(lambda: talk.post(path, thing(name="b", a=9), query={"dryRun": "All"}).status == 422)
    talk.patch(f"{path}/a", {"spec": {"b": 2}})
    talk.patch(f"{path}/a", {"spec": {"b": 7}})
    talk.patch(f"{path}/a", {"spec": {"a": 8}})
    talk.patch(f"{path}/a", {"metadata": {"labels": {"x": "y"}}})


@case("crd lifecycle")
def a_version_that_is_served_no_more_is_not_found(talk: Talk) -> None:
    one, two = version("v1", {"a": text()}, storage=True), version("v2", {"a": text()})
    path = define(talk, one, two)
    talk.post(path % "v2", thing("v2", a="1"))
    redefine(talk, one, {**two, "served": False})
    talk.eventually(lambda: talk.get(path % "v2").status == 404)
    talk.get(path % "v2")
    talk.get(f"{path % 'v1'}/a")


@case("crd lifecycle", error=True)
def a_resource_of_the_cluster_is_in_no_namespace(talk: Talk) -> None:
    path = define(talk, version("v1", {"a": text()}, storage=True), scope="Cluster") % "v1"
    body = thing(a="1")
    body["metadata"]["name"] = "{ns}"
    talk.post(path, body)
    talk.post(path, {**body, "metadata": {"name": "{ns}-b", "namespace": "{ns}"}})
    talk.get("/apis/{group}/v1/namespaces/{ns}/things")
    talk.get("/apis/{group}/v1/namespaces/{ns}/things/a")
    talk.delete(path)


@case("crd lifecycle", error=True)
def a_definition_is_a_resource_like_others(talk: Talk) -> None:
    define(talk, version("v1", {"a": text()}, storage=True))
    dry = {"dryRun": "All"}
    with talk.hush():
        body = talk.get(THING).body
    talk.put(THING, {**body, "metadata": {"name": body["metadata"]["name"]}}, query=dry)
    for metadata in ({"labels": {"-": "x"}}, {"finalizers": ["bare"]}, {"name": "other.{group}"}, {"generation": 7}):
        with talk.hush():
            answer = talk.patch(THING, {"metadata": metadata}, query=dry).body
        causes = sorted(each["message"] for each in (answer.get("details") or {}).get("causes") or [])
        talk.note(f"{sorted(metadata)}", [answer.get("code"), answer.get("message"), causes])
    talk.patch(THING, {"spec": {"versions": "x"}})
    talk.patch(THING, {"spec": {"versions": [{"name": 1}]}})
    talk.pause(SECOND)
    talk.patch(f"{THING}/status", {"status": {"storedVersions": []}})
    talk.patch(f"{THING}/status", {"status": {"storedVersions": ["v1", "v0"]}})


@case("crd lifecycle")
def a_definition_that_is_going_is_marked_once(talk: Talk) -> None:
    path = define(talk, version("v1", {"a": text()}, storage=True)) % "v1"
    held = thing(a="1")
    held["metadata"]["finalizers"] = ["example.org/hold"]
    talk.post(path, held)
    with talk.hush():
        first = talk.delete(THING).body["metadata"]
        again = talk.delete(THING).body["metadata"]
    talk.note("first", [first["generation"], first["finalizers"], first.get("deletionGracePeriodSeconds")])
    talk.note("again", [again["generation"], again["finalizers"], again.get("deletionGracePeriodSeconds")])
    with talk.hush():
        talk.eventually(lambda: "deletionTimestamp" in talk.get(f"{path}/a").body["metadata"])
        talk.patch(f"{path}/a", {"metadata": {"finalizers": None}})
        talk.eventually(lambda: talk.get(THING).status == 404, 60)
    define(talk, version("v1", {"b": text()}, storage=True))
    talk.eventually(lambda: talk.post(path, thing(b="1"), query={"dryRun": "All"}).status == 201)
    talk.post(path, thing(b="1"))


@case("versions", error=True)
def each_version_is_checked_by_its_own_schema(talk: Talk) -> None:
    path = define(
        talk,
        version("v1", {"a": number(maximum=5)}, storage=True),
        version("v2", {"a": number(maximum=9), "b": text(default="x")}, spec={"required": ["a"]}),
    )
    talk.post(path % "v2", thing("v2", a=7))
    talk.post(path % "v1", thing("v1", "b", a=7))
    talk.post(path % "v2", thing("v2", "c"))
    talk.post(path % "v1", thing("v1", "d"))
    talk.get(f"{path % 'v1'}/a")
    talk.get(f"{path % 'v2'}/d")
    talk.pause(SECOND)
    talk.patch(f"{path % 'v1'}/a", {"metadata": {"labels": {"x": "y"}}})
    talk.patch(f"{path % 'v1'}/a", {"spec": {"a": 8}})
    talk.patch(f"{path % 'v2'}/d", {"metadata": {"labels": {"x": "y"}}})


@case("versions")
def rows_and_status_are_those_of_the_version(talk: Talk) -> None:
    def columns(field: str) -> Body:
        return {
            "additionalPrinterColumns": [{"name": field.upper(), "type": "string", "jsonPath": f".spec.{field}"}],
            "subresources": {"status": {}},
        }

    path = define(
        talk, version("v1", {"a": text(), "b": text()}, storage=True, **columns("a")),
        version("v2", {"b": text(), "c": text()}, **columns("b")),
    )  # fmt: skip
    talk.post(path % "v1", thing(a="1", b="2"))
    for number in ("v1", "v2"):
        answer = talk.get(path % number, headers=TABLE).body
        talk.note(
            number, [[each["name"] for each in answer["columnDefinitions"]], [each["cells"] for each in answer["rows"]]]
        )
    talk.patch(f"{path % 'v2'}/a/status", {"status": {"ready": True}})
    talk.get(f"{path % 'v1'}/a")
    talk.put(f"{path % 'v2'}/a", {**thing("v2", b="3"), "metadata": {"name": "a", "resourceVersion": "1"}})
    talk.delete(path % "v2")


@case("versions")
def an_apply_in_one_version_is_seen_in_the_other(talk: Talk) -> None:
    fields = {"a": text(), "b": text()}
    path = define(talk, version("v1", fields, storage=True), version("v2", fields))
    talk.patch(f"{path % 'v2'}/a", thing("v2", a="1"), content_type=APPLY, query={"fieldManager": "me"})
    talk.get(f"{path % 'v1'}/a")
    talk.pause(SECOND)
    talk.patch(f"{path % 'v1'}/a", thing("v1", b="2"), content_type=APPLY, query={"fieldManager": "you"})
    talk.patch(f"{path % 'v1'}/a", thing("v1", a="3"), content_type=APPLY, query={"fieldManager": "you"})
    talk.patch(f"{path % 'v2'}/a", thing("v2", b="3"), content_type=APPLY, query={"fieldManager": "me"})


@case("versions")
def fields_are_selected_in_each_version_as_it_says(talk: Talk) -> None:
    path = define(
        talk,
        version("v1", {"a": text(), "b": text()}, storage=True, selectableFields=[{"jsonPath": ".spec.a"}]),
        version("v2", {"a": text(), "b": text(), "c": text()}, selectableFields=[{"jsonPath": ".spec.b"}]),
    )
    for name, a, b in (("a", "1", "x"), ("b", "2", "y")):
        talk.post(path % "v1", thing(name=name, a=a, b=b))
    for number, selector in (("v1", "spec.a=1"), ("v2", "spec.b=y"), ("v1", "spec.b=y"), ("v2", "spec.a!=1")):
        answer = talk.get(path % number, query={"fieldSelector": selector})
        talk.note(f"{number} {selector}", [each["metadata"]["name"] for each in answer.body.get("items", [])])


@case("versions", error=True)
def what_versions_have_in_common_is_looked_at_once(talk: Talk) -> None:
    fields = {"a": text(), "b": text()}
    parts: list[Body] = [
        {"selectableFields": [{"jsonPath": ".spec.a"}]},
        {"additionalPrinterColumns": [{"name": "A", "type": "string", "jsonPath": ".spec.a"}]},
        {"subresources": {"status": {}}},
    ]
    head = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    for part in parts:
        for more in ({}, part):
            versions = [version("v1", fields, storage=True, **part), version("v2", fields, **more)]
            spec = {"group": "{group}", "scope": "Namespaced", "names": NAMES, "versions": versions}
            body = {**head, "metadata": {"name": "things.{group}"}, "spec": spec}
            talk.post(DEFINITIONS, body, query={"dryRun": "All"})


@case("lists")
def collections_are_deleted_in_pages_and_versions(talk: Talk) -> None:
    path = "/api/v1/namespaces/{ns}/secrets"
    with talk.hush():
        for name in "abcd":
            talk.post(path, {"metadata": {"name": name}})
    answer = talk.delete(path, query={"limit": 2})
    talk.note("answered", [each["metadata"]["name"] for each in answer.body.get("items", [])])
    talk.note("left", [each["metadata"]["name"] for each in talk.get(path).body["items"]])
    talk.delete(path, {"propagationPolicy": "Orphan"}, query={"fieldSelector": "metadata.name=c"})
    talk.delete(path, query={"resourceVersion": "abc"})
    talk.delete(path, "{")


@case("lists", error=True)
def fields_of_builtin_kinds_can_be_selected_if_they_say_so(talk: Talk) -> None:
    talk.service_account()
    with talk.hush():
        spec = {"containers": [{"name": "c", "image": "i"}], "automountServiceAccountToken": False}
        for name in "ab":
            talk.post("/api/v1/namespaces/{ns}/pods", {"metadata": {"name": name}, "spec": {**spec, "nodeName": name}})
    for selector in (
        "spec.nodeName=a", "spec.nodeName!=a", "status.phase=Pending", "status.phase=Running", "spec.image=i", "=",
        "spec.restartPolicy=Always", "spec.schedulerName=default-scheduler", "spec.serviceAccountName=default",
        "status.podIP=", "spec.hostNetwork=false", "metadata.namespace={ns}", "metadata.uid=x", "spec.nodeName",
        "spec.nodeName=a,status.phase=Pending",
    ):  # fmt: skip
        answer = talk.get("/api/v1/namespaces/{ns}/pods", query={"fieldSelector": selector}).body
        talk.note(selector, [each["metadata"]["name"] for each in answer.get("items", [])])
    for path, selector in (
        ("secrets", "type=Opaque"), ("secrets", "data.a=x"), ("services", "spec.type=ClusterIP"),
        ("services", "spec.clusterIP=None"), ("configmaps", "data.a=x"), ("serviceaccounts", "metadata.name=default"),
    ):  # fmt: skip
        talk.get(f"/api/v1/namespaces/{{ns}}/{path}", query={"fieldSelector": selector, "labelSelector": "none"})
    talk.get("/api/v1/namespaces", query={"fieldSelector": "status.phase=Active,metadata.name={ns}"})
    talk.get("/api/v1/nodes", query={"fieldSelector": "spec.unschedulable=true"})
    talk.get("/apis/apps/v1/namespaces/{ns}/statefulsets", query={"fieldSelector": "status.successful=1"})
    talk.get("/apis/apps/v1/namespaces/{ns}/deployments", query={"fieldSelector": "spec.replicas=1"})
