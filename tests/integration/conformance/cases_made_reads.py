"""Lists, watches, selectors, tables and definitions as authors of operators and users of kubectl ask for them."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.cases_made_objects import CLAIMS
from tests.integration.conformance.cases_made_workloads import JOBS, claim, job
from tests.integration.conformance.cases_workload_kinds import (
    POLICIES,
    REPLICA_SETS,
    SLICES,
    policy,
    replica_set,
    slice_,
)
from tests.integration.conformance.harness import Body, Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    LEASES,
    PODS,
    SECRETS,
    SERVICES,
    STATEFUL_SETS,
    WIDGETS,
    config_map,
    define_widgets,
    lease,
    pod,
    secret,
    widget,
)  # fmt: skip

_TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
_DRY = {"dryRun": "All"}


@case("tables")
def workloads_and_networks_are_printed(talk: Talk) -> None:
    bodies = (
        (JOBS, job()), (POLICIES, policy()),
        (SLICES, slice_(endpoints=[{"addresses": ["10.1.2.3"]}], ports=[{"port": 80}])),
        (CLAIMS, {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **claim("a", storageClassName="none")}),
        (REPLICA_SETS, replica_set(replicas=0)),
    )  # fmt: skip
    for path, body in bodies:
        with talk.hush():
            talk.post(path, body)
        answer = talk.get(path, headers=_TABLE)
        talk.note("columns", answer.body["columnDefinitions"])
    for path in (
        DEPLOYMENTS, STATEFUL_SETS, SERVICES, LEASES, PODS,
        "/apis/apps/v1/namespaces/{ns}/controllerrevisions", "/api/v1/namespaces/{ns}/endpoints",
    ):  # fmt: skip
        talk.get(path, headers=_TABLE)
    talk.get("/api/v1/nodes", headers=_TABLE, query={"labelSelector": "nobody=here"})  # other cases make some


@case("tables")
def columns_of_custom_resources_are_of_every_type(talk: Talk) -> None:
    columns = [
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"}, {"name": "Text", "type": "string",
            "jsonPath": ".spec.text", "priority": 1},
        {"name": "When", "type": "date", "jsonPath": ".spec.when"}, {"name": "Is", "type": "boolean",
            "jsonPath": ".spec.is"}, {"name": "Part", "type": "number", "jsonPath": ".spec.part"},
        {"name": "All", "type": "string", "jsonPath": ".spec.list[*].a"}, {"name": "One", "type": "string",
            "jsonPath": '.spec.list[?(@.a=="x")].b'}, {"name": "Age", "type": "date",
            "jsonPath": ".metadata.creationTimestamp"},
        {"name": "Whole", "type": "string", "jsonPath": ".spec.map"}, {"name": "Last", "type": "string",
            "jsonPath": ".spec.list[-1:].a"}, {"name": "Key", "type": "string",
            "jsonPath": ".metadata.labels.a\\.b"},
    ]  # fmt: skip
    path = talk.crd(additionalPrinterColumns=columns)
    head: Body = {"apiVersion": "{group}/v1", "kind": "Thing"}
    specs: tuple[Body, ...] = (
        {"size": 3, "text": "t", "when": "2020-01-01T00:00:00Z", "is": True, "part": 1.5, "list": [{"a": "x", "b":
            "y"}, {"a": "z"}], "map": {"b": 1, "a": [2]}},
        {"size": "3", "text": 4, "when": "never", "is": "yes", "part": "1", "list": {}, "map": None}, {},
        {"size": 3.7, "text": None, "is": None, "part": 10**20, "list": [{"a": {"q": 1}}], "map": "m"},
    )  # fmt: skip
    for number, spec in enumerate(specs):
        talk.post(path, {**head, "metadata": {"name": f"a{number}", "labels": {"a.b": "c"}}, "spec": spec})
    talk.get(path, headers=_TABLE)
    talk.get(f"{path}/a0", headers=_TABLE, query={"includeObject": "None"})


@case("lists", error=True)
def selectors_of_every_kind(talk: Talk) -> None:
    for name, labels in (("a", {"x": "1"}), ("b", {"x": "2", "y": ""}), ("c", {})):
        talk.post(SECRETS, {**secret(name), "metadata": {"name": name, "labels": labels}})
    for selector in (
        "x", "!x", "x=1", "x==1", "x!=1", "x in (1,2)", "x notin (1)", "y=", "x>1", "x<2", "x=1,y", "x in ()",
        "x in 1", "x=1 2", "x,,y", "=", "x=a/b", "a/b/c", "(x)", " x = 1 ", "x in(1, 2 )", "x gt 1", "x!", "'x'",
    ):  # fmt: skip
        answer = talk.get(SECRETS, query={"labelSelector": selector})
        talk.note("found", [each["metadata"]["name"] for each in answer.body.get("items", [])])
    for selector in (
        "metadata.name=a", "metadata.name!=a", "metadata.name=a,metadata.namespace={ns}", "data.a=b",
        "metadata.labels.x=1", "metadata.name", "metadata.name>a", "metadata.name=a\\,b", "metadata.name in (a)", ",",
    ):  # fmt: skip
        talk.get(SECRETS, query={"fieldSelector": selector})


@case("lists", error=True)
def fields_of_each_kind_select(talk: Talk) -> None:
    talk.service_account()
    with talk.hush():
        talk.post(PODS, pod(nodeName="n", restartPolicy="Never"))
        talk.post(SECRETS, secret("a", type="example.org/own"))
    queries = (
        (PODS, "spec.nodeName=n"), (PODS, "spec.restartPolicy=Never,status.phase=Pending"),
        (PODS, "spec.hostNetwork=false"), (PODS, "status.podIP="), (PODS, "spec.schedulerName!=x"),
        (PODS, "spec.containers=x"), (SECRETS, "type=example.org/own"), (SECRETS, "data=x"),
        (SERVICES, "spec.type=ClusterIP"), ("/api/v1/namespaces", "status.phase=Active,metadata.name={ns}"),
        ("/api/v1/nodes", "spec.unschedulable=true"), (DEPLOYMENTS, "status.replicas=1"),
        (JOBS, "status.successful=0"), (JOBS, "status.failed=0"), (REPLICA_SETS, "status.replicas=0"),
        ("/api/v1/namespaces/{ns}/events", "involvedObject.name=x,type!=Normal"), (LEASES, "spec.holderIdentity=x"),
        ("/apis/events.k8s.io/v1/namespaces/{ns}/events", "regarding.kind=Pod"), (CLAIMS, "status.phase=Bound"),
        ("/api/v1/pods", "spec.nodeName=none,metadata.namespace={ns}"),
    )  # fmt: skip
    for path, selector in queries:
        answer = talk.get(path, query={"fieldSelector": selector})
        talk.note("found", [each["metadata"]["name"] for each in answer.body.get("items", [])])


@case("watches")
def a_watch_selects_and_marks_its_place(talk: Talk) -> None:
    with talk.hush():  # a controller puts a ConfigMap into every namespace
        version = talk.get(CONFIG_MAPS).version

    def change() -> None:
        with talk.hush():
            talk.post(LEASES, lease())
            talk.post(CONFIG_MAPS, config_map("a", {"n": "1"}, labels={"on": "yes"}))
            talk.patch(f"{CONFIG_MAPS}/a", {"data": {"n": "2"}})
            talk.patch(f"{CONFIG_MAPS}/a", {"metadata": {"labels": {"on": "no"}}})
            talk.post(CONFIG_MAPS, config_map("b"))
            talk.patch(f"{CONFIG_MAPS}/a", {"metadata": {"labels": {"on": "yes"}}})
            talk.delete(f"{CONFIG_MAPS}/a")

    query = {"labelSelector": "on=yes", "resourceVersion": version, "allowWatchBookmarks": "true"}
    talk.watch(CONFIG_MAPS, query, until=5, during=change)
    talk.watch(CONFIG_MAPS, {**query, "labelSelector": "", "fieldSelector": "metadata.name=b"}, until=1)
    talk.watch(
        LEASES,
        {"sendInitialEvents": "true", "allowWatchBookmarks": "true", "resourceVersionMatch": "NotOlderThan"},
        until=2,
        headers=_TABLE,
    )


@case("watches")
def a_watch_of_custom_resources_sees_defaults_and_statuses(talk: Talk) -> None:
    define_widgets(talk, {"type": "object", "properties": {"size": {"type": "integer", "default": 4}}})
    version = talk.get(WIDGETS).version

    def change() -> None:
        with talk.hush():
            talk.post(WIDGETS, widget("a", {}))
            talk.patch(f"{WIDGETS}/a/status", {"status": {"ready": 1}})
            talk.patch(f"{WIDGETS}/a", {"spec": {"size": None}})
            talk.delete(f"{WIDGETS}/a")

    talk.watch(WIDGETS, {"resourceVersion": version}, until=3, during=change)


def try_schema(talk: Talk, number: int, spec: Body, **version: Any) -> None:
    whole = {"type": "object", "properties": {"spec": spec}}
    names = {"plural": f"p{number}s", "singular": f"p{number}", "kind": f"P{number}", "listKind": f"P{number}List"}
    versions = [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": whole}, **version}]
    body = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": f"p{number}s.{{group}}"},
            "spec": {"group": "{group}", "scope": "Namespaced", "names": names, "versions": versions}}  # fmt: skip
    talk.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body, query=_DRY)


@case("crd lifecycle", error=True)
def schemas_that_generators_write(talk: Talk) -> None:
    text: Body = {"type": "string"}

    schemas: tuple[Body, ...] = (
        {"type": "object", "properties": {"a": {**text, "format": "date-time"}, "b": {"x-kubernetes-int-or-string":
            True, "anyOf": [{"type": "integer"}, {"type": "string"}]}}},
        {"type": "object", "properties": {"a": {**text, "enum": ["x", "y"], "default": "z"}}},
        {"type": "object", "required": ["a", "a"], "properties": {"a": text}},
        {"type": "object", "properties": {"a": {"type": "array"}}},
        {"type": "object", "properties": {"a": {"type": "array", "items": text, "x-kubernetes-list-type": "map"}}},
        {"type": "object", "properties": {"a": text}, "additionalProperties": False},
        {"type": "object", "nullable": True, "default": None},
        {"type": "object", "properties": {"a": {**text, "minLength": 5, "maxLength": 2}}},
        {"type": "object", "properties": {"a": {"type": "integer", "format": "int32", "default": 2**40}}},
        {"type": "object", "default": {}, "properties": {"a": {**text, "default": "x"}}},
        {"type": "object", "properties": {"a": {"type": "object", "additionalProperties": {**text, "default": "d"}}}},

        {"type": "object", "x-kubernetes-map-type": "granular"},
        {"type": "object", "properties": {"a": {**text, "x-kubernetes-validations": [{"rule": "self == 1", "message":
            "m"}]}}},
        {"type": "object", "properties": {"a": {**text, "x-kubernetes-validations": [{"rule": "self == oldSelf",
            "messageExpression": "1"}]}}},
        {"type": "object", "properties": {"a": {**text, "x-kubernetes-validations": [{"rule": " ", "message":
            "a\nb"}]}}},
        {"type": "object", "x-kubernetes-embedded-resource": True},
        {"type": "object", "properties": {"a": {"$ref": "#/definitions/x"}}},
        {"type": "object", "properties": {"a": {**text, "pattern": "["}}},
        {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}], "properties": {"a": text, "b": text}},
        {"type": "object", "oneOf": [{"properties": {"c": text}}], "properties": {"a": text}},
        {"type": "object", "allOf": [{"properties": {"a": {"default": "x"}}}], "properties": {"a": text}},
        {"type": "text"}, {}, {"type": "object", "properties": {"a": {"type": "number", "multipleOf": 0}}},
        {"type": "object", "uniqueItems": True},
    )  # fmt: skip
    for number, schema in enumerate(schemas):
        try_schema(talk, number, schema)
    versions: tuple[Body, ...] = (
        {"subresources": {"scale": {}}},
        {"subresources": {"scale": {"specReplicasPath": "spec.x", "statusReplicasPath": ".status.y"}}},
        {"selectableFields": [{"jsonPath": ".spec.none"}]},
        {"additionalPrinterColumns": [{"name": "", "type": "x", "jsonPath": ""}]},
        {"deprecated": True, "deprecationWarning": ""}, {"deprecationWarning": "x"}, {"schema": None},
        {"served": False}, {"storage": False}, {"name": "V1"},
        {"additionalPrinterColumns": [{"name": "a", "type": "string", "jsonPath": ".spec["}]},
    )  # fmt: skip
    for number, version in enumerate(versions, 100):
        try_schema(talk, number, {"type": "object", "properties": {"x": {"type": "integer"}}}, **version)


@case("pruning", error=True)
def what_a_schema_does_not_know(talk: Talk) -> None:
    fields: Body = {"size": {"type": "integer"}, "free": {"type": "object",
        "x-kubernetes-preserve-unknown-fields": True, "properties": {"n": {"type": "integer"}}},
                    "map": {"type": "object", "additionalProperties": {"type": "object",
                        "properties": {"a": {"type": "string", "default": "d"}}}},
                    "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
                        "any": {"x-kubernetes-preserve-unknown-fields": True}}  # fmt: skip
    define_widgets(talk, {"type": "object", "properties": fields})
    specs: tuple[Any, ...] = (
        {"size": 1, "bogus": 2}, {"free": {"n": 1, "m": {"x": [1]}}}, {"map": {"k": {}, "l": {"a": "x", "b": "y"}}},
        {"list": [{"a": "b", "c": "d"}, {}]}, {"any": {"x": None}}, {"any": [1, {"a": None}]}, {"map": {"k": None}},
        {"list": [None]}, {"size": None}, {"free": {"n": "x"}}, None, [], {"map": []}, {"size": 1.0}, {"size": 1.5},
        {"size": "1"}, {"any": 5}, {"list": [{"a": None}]},
    )  # fmt: skip
    for number, spec in enumerate(specs):
        for mode in ("Strict", "Warn"):
            body = {**widget(f"a{number}"), "spec": spec}
            talk.post(WIDGETS, body, query={**_DRY, "fieldValidation": mode})


@case("cel", error=True)
def rules_that_authors_write(talk: Talk) -> None:
    rules = (
        "self.min <= self.max", "!has(self.a) || self.a.startsWith('x')", "self.replicas in [1, 3, 5]",
        "self.names.all(n, n.matches('^[a-z]+$'))", "self.names.exists_one(n, n == 'a')",
        "has(self.a) != has(self.b)", "size(self.names) == size(self.names.filter(n, n != ''))",
        "duration(self.every) >= duration('1m')", "self.parts.all(p, p.weight > 0 && p.name != '')",
        "self.parts.map(p, p.weight).sum() == 100", "self.labels.all(k, k.size() < 5 && self.labels[k] != '')",
        "self.names.isSorted()",
        "self.min.orValue(1) == 1",
    )  # fmt: skip
    fields: Body = {"min": {"type": "integer"}, "max": {"type": "integer"}, "replicas": {"type": "integer"},
        "a": {"type": "string", "maxLength": 20}, "b": {"type": "string", "maxLength": 20},
        "every": {"type": "string", "maxLength": 20},
                    "names": {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 10}},
                        "size": {"type": "string", "maxLength": 10}, "url": {"type": "string", "maxLength": 50},
                        "ip": {"type": "string", "maxLength": 40},
                    "labels": {"type": "object", "maxProperties": 5, "additionalProperties": {"type": "string",
                        "maxLength": 10}},
                    "parts": {"type": "array", "maxItems": 10, "items": {"type": "object",
                        "properties": {"name": {"type": "string", "maxLength": 10},
                        "weight": {"type": "integer"}}}}}  # fmt: skip
    for number, rule in enumerate(rules):
        try_schema(talk, number, {"type": "object", "properties": fields, "x-kubernetes-validations": [{"rule": rule}]})
    served = [each for each in rules[:10] if "sum" not in each]
    define_widgets(
        talk, {"type": "object", "properties": fields, "x-kubernetes-validations": [{"rule": each} for each in served]}
    )
    specs: tuple[Body, ...] = (
        {},
        {"min": 2, "max": 1, "replicas": 2, "names": ["a", "B"], "a": "y", "every": "1s", "parts": [{"weight": 0}]},
        {"min": 1, "max": 2, "replicas": 3, "names": ["a", "b"], "a": "x", "every": "2m", "parts": [{"name": "p",
            "weight": 1}]},
        {"min": 1, "max": 2, "replicas": 3, "names": [], "b": "x", "every": "never", "parts": []},
    )  # fmt: skip
    for number, spec in enumerate(specs):
        talk.post(WIDGETS, widget(f"a{number}", spec))
