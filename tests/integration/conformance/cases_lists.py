"""Lists: pages, versions, selectors."""

from __future__ import annotations

from tests.integration.conformance.harness import Talk, case

SECRETS = "/api/v1/namespaces/{ns}/secrets"


def secrets(talk: Talk, *names: str) -> None:
    """Make secrets, without writing it down: nothing else makes any in a new namespace."""
    with talk.hush():
        for name in names:
            answer = talk.post(SECRETS, {"metadata": {"name": name, "labels": {"name": name}}})
            assert answer.status == 201, answer.body


@case("lists")
def an_empty_list_of_a_builtin_has_an_empty_array(talk: Talk) -> None:
    talk.get(SECRETS)


@case("lists", error=True)
def a_limit_that_is_no_number_is_a_bad_request(talk: Talk) -> None:
    talk.get(SECRETS, query={"limit": "abc"})
