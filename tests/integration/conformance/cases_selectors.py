"""Lists again: label and field selectors, and what is wrong with them."""

from __future__ import annotations

from tests.integration.conformance.cases_lists import LETTERS, SECRETS, names_of, secrets, things
from tests.integration.conformance.harness import Talk, case


def selected(talk: Talk, path: str, parameter: str, *selectors: str) -> None:
    """Note which names each selector chooses, or the error."""
    for selector in selectors:
        with talk.hush():
            answer = talk.get(path, query={parameter: selector})
        talk.note(selector, names_of(answer.body) if answer.status == 200 else [answer.status, answer.body])


@case("lists")
def label_selectors_choose(talk: Talk) -> None:
    secrets(talk, *LETTERS)
    with talk.hush():
        talk.post(SECRETS, {"metadata": {"name": "bare"}})
        talk.post(SECRETS, {"metadata": {"name": "number", "labels": {"size": "7", "empty": ""}}})
    selected(
        talk, SECRETS, "labelSelector",
        "", "half=first", "half==first", "half!=first", "half in (first, second)", "half notin (first)", "half",
        "!half", "size>6", "size<7", "half=second,name!=c", " half = first ", "empty=", "empty", "name in (a,,b)",
        "half in (first),name in (b,c)", "size gt 6", "empty in ()",
    )  # fmt: skip


@case("lists", error=True)
def label_selectors_that_cannot_be_read_are_refused(talk: Talk) -> None:
    selected(
        talk, SECRETS, "labelSelector",
        "a b", "a in", "a in (", "a in (b", "a=b c", "=a", "a>b", "a>", ",", "a,,b", "!", "!a=b", "a=b,", "a notin b",
        "-a=b", "a/b/c=d", "a=-b", "a=$", "(a)", "a in b", "a!b", "x" * 64 + "=a", "a=" + "x" * 64, "A/b=c", "/a=b",
        "a/=b",
    )  # fmt: skip


@case("lists")
def field_selectors_choose_by_name_and_namespace(talk: Talk) -> None:
    secrets(talk, "a", "b")
    with talk.hush():
        talk.post(SECRETS, {"metadata": {"name": "typed"}, "type": "example.org/own"})
    selected(
        talk, SECRETS, "fieldSelector",
        "", "metadata.name=a", "metadata.name==a", "metadata.name!=a", "metadata.namespace={ns}",
        "metadata.namespace=other", "metadata.name=a,metadata.namespace={ns}", "metadata.name=zz",
        "type=example.org/own", "type!=example.org/own", "metadata.name=",
    )  # fmt: skip


@case("lists", error=True)
def field_selectors_that_cannot_be_read_are_refused(talk: Talk) -> None:
    selected(
        talk, SECRETS, "fieldSelector", "bad", "data.k=v", "metadata.labels=v", "=", "metadata.name in (a)", ",", "a=b,"
    )
    selected(talk, "/api/v1/namespaces/{ns}/configmaps", "fieldSelector", "bad", "data.k=v", "metadata.uid=x")
    selected(talk, "/api/v1/namespaces/{ns}/pods", "fieldSelector", "spec.image=x", "status.nonsense!=x")
    selected(talk, "/apis/apps/v1/namespaces/{ns}/statefulsets", "fieldSelector", "spec.replicas=1")
    selected(talk, "/api/v1/namespaces", "fieldSelector", "spec.x=1", "status.phase=Nonsense")
    selected(talk, "/api/v1/nodes", "fieldSelector", "spec.x=1")


@case("lists")
def pods_are_chosen_by_node_and_phase(talk: Talk) -> None:
    talk.service_account()
    with talk.hush():
        for name, node in (("one", "n1"), ("two", "n2")):
            spec = {"nodeName": node, "containers": [{"name": "c", "image": "i"}]}
            assert talk.post("/api/v1/namespaces/{ns}/pods", {"metadata": {"name": name}, "spec": spec}).status == 201
    selected(
        talk, "/api/v1/namespaces/{ns}/pods", "fieldSelector",
        "spec.nodeName=n1", "spec.nodeName!=n1", "status.phase=Pending", "status.phase!=Pending", "status.podIP=",
        "spec.restartPolicy=Always", "spec.schedulerName=default-scheduler", "spec.serviceAccountName=default",
        "spec.hostNetwork=false",
    )  # fmt: skip


@case("lists", error=True)
def custom_resources_are_chosen_by_name_alone(talk: Talk) -> None:
    path = things(talk, "a", "b")
    selected(talk, path, "fieldSelector", "metadata.name=a", "metadata.namespace!={ns}", "spec.nodes=1", "bad")
    selected(talk, path, "labelSelector", "name=a", "name!=a", "a b")


@case("lists", error=True)
def custom_resources_are_chosen_by_the_fields_they_name(talk: Talk) -> None:
    schema = {"chain": {"type": "string"}, "nodes": {"type": "integer"}, "on": {"type": "boolean"}}
    fields = [{"jsonPath": f".spec.{name}"} for name in schema]
    path = talk.crd(schema=schema, selectableFields=fields)
    with talk.hush():
        for name, spec in (("a", {"chain": "x", "nodes": 1}), ("b", {"chain": "y", "on": True}), ("c", {})):
            talk.post(path, {"kind": "Thing", "apiVersion": "{group}/v1", "metadata": {"name": name}, "spec": spec})
    selected(
        talk, path, "fieldSelector",
        "spec.chain=x", "spec.chain!=x", "spec.chain=", "spec.nodes=1", "spec.nodes!=1", "spec.on=true",
        "spec.on=false", "spec.chain=y,spec.on=true", "spec.other=1",
    )  # fmt: skip
