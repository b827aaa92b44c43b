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
    STRATEGIC,
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
        answer = server.post(f"{PODS}/p/binding", self.binding(""))
        assert (answer.status, answer.message) == (500, "target.name: Required value")

    @pytest.mark.parametrize(
        ("metadata", "status"),
        [
            ({"name": "q"}, 400),
            ({}, 400),
            ({"name": "p", "uid": "other"}, 409),
            ({"name": "p", "resourceVersion": "1"}, 409),
        ],
    )
    def test_it_is_about_one_pod(self, server, metadata, status):
        server.created(PODS, pod())
        assert server.post(f"{PODS}/p/binding", {**self.binding(), "metadata": metadata}).status == status
        assert "nodeName" not in server.get(f"{PODS}/p").body["spec"]

    def test_it_gives_the_pod_its_labels_and_annotations(self, server):
        server.created(PODS, pod())
        metadata = {"name": "p", "labels": {"a": "b"}, "annotations": {"c": "d"}}
        assert server.post(f"{PODS}/p/binding", {**self.binding(), "metadata": metadata}).status == 201
        made = server.get(f"{PODS}/p").body["metadata"]
        assert (made["labels"], made["annotations"]) == ({"a": "b"}, {"c": "d"})

    def test_a_pod_that_waits_is_not_bound(self, server):
        server.created(PODS, pod(schedulingGates=[{"name": "g"}]))
        answer = server.post(f"{PODS}/p/binding", self.binding())
        assert (answer.status, "has non-empty .spec.schedulingGates" in answer.message) == (409, True)


@pytest.mark.parametrize(("path", "body", "name"), [(STATEFUL_SETS, stateful_set(), "s"), (THINGS, thing(), "a")])
def test_a_scale_may_be_asked_for_as_a_table(server, path, body, name):
    server.created(path, body)
    table = server.get(f"{path}/{name}/scale", accept="application/json;as=Table;v=v1;g=meta.k8s.io").body
    assert [each["name"] for each in table["columnDefinitions"]] == ["Name", "Desired", "Available", "Age"]
    assert table["rows"][0]["cells"][:3] == [name, 1, 0]


class TestDebuggers:
    def test_are_added_and_stay(self, server):
        server.created(PODS, pod())
        place, debugger = f"{PODS}/p/ephemeralcontainers", {"name": "d", "image": "i", "targetContainerName": "c"}
        made = server.patch(place, {"spec": {"ephemeralContainers": [debugger], "hostname": "h"}}, STRATEGIC).body
        assert made["spec"]["ephemeralContainers"][0]["terminationMessagePolicy"] == "File"
        assert ("hostname" in made["spec"], made["metadata"]["generation"]) == (False, 2)
        assert server.patch(place, {"spec": {"ephemeralContainers": None}}).status == 422
        assert server.get(f"{PODS}/p").body["spec"]["ephemeralContainers"][0]["name"] == "d"

    @pytest.mark.parametrize(
        ("more", "field"),
        [
            ({"ports": [{"containerPort": 1}]}, "ports"),
            ({"name": "c"}, "name"),
            ({"targetContainerName": "x"}, "targetContainerName"),
            ({"volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "s"}]}, "volumeMounts[0].subPath"),
        ],
    )
    def test_are_not_what_the_pod_is_for(self, server, more, field):
        server.created(PODS, pod(volumes=[{"name": "v", "emptyDir": {}}]))
        body = {"spec": {"ephemeralContainers": [{"name": "d", "image": "i", **more}]}}
        answer = server.patch(f"{PODS}/p/ephemeralcontainers", body, STRATEGIC)
        assert [each for each, _ in answer.causes] == [f"spec.ephemeralContainers[0].{field}"]

    def test_come_with_no_new_pod(self, server):
        answer = server.post(PODS, pod(ephemeralContainers=[{"name": "d", "image": "i"}]))
        assert answer.causes == [("spec.ephemeralContainers", "Forbidden: cannot be set on create")]


class TestResizing:
    @pytest.fixture
    def place(self, server) -> str:
        amounts = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "1Gi"}}
        server.created(PODS, pod(containers=[{"name": "c", "image": "i", "resources": amounts}]))
        return f"{PODS}/p/resize"

    def test_changes_amounts_and_nothing_else(self, server, place):
        change = {"containers": [{"name": "c", "image": "j", "resources": {"limits": {"cpu": "3"}}}]}
        body = server.patch(place, {"spec": change, "metadata": {"labels": {"a": "b"}}}, STRATEGIC).body
        (container,) = body["spec"]["containers"]
        assert (container["image"], container["resources"]["limits"]["cpu"]) == ("i", "3")
        assert ("labels" in body["metadata"], body["metadata"]["generation"]) == (False, 2)

    @pytest.mark.parametrize(
        ("resources", "why"),
        [
            ({"requests": {"cpu": "2"}}, "QOS Class may not change"),
            ({"limits": {"cpu": None}}, "resource limits cannot be removed"),
            ({"requests": {"ephemeral-storage": "1Gi"}}, "only cpu and memory resources are mutable"),
        ],
    )
    def test_keeps_the_quality_of_the_pod_and_the_kinds_of_its_resources(self, server, place, resources, why):
        answer = server.patch(place, {"spec": {"containers": [{"name": "c", "resources": resources}]}}, STRATEGIC)
        assert (answer.status, why in answer.message) == (422, True)

    def test_takes_no_other_containers(self, server, place):
        answer = server.patch(place, {"spec": {"containers": [{"name": "d", "image": "i"}]}}, STRATEGIC)
        assert ("spec.containers", "Forbidden: containers may not be added or removed on resize") in answer.causes

    def test_who_resizes_owns_whatever_he_says(self, server, place):
        change = {"containers": [{"name": "c", "resources": {"requests": {"cpu": "1500m"}}}], "hostname": "h"}
        body = server.patch(place, {"spec": change}, STRATEGIC, fieldManager="m").body
        (entry,) = (each for each in body["metadata"]["managedFields"] if each["manager"] == "m")
        amounts = {"f:resources": {"f:requests": {"f:cpu": {}}}}
        assert entry["fieldsV1"] == {"f:spec": {"f:containers": {'k:{"name":"c"}': amounts}, "f:hostname": {}}}
        assert (entry["subresource"], "hostname" in body["spec"]) == ("resize", False)


def test_a_token_for_a_time_that_is_none_is_refused(server):
    answer = server.post(
        "/api/v1/namespaces/default/serviceaccounts/default/token", {"spec": {"expirationSeconds": "x"}}
    )
    assert (answer.status, "of type int64" in answer.message) == (400, True)


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
        assert "choose one of: [a b]" in server.get(f"{PODS}/p/log").message
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
