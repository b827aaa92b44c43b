"""Lists: pages, versions, forms."""

from __future__ import annotations

from btcctl.apiserver.requests.list_options import encode_continue
from tests.integration.conformance.harness import Answer, Body, Talk, case

SECRETS = "/api/v1/namespaces/{ns}/secrets"
LETTERS = ("a", "b", "c", "d", "e")


def secrets(talk: Talk, *names: str, path: str = SECRETS) -> Answer:
    """Make secrets, without writing it down: nothing else makes any in a new namespace."""
    with talk.hush():
        for name in names:
            answer = talk.post(path, {"metadata": {"name": name, "labels": {"name": name, "half": half(name)}}})
            assert answer.status == 201, answer.body
    return answer


def half(name: str) -> str:
    return "first" if name < "c" else "second"


def things(talk: Talk, *names: str) -> str:
    """Define a resource and make objects of it; the path of their list."""
    path = talk.crd()
    with talk.hush():
        for name in names:
            body = {"kind": "Thing", "apiVersion": "{group}/v1", "metadata": {"name": name, "labels": {"name": name}}}
            assert talk.post(path, body).status == 201
    return path


def names_of(body: Body) -> list[str]:
    return [each["metadata"]["name"] for each in body["items"]]


@case("lists")
def an_empty_list_of_a_builtin_has_an_empty_array(talk: Talk) -> None:
    talk.note("bytes", talk.get(SECRETS).raw.decode())


@case("lists")
def an_empty_list_of_custom_resources_has_an_empty_continue(talk: Talk) -> None:
    talk.note("bytes", talk.get(things(talk)).raw.decode())


@case("lists")
def a_list_of_a_builtin_is_sorted_by_name_and_its_items_have_no_kind(talk: Talk) -> None:
    secrets(talk, "b", "c", "a")
    talk.get(SECRETS)


@case("lists")
def a_list_of_custom_resources_is_sorted_and_its_items_have_kinds(talk: Talk) -> None:
    answer = talk.get(things(talk, "b", "a-b", "a"))
    talk.note("order of keys", [list(answer.body), *(list(each) for each in answer.body["items"])])


@case("lists")
def a_namespace_that_does_not_exist_has_an_empty_list(talk: Talk) -> None:
    talk.get("/api/v1/namespaces/{ns}-not/secrets")
    talk.get(things(talk).replace(talk.ns, f"{talk.ns}-not"))


@case("lists")
def pages_share_a_version_and_count_what_remains(talk: Talk) -> None:
    secrets(talk, *LETTERS)
    pages, token = [], ""
    while not pages or token:
        answer = talk.get(SECRETS, query={"limit": 2, **({"continue": token} if token else {})})
        pages.append(answer)
        token = answer.body["metadata"].get("continue", "")
    talk.note("one version", len({page.version for page in pages}))
    talk.note("names", [names_of(page.body) for page in pages])


@case("lists")
def pages_of_custom_resources_go_over_all_namespaces(talk: Talk) -> None:
    path = things(talk, "a", "b", "c").replace(f"/namespaces/{talk.ns}", "")
    first = talk.get(path, query={"limit": 2})
    talk.get(path, query={"limit": 2, "continue": first.body["metadata"]["continue"]})


@case("lists")
def later_pages_show_the_state_of_the_first(talk: Talk) -> None:
    secrets(talk, *LETTERS)
    token = talk.get(SECRETS, query={"limit": 2}).body["metadata"]["continue"]
    with talk.hush():
        talk.delete(f"{SECRETS}/d")
        secrets(talk, "cc")
    rest = talk.get(SECRETS, query={"limit": 9, "continue": token})
    talk.note("names", names_of(rest.body))


@case("lists")
def a_limit_as_large_as_the_list_needs_no_token(talk: Talk) -> None:
    secrets(talk, "a", "b")
    for limit in (2, 3, 0, -1):
        talk.get(SECRETS, query={"limit": limit})


@case("lists")
def with_a_selector_nothing_is_said_of_what_remains(talk: Talk) -> None:
    secrets(talk, *LETTERS)
    talk.get(SECRETS, query={"limit": 1, "labelSelector": "half=second"})
    talk.get(SECRETS, query={"limit": 1, "fieldSelector": "metadata.name!=a"})


@case("lists")
def version_zero_takes_no_notice_of_a_limit(talk: Talk) -> None:
    def all_seen() -> bool:
        return len(talk.get(SECRETS, query={"resourceVersion": "0"}).body["items"]) == len(LETTERS)

    secrets(talk, *LETTERS)
    talk.eventually(all_seen)
    talk.get(SECRETS, query={"resourceVersion": "0", "limit": 2})


@case("lists")
def not_older_than_an_old_version_shows_the_newest(talk: Talk) -> None:
    old = secrets(talk, "a").version
    new = secrets(talk, "b").version
    for query in ({}, {"resourceVersionMatch": "NotOlderThan"}):
        answer = talk.get(SECRETS, query={"resourceVersion": new, **query})
        talk.note("is as new as asked", int(answer.version) >= int(new))
    talk.note("names", names_of(talk.get(SECRETS, query={"resourceVersion": old}).body))


