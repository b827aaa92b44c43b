"""Watches again: a definition that changes or goes, and versions that are too old."""

from __future__ import annotations

from tests.integration.conformance.cases_lists import things
from tests.integration.conformance.cases_watches import now
from tests.integration.conformance.harness import Talk, case

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@case("watches")
def a_definition_that_changes_ends_the_watches_of_its_objects(talk: Talk) -> None:
    path = things(talk, "a")

    def change() -> None:
        column = {"name": "More", "type": "string", "jsonPath": ".spec.more"}
        patch = [{"op": "add", "path": "/spec/versions/0/additionalPrinterColumns", "value": [column]}]
        with talk.hush():
            answer = talk.patch(f"{DEFINITIONS}/things.{talk.group}", patch, content_type="json")
            assert answer.status == 200, answer.body

    talk.watch(path, {"resourceVersion": now(talk)}, during=change)


@case("watches")
def a_definition_that_goes_takes_objects_and_watches_with_it(talk: Talk) -> None:
    path = things(talk, "a", "b")

    def remove() -> None:
        with talk.hush():
            talk.delete(f"{DEFINITIONS}/things.{talk.group}")

    watched = talk.watch(path, {"resourceVersion": now(talk)}, during=remove)
    talk.note("types", watched.types)
    talk.eventually(lambda: talk.get(path).status == 404)
    talk.get(path)


@case("watches")
def the_birth_of_a_definition_is_told_in_three_steps(talk: Talk) -> None:
    query = {"fieldSelector": f"metadata.name=things.{talk.group}", "resourceVersion": now(talk)}
    talk.crd()
    talk.watch(DEFINITIONS, query, until=3)
