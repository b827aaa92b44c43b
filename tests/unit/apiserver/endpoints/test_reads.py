"""Lists, pages and what can be read of the past."""

from __future__ import annotations

import base64
import json

import pytest

from tests.unit.apiserver.calls import CONFIG_MAPS, DEFINITIONS, GROUP, MERGE, THINGS, Server, thing


@pytest.fixture
def seven(server: Server) -> list[str]:
    """The versions of things n0 … n6, one after the other."""
    return [
        server.created(THINGS, thing(f"n{i}", metadata={"labels": {"app": "x" if i in {1, 3} else "y"}}))["metadata"][
            "resourceVersion"
        ]
        for i in range(7)
    ]


class TestPages:
    def test_all_pages_show_the_snapshot_of_the_first(self, server, seven):
        first = server.get(THINGS, limit="3")
        server.created(THINGS, thing("n3a"))
        server.delete(f"{THINGS}/n5")
        second = server.get(THINGS, limit="3", **{"continue": first.body["metadata"]["continue"]})
        third = server.get(THINGS, limit="3", **{"continue": second.body["metadata"]["continue"]})
        assert [first.names, second.names, third.names] == [["n0", "n1", "n2"], ["n3", "n4", "n5"], ["n6"]]
        assert first.version == second.version == third.version
        assert [each.body["metadata"].get("remainingItemCount") for each in (first, second, third)] == [4, 1, None]
        assert third.body["metadata"]["continue"] == ""

    def test_the_token_is_a_real_servers(self, server, seven):
        token = server.get(THINGS, limit="3").body["metadata"]["continue"]
        decoded = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        assert decoded == {"v": "meta.k8s.io/v1", "rv": int(seven[-1]), "start": "/n2\0"}

    def test_pages_over_all_namespaces_and_of_cluster_scoped_kinds_lose_nothing(self, server):
        for namespace in ("kube-system", "default"):
            for name in "ab":
                server.created(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": name}})
        for path in ("/api/v1/configmaps", "/api/v1/namespaces"):
            whole, paged, token = server.get(path).body["items"], [], ""
            while True:
                page = server.get(path, limit="1", **({"continue": token} if token else {})).body
                paged += page["items"]
                token = page["metadata"].get("continue", "")
                if not token:
                    break
            assert paged == whole

    def test_a_selector_hides_how_many_remain(self, server, seven):
        metadata = server.get(THINGS, limit="1", labelSelector="app=x").body["metadata"]
        assert (bool(metadata["continue"]), "remainingItemCount" in metadata) == (True, False)

    def test_with_version_0_the_limit_is_ignored(self, server, seven):
        assert len(server.get(THINGS, limit="3", resourceVersion="0").names) == 7

    def test_a_token_whose_snapshot_is_forgotten_is_410_with_a_token_that_goes_on(self, server, seven):
        token = server.get(THINGS, limit="3").body["metadata"]["continue"]
        server.delete(f"{THINGS}/n4")
        server.clock.advance(301)
        answer = server.get(THINGS, limit="3", **{"continue": token})
        assert (answer.status, answer.reason) == (410, "Expired")
        assert answer.message.startswith("The provided continue parameter is too old")
        rest = server.get(THINGS, **{"continue": answer.body["metadata"]["continue"]})
        assert rest.names == ["n3", "n5", "n6"]

    def test_a_quiet_collection_never_expires(self, server, seven):
        token = server.get(THINGS, limit="3").body["metadata"]["continue"]
        server.clock.advance(10_000)
        assert server.get(THINGS, **{"continue": token}).names == ["n3", "n4", "n5", "n6"]


class TestVersions:
    def test_a_list_has_the_version_of_the_whole_store(self, server):
        before = server.get(THINGS).version
        server.created(CONFIG_MAPS, {"metadata": {"name": "x"}})
        assert int(server.get(THINGS).version) == int(before) + 1

    def test_exactly_an_old_version_is_the_state_right_after_it(self, server, seven):
        server.patch(f"{THINGS}/n0", {"spec": {"size": 9}})
        server.delete(f"{THINGS}/n1")
        answer = server.get(THINGS, resourceVersion=seven[2], resourceVersionMatch="Exact")
        assert (answer.names, answer.version) == (["n0", "n1", "n2"], seven[2])
        assert answer.body["items"][0]["spec"]["size"] == 1

    def test_not_older_than_is_the_newest_and_with_a_limit_exactly(self, server, seven):
        assert len(server.get(THINGS, resourceVersion=seven[2]).names) == 7
        assert server.get(THINGS, resourceVersion=seven[2], limit="5").names == ["n0", "n1", "n2"]

    def test_a_forgotten_version_is_410(self, server, seven):
        server.clock.advance(301)
        answer = server.get(THINGS, resourceVersion=seven[2], resourceVersionMatch="Exact")
        assert (answer.status, answer.message) == (410, "The resourceVersion for the provided list is too old.")

    @pytest.mark.parametrize("path", [THINGS, f"{THINGS}/n0"])
    def test_a_version_of_the_future_is_504(self, server, seven, path):
        answer = server.get(path, resourceVersion="100306")
        assert (answer.status, answer.reason, answer.headers["Retry-After"]) == (504, "Timeout", "1")
        assert answer.message == f"Timeout: Too large resource version: 100306, current: {seven[-1]}"
        assert answer.body["details"]["retryAfterSeconds"] == 1

    @pytest.mark.parametrize(
        ("query", "status", "message"),
        [
            ({"resourceVersion": "abc"}, 400, 'strconv.ParseUint: parsing "abc": invalid syntax'),
            ({"resourceVersion": "-1"}, 400, 'invalid resource version: resourceVersion: Invalid value: "-1"'),
            ({"limit": "abc"}, 400, 'strconv.ParseInt: parsing "abc": invalid syntax'),
            ({"continue": "garbage"}, 400, "continue key is not valid"),
            (
                {"resourceVersionMatch": "Exact"},
                422,
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            ),
            ({"resourceVersion": "0", "resourceVersionMatch": "Exact"}, 422, 'forbidden for resourceVersion "0"'),
            ({"resourceVersion": "1", "resourceVersionMatch": "Foo"}, 422, 'Unsupported value: "Foo"'),
            ({"sendInitialEvents": "true"}, 422, "sendInitialEvents is forbidden for list"),
            ({"labelSelector": "app in (x"}, 400, "unable to parse requirement: found '', expected: ',' or ')'"),
        ],
    )
    def test_options_that_make_no_sense_are_refused(self, server, query, status, message):
        answer = server.get(THINGS, **query)
        assert (answer.status, message in answer.message) == (status, True)

    def test_a_token_and_a_version_exclude_each_other(self, server, seven):
        token = server.get(THINGS, limit="3").body["metadata"]["continue"]
        assert server.get(THINGS, resourceVersion="9", **{"continue": token}).status == 400
        assert server.get(THINGS, resourceVersion="0", **{"continue": token}).names == ["n3", "n4", "n5", "n6"]

    def test_negative_limits_and_unknown_parameters_are_ignored(self, server, seven):
        assert len(server.get(THINGS, limit="-1", foo="bar").names) == 7


def test_a_list_is_sorted_and_one_of_a_namespace_that_is_missing_is_empty(server):
    for name in ("b", "a-b", "a"):
        server.created(CONFIG_MAPS, {"metadata": {"name": name}})
    assert server.get(CONFIG_MAPS).names == ["a", "a-b", "b"]
    assert server.get("/api/v1/namespaces/nope/configmaps").names == []


@pytest.mark.parametrize("seconds", ["-1", "9999999999"])
def test_a_watch_that_is_given_no_time_is_over_at_once(server, seconds):
    """Go counts nanoseconds in 64 bits: more than they hold may come out as less than nothing."""
    server.created(CONFIG_MAPS, {"metadata": {"name": "a"}})
    seen = server.watch(CONFIG_MAPS, timeoutSeconds=seconds)
    assert (seen.ended, seen.events) == (True, [])


@pytest.mark.parametrize("name", ["limit", "timeoutSeconds"])
def test_a_number_that_is_empty_is_none(server, name):
    answer = server.get(CONFIG_MAPS, **{name: ""})
    assert (answer.status, answer.message) == (400, 'strconv.ParseInt: parsing "": invalid syntax')


@pytest.mark.parametrize("name", [".", ".."])
def test_no_object_is_called_as_a_folder_is(server, name):
    assert server.get(f"{CONFIG_MAPS}/{name}").status == 400


def test_the_status_of_a_definition_is_no_table(server: Server) -> None:
    table, path = "application/json;as=Table;v=v1;g=meta.k8s.io", f"{DEFINITIONS}/things.{GROUP}"
    assert server.get(f"{path}/status", accept=table).status == 406
    assert server.get(f"{path}/status", accept=f"{table},application/json").body["kind"] == "CustomResourceDefinition"
    assert server.get(path, accept=table).body["kind"] == "Table"


class TestDeletionAsOfAVersion:
    def test_what_has_changed_since_stops_it(self, server: Server) -> None:
        version = server.created(CONFIG_MAPS, {"metadata": {"name": "a"}})["metadata"]["resourceVersion"]
        server.call("PATCH", f"{CONFIG_MAPS}/a", {"data": {"k": "v"}}, content_type=MERGE)
        refused = server.delete(CONFIG_MAPS, resourceVersion=version)
        assert (refused.status, refused.reason) == (409, "Conflict")
        assert server.get(f"{CONFIG_MAPS}/a").status == 200

    def test_what_there_was_is_deleted_if_it_is_as_it_was(self, server: Server) -> None:
        version = server.created(CONFIG_MAPS, {"metadata": {"name": "a"}})["metadata"]["resourceVersion"]
        server.created(CONFIG_MAPS, {"metadata": {"name": "b"}})
        assert server.delete(CONFIG_MAPS, resourceVersion=version).names == ["a"]
        assert server.get(CONFIG_MAPS).names == ["b"]

    def test_what_has_gone_meanwhile_does_not_stop_it(self, server: Server) -> None:
        for name in "abc":
            server.created(CONFIG_MAPS, {"metadata": {"name": name}})
        token = server.get(CONFIG_MAPS, limit="1").body["metadata"]["continue"]
        server.delete(f"{CONFIG_MAPS}/b")
        assert server.delete(CONFIG_MAPS, **{"continue": token}).names == ["b", "c"]
        assert server.get(CONFIG_MAPS).names == ["a"]