@case("lists")
def exactly_an_old_version_shows_what_was_then(talk: Talk) -> None:
    old = secrets(talk, "a", "b").version
    with talk.hush():
        secrets(talk, "c")
        talk.delete(f"{SECRETS}/a")
    answer = talk.get(SECRETS, query={"resourceVersion": old, "resourceVersionMatch": "Exact"})
    talk.note("is of that version", answer.version == old)


@case("lists")
def an_old_version_with_a_limit_means_exactly_that(talk: Talk) -> None:
    old = secrets(talk, "a", "b", "c").version
    secrets(talk, "aa")
    answer = talk.get(SECRETS, query={"resourceVersion": old, "limit": 2})
    talk.note("is of that version", answer.version == old)
    token = answer.body["metadata"]["continue"]
    talk.get(SECRETS, query={"limit": 2, "continue": token})


@case("lists")
def an_old_version_not_older_than_with_a_limit_shows_the_newest(talk: Talk) -> None:
    old = secrets(talk, "a", "b", "c").version
    new = secrets(talk, "aa").version
    talk.eventually(lambda: int(talk.get(SECRETS, query={"resourceVersion": "0"}).version) >= int(new))
    query = {"resourceVersion": old, "limit": 2, "resourceVersionMatch": "NotOlderThan"}
    talk.note("names", names_of(talk.get(SECRETS, query=query).body))


@case("lists")
def a_token_with_version_zero_goes_on(talk: Talk) -> None:
    secrets(talk, "a", "b", "c")
    token = talk.get(SECRETS, query={"limit": 1}).body["metadata"]["continue"]
    talk.get(SECRETS, query={"limit": 1, "continue": token, "resourceVersion": "0"})


@case("lists")
def a_token_that_asks_for_the_newest_state_is_served(talk: Talk) -> None:
    secrets(talk, "a", "b", "c")
    answer = talk.get(SECRETS, query={"limit": 9, "continue": encode_continue(-1, "/a")})
    talk.note("names", names_of(answer.body))


@case("lists")
def unknown_parameters_and_values_of_watch_that_mean_no_are_let_pass(talk: Talk) -> None:
    talk.get(SECRETS, query={"nonsense": "1", "watch": "false"})
    talk.get(SECRETS, query={"watch": "0", "pretty": "false"})


@case("lists", error=True)
def a_token_with_a_version_is_refused(talk: Talk) -> None:
    secrets(talk, "a", "b")
    first = talk.get(SECRETS, query={"limit": 1})
    token = first.body["metadata"]["continue"]
    talk.get(SECRETS, query={"continue": token, "resourceVersion": first.version})
    talk.get(SECRETS, query={"continue": token, "resourceVersionMatch": "Exact"})


@case("lists", error=True)
def tokens_that_are_none_are_refused(talk: Talk) -> None:
    for token in ("nonsense", "?", "W10", "e30", encode_continue(0, "/a"), encode_continue(5, "a/../b")):
        talk.get(SECRETS, query={"continue": token})


@case("lists", error=True)
def a_match_that_contradicts_the_version_is_invalid(talk: Talk) -> None:
    talk.get(SECRETS, query={"resourceVersionMatch": "Exact"})
    talk.get(SECRETS, query={"resourceVersionMatch": "NotOlderThan"})
    talk.get(SECRETS, query={"resourceVersionMatch": "Exact", "resourceVersion": "0"})
    talk.get(SECRETS, query={"resourceVersionMatch": "Nonsense", "resourceVersion": "1"})
    talk.get(SECRETS, query={"resourceVersionMatch": "Nonsense"})


@case("lists", error=True)
def versions_that_are_none_are_refused(talk: Talk) -> None:
    for version in ("abc", "-1", "1.5", "99999999999999999999"):
        talk.get(SECRETS, query={"resourceVersion": version})
    talk.get(f"{SECRETS}/a", query={"resourceVersion": "abc"})


@case("lists", error=True)
def a_list_of_the_future_times_out(talk: Talk) -> None:
    talk.get(SECRETS, query={"resourceVersion": "99999999"})


@case("lists", error=True)
def an_object_of_the_future_times_out(talk: Talk) -> None:
    talk.get(f"{SECRETS}/a", query={"resourceVersion": "99999999"})


@case("lists", error=True)
def a_list_of_exactly_the_future_is_refused(talk: Talk) -> None:
    talk.get(SECRETS, query={"resourceVersion": "99999999", "resourceVersionMatch": "Exact"})


@case("lists", error=True)
def send_initial_events_is_for_watches_only(talk: Talk) -> None:
    talk.get(SECRETS, query={"sendInitialEvents": "true"})
    talk.get(SECRETS, query={"sendInitialEvents": "false", "resourceVersionMatch": "NotOlderThan"})


@case("lists", error=True)
def options_that_cannot_be_read_are_bad_requests(talk: Talk) -> None:
    talk.get(SECRETS, query={"limit": "abc"})
    talk.get(SECRETS, query={"timeoutSeconds": "soon"})


@case("lists")
def a_deleted_collection_is_answered_with_what_was_in_it(talk: Talk) -> None:
    secrets(talk, "a", "b", "c")
    talk.delete(SECRETS, query={"labelSelector": "half=first"})
    talk.note("left", names_of(talk.get(SECRETS).body))


@case("lists")
def a_deleted_collection_of_custom_resources_is_answered_with_what_was_in_it(talk: Talk) -> None:
    path = things(talk, "a", "b")
    talk.delete(path)
    talk.note("left", names_of(talk.get(path).body))
