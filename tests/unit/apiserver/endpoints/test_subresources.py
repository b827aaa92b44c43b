"""Scale, binding, eviction and logs."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from btcctl.objects import ObjectKey
from tests.unit.apiserver.calls import (
    DEFINITIONS,
    GROUP,
    PODS,
    STATEFUL_SETS,
    THINGS,
    Server,
    definition,
    pod,
    stateful_set,
    thing,
)


class TestScale:
    def test_of_a_stateful_set_it_names_its_selector(self, server):
        server.created(STATEFUL_SETS, stateful_set())
        scale = server.get(f"{STATEFUL_SETS}/s/scale").body
        assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
        assert (scale["spec"], scale["status"]) == ({"replicas": 1}, {"replicas": 0, "selector": "a=b"})

    def test_of_a_custom_resource_it_follows_the_paths(self, server):
        server.created(THINGS, thing(size=4))
        server.patch(f"{THINGS}/a/status", {"status": {"ready": 3, "selector": "app=a"}})
        scale = server.get(f"{THINGS}/a/scale").body
        assert (scale["spec"], scale["status"]) == ({"replicas": 4}, {"replicas": 3, "selector": "app=a"})

    def test_patch_and_put_change_the_object(self, server):
        server.created(THINGS, thing())
        scale = server.patch(f"{THINGS}/a/scale", {"spec": {"replicas": 2}}).body
        assert server.get(f"{THINGS}/a").body["spec"]["size"] == 2
        scale["spec"]["replicas"] = 5
        assert server.put(f"{THINGS}/a/scale", scale).body["spec"] == {"replicas": 5}
        assert server.get(f"{THINGS}/a").body["metadata"]["generation"] == 3
        stale = server.put(f"{THINGS}/a/scale", scale)
        assert (stale.status, stale.reason) == (409, "Conflict")

    def test_to_nothing_is_a_scale_without_replicas(self, server):
        server.created(STATEFUL_SETS, stateful_set())
        assert server.patch(f"{STATEFUL_SETS}/s/scale", {"spec": {"replicas": 0}}).body["spec"] == {}
        assert server.get(f"{STATEFUL_SETS}/s").body["spec"]["replicas"] == 0

    def test_what_the_object_may_not_be_is_its_own_422(self, server):
        server.created(THINGS, thing())
        answer = server.patch(f"{THINGS}/a/scale", {"spec": {"replicas": 11}})
        assert (answer.status, answer.body["details"]["kind"], answer.causes[0][0]) == (422, "Thing", "spec.size")

    @pytest.mark.parametrize(("replicas", "field"), [(-1, "spec.replicas"), ("three", "patch"), (True, "patch")])
    def test_replicas_are_a_number_from_0(self, server, replicas, field):
        server.created(STATEFUL_SETS, stateful_set())
        answer = server.patch(f"{STATEFUL_SETS}/s/scale", {"spec": {"replicas": replicas}})
        assert (answer.status, [cause[0] for cause in answer.causes]) == (422, [field])

    def test_of_a_custom_resource_its_schema_judges_them(self, server):
        server.created(THINGS, thing())
        answer = server.patch(f"{THINGS}/a/scale", {"spec": {"replicas": -1}})
        assert (answer.status, answer.body["details"]["kind"]) == (422, "Thing")

    def test_a_put_must_be_a_scale_of_that_name(self, server):
        server.created(STATEFUL_SETS, stateful_set())
        scale = server.get(f"{STATEFUL_SETS}/s/scale").body
        other = {**scale, "metadata": {**scale["metadata"], "name": "other"}}
        answers = [server.put(f"{STATEFUL_SETS}/s/scale", each) for each in (other, {**scale, "kind": "Deployment"})]
        assert [each.status for each in answers] == [400, 400]
        assert "does not match the name on the URL (s)" in answers[0].message
        assert answers[1].message.startswith('Deployment in version "v1" cannot be handled as a Scale: no kind')

    def test_a_server_of_custom_resources_has_no_words_for_what_is_no_scale(self, server):
        server.created(THINGS, thing())
        answer = server.put(f"{THINGS}/a/scale", {**thing(), "spec": {"replicas": "three"}})
        assert answer.message.startswith("no kind is registered for the type v1.Scale")

    def test_another_object_of_that_name_is_a_conflict(self, server):
        server.created(STATEFUL_SETS, stateful_set())
        scale = server.get(f"{STATEFUL_SETS}/s/scale").body
        other = {**scale, "metadata": {**scale["metadata"], "uid": "other"}}
        put = server.put(f"{STATEFUL_SETS}/s/scale", other)
        patched = server.patch(f"{STATEFUL_SETS}/s/scale", {"metadata": {"uid": "other"}})
        assert (put.status, "Key: /registry/statefulsets/default/s," in put.message) == (409, True)
        assert (patched.status, patched.body["details"]["kind"]) == (409, "statefulsets/scale")

    def test_unknown_fields_are_warned_of(self, server):
        server.created(STATEFUL_SETS, stateful_set())
        answer = server.patch(f"{STATEFUL_SETS}/s/scale", {"spec": {"replicas": 1, "bogus": 2}})
        assert answer.headers["Warning"] == '299 - "unknown field \\"spec.bogus\\""'

    def test_a_missing_object_or_an_unscalable_kind_is_404(self, server):
        assert server.get(f"{THINGS}/zz/scale").status == 404
        assert server.get(f"{PODS}/p/scale").status == 404


class TestBinding:
    def binding(self, node: str = "n1") -> dict[str, object]:
        return {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": "p"},
            "target": {"kind": "Node", "name": node},
        }

    def test_it_puts_a_pod_on_a_node(self, server):
        server.created(PODS, pod())
        answer = server.post(f"{PODS}/p/binding", self.binding())
        expected = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
        assert (answer.status, answer.body) == (201, expected)
        body = server.get(f"{PODS}/p").body
        assert (body["spec"]["nodeName"], body["metadata"]["generation"]) == ("n1", 1)
        assert body["status"]["conditions"][0]["type"] == "PodScheduled"

    def test_once(self, server):
        server.created(PODS, pod())
        server.post(f"{PODS}/p/binding", self.binding())
        answer = server.post(f"{PODS}/p/binding", self.binding("n2"))
        assert (answer.status, 'pod p is already assigned to node "n1"' in answer.message) == (409, True)

    def test_it_needs_a_node(self, server):
        server.created(PODS, pod())
        assert server.post(f"{PODS}/p/binding", self.binding("")).status == 422


def test_an_eviction_deletes_with_grace(server):
    server.created(PODS, pod(nodeName="n1"))
    answer = server.post(f"{PODS}/p/eviction", {"metadata": {"name": "p"}, "deleteOptions": {"gracePeriodSeconds": 5}})
    assert answer.status == 201
    assert server.get(f"{PODS}/p").body["metadata"]["deletionGracePeriodSeconds"] == 5


class TestLogs:
    def read(self, key: ObjectKey, container: str, query: Mapping[str, list[str]]) -> bytes | None:
        return f"{key} {container} {query['tailLines'][0]}\n".encode() if key.name == "p" else None

    def test_they_come_from_whoever_runs_the_pods(self):
        server = Server(pod_logs=self.read)
        server.created(PODS, pod())
        response = server.send("GET", f"{PODS}/p/log", tailLines="5")
        assert (response.status, response.body) == (200, b"default/p c 5\n")
        assert response.headers["Content-Type"] == "text/plain"

    def test_of_a_pod_that_nothing_runs_there_are_none(self, server):
        server.created(PODS, pod())
        assert server.get(f"{PODS}/p/log").status == 501

    def test_of_several_containers_one_must_be_chosen(self, server):
        server.created(PODS, pod(containers=[{"name": name, "image": "i"} for name in "ab"]))
        assert "choose one of: [a, b]" in server.get(f"{PODS}/p/log").message
        assert server.get(f"{PODS}/p/log", container="z").status == 400
        server.api.pods.logs = lambda key, container, query: container.encode()
        assert server.send("GET", f"{PODS}/p/log", container="b").body == b"b"


def test_a_kind_without_subresources_keeps_status_like_any_field():
    server = Server()
    body = definition()
    del body["spec"]["versions"][0]["subresources"]
    server.created(DEFINITIONS, body)
    assert server.created(THINGS, {**thing(), "status": {"ready": 1}})["status"] == {"ready": 1}
    assert server.get(f"{THINGS}/a/status").message == 'things.things.example.org "a" not found'
    assert (
        server.patch(f"/apis/{GROUP}/v1/namespaces/default/things/a", {"status": {"ready": 2}}).body["metadata"][
            "generation"
        ]
        == 2
    )
