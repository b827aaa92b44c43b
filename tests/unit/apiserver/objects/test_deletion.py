"""What a DELETE does to each kind, as asked."""

from __future__ import annotations

import pytest

from tests.unit.apiserver.calls import CONFIG_MAPS, DEFINITIONS, PODS, Server, definition, pod

HOLD = "example.org/hold"
BINDING = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}}


@pytest.fixture
def server():
    return Server()


def held(*finalizers):
    return {"metadata": {"name": "a", "finalizers": list(finalizers)}}


def finalizers_of(answer):
    return answer.body["metadata"].get("finalizers")


def running_pod(server, **spec):
    server.created(PODS, pod(**spec))
    assert server.post(f"{PODS}/p/binding", BINDING).status == 201


class TestPolicy:
    def test_without_one_the_finalizers_stay(self, server):
        server.created(CONFIG_MAPS, held(HOLD, "orphan"))
        assert finalizers_of(server.delete(f"{CONFIG_MAPS}/a")) == [HOLD, "orphan"]

    @pytest.mark.parametrize(
        ("policy", "finalizers"),
        [("Foreground", [HOLD, "foregroundDeletion"]), ("Orphan", [HOLD, "orphan"]), ("Background", [HOLD])],
    )
    def test_with_one_they_are_what_it_says(self, server, policy, finalizers):
        server.created(CONFIG_MAPS, held(HOLD, "orphan"))
        assert finalizers_of(server.delete(f"{CONFIG_MAPS}/a", propagationPolicy=policy)) == finalizers

    def test_another_one_may_come_later_and_let_it_go(self, server):
        server.created(CONFIG_MAPS, held())
        marked = server.delete(f"{CONFIG_MAPS}/a", {"propagationPolicy": "Foreground"})
        assert finalizers_of(marked) == ["foregroundDeletion"]
        assert server.delete(f"{CONFIG_MAPS}/a", {"propagationPolicy": "Background"}).body["status"] == "Success"
        assert not server.exists(f"{CONFIG_MAPS}/a")

    def test_the_old_way_to_ask_is_accepted_if_something_holds_it(self, server):
        server.created(CONFIG_MAPS, held(HOLD))
        assert server.delete(f"{CONFIG_MAPS}/a", {"orphanDependents": False}).status == 202
        assert server.delete(f"{CONFIG_MAPS}/a", {"orphanDependents": True}).status == 200

    def test_events_know_no_dependents(self, server):
        path = "/api/v1/namespaces/default/events"
        server.created(path, {"metadata": {"name": "e"}, "involvedObject": {"namespace": "default"}})
        assert server.delete(f"{path}/e", {"propagationPolicy": "Orphan"}).body["status"] == "Success"


class TestOptions:
    def test_a_body_leaves_the_query_nothing_to_say(self, server):
        server.created(CONFIG_MAPS, held())
        server.delete(f"{CONFIG_MAPS}/a", {"gracePeriodSeconds": 0}, dryRun="All")
        assert not server.exists(f"{CONFIG_MAPS}/a")

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"{", "couldn't get version/kind; json parse error: unexpected end of JSON input"),
            (
                {"gracePeriodSeconds": "x"},
                "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
            ),
            (
                {"kind": "ConfigMap", "apiVersion": "v1"},
                'no kind "ConfigMap" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"',
            ),
        ],
    )
    def test_what_is_none_is_400(self, server, body, message):
        server.created(CONFIG_MAPS, held())
        answer = server.delete(f"{CONFIG_MAPS}/a", body)
        assert (answer.status, answer.message) == (400, message)

    def test_all_that_is_wrong_with_them_is_told(self, server):
        answer = server.delete(f"{CONFIG_MAPS}/a", {"propagationPolicy": "No", "dryRun": ["All", "Some"]})
        assert [field for field, _ in answer.causes] == ["propagationPolicy", "dryRun"]
        assert answer.causes[1][1] == 'Unsupported value: ["All","Some"]: supported values: "All"'


class TestDryRun:
    def test_it_shows_the_object_as_it_would_be_marked(self, server):
        version = server.created(CONFIG_MAPS, held(HOLD))["metadata"]["resourceVersion"]
        metadata = server.delete(f"{CONFIG_MAPS}/a", dryRun="All").body["metadata"]
        assert (metadata["deletionGracePeriodSeconds"], metadata["resourceVersion"]) == (0, version)
        assert "deletionTimestamp" not in server.get(f"{CONFIG_MAPS}/a").body["metadata"]

    def test_a_pod_is_shown_as_it_would_have_ended(self, server):
        server.created(PODS, pod())
        metadata = server.delete(f"{PODS}/p", dryRun="All").body["metadata"]
        assert (metadata["generation"], metadata["deletionGracePeriodSeconds"]) == (2, 0)
        assert server.get(f"{PODS}/p").body["metadata"]["generation"] == 1


class TestPods:
    def test_grace_is_the_pods_own_unless_the_client_says(self, server):
        running_pod(server, terminationGracePeriodSeconds=7)
        assert server.delete(f"{PODS}/p").body["metadata"]["deletionGracePeriodSeconds"] == 7

    def test_grace_only_shrinks_and_counts_from_the_first_request(self, server):
        running_pod(server)
        first = server.delete(f"{PODS}/p").body["metadata"]
        assert server.delete(f"{PODS}/p", {"gracePeriodSeconds": 60}).body["metadata"] == first
        server.clock.advance(2)
        later = server.delete(f"{PODS}/p", {"gracePeriodSeconds": 10}).body["metadata"]
        assert (first["deletionTimestamp"][-3:], later["deletionTimestamp"][-3:]) == ("30Z", "10Z")

    def test_grace_that_has_run_out_leaves_a_second_to_end_in(self, server):
        running_pod(server)
        server.delete(f"{PODS}/p")
        server.clock.advance(20)
        metadata = server.delete(f"{PODS}/p", {"gracePeriodSeconds": 10}).body["metadata"]
        assert (metadata["deletionGracePeriodSeconds"], metadata["deletionTimestamp"][-3:]) == (1, "20Z")

    def test_less_grace_than_none_is_a_second(self, server):
        running_pod(server)
        body = server.delete(f"{PODS}/p", {"gracePeriodSeconds": -5}).body
        assert body["metadata"]["deletionGracePeriodSeconds"] == 1

    def test_none_left_it_is_gone(self, server):
        running_pod(server)
        server.delete(f"{PODS}/p")
        assert server.delete(f"{PODS}/p", {"gracePeriodSeconds": 0}).body["kind"] == "Pod"
        assert not server.exists(f"{PODS}/p")


class TestAnswers:
    @pytest.mark.parametrize(("plural", "kind"), [("services", "Service"), ("serviceaccounts", "ServiceAccount")])
    def test_some_kinds_are_answered_as_they_were(self, server, plural, kind):
        path = f"/api/v1/namespaces/default/{plural}"
        server.created(
            path, {"metadata": {"name": "a"}, **({"spec": {"ports": [{"port": 1}]}} if kind == "Service" else {})}
        )
        assert server.delete(f"{path}/a").body["kind"] == kind

    @pytest.mark.parametrize("path", ["/api/v1/namespaces/other", f"{DEFINITIONS}/things.things.example.org"])
    def test_namespaces_and_definitions_have_words_of_their_own_for_preconditions(self, server, path):
        server.created("/api/v1/namespaces", {"metadata": {"name": "other"}})
        server.created(DEFINITIONS, definition())
        answer = server.delete(path, {"preconditions": {"uid": "x"}})
        assert (answer.status, "Precondition failed: UID in precondition: x" in answer.message) == (409, True)
