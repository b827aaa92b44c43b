"""Patches of all four kinds."""

from __future__ import annotations

import pytest

from tests.unit.apiserver.calls import APPLY, CONFIG_MAPS, JSON_PATCH, PODS, STRATEGIC, THINGS, pod, thing

REJECTED = "the server rejected our request due to an error in our request"


class TestMerge:
    def test_null_deletes_and_lists_are_replaced(self, server):
        server.created(THINGS, thing(note="n", args=["a", "b"], metadata={"labels": {"a": "1", "b": "2"}}))
        patch = {"spec": {"note": None, "args": ["c"]}, "metadata": {"labels": {"a": None}}}
        body = server.patch(f"{THINGS}/a", patch).body
        assert (body["spec"]["args"], "note" in body["spec"], body["metadata"]["labels"]) == (["c"], False, {"b": "2"})

    def test_a_stale_version_in_it_is_409(self, server):
        server.created(THINGS, thing())
        answer = server.patch(f"{THINGS}/a", {"metadata": {"resourceVersion": "1"}, "spec": {"size": 3}})
        assert (answer.status, answer.reason) == (409, "Conflict")

    @pytest.mark.parametrize(
        ("patch", "causes"),
        [
            ({"kind": "Other"}, [("kind", 'Invalid value: "Other": must be Thing')]),
            ({"apiVersion": "o/v1"}, [("apiVersion", 'Invalid value: "o/v1": must be things.example.org/v1')]),
        ],
    )
    def test_it_cannot_make_a_custom_object_something_else(self, server, patch, causes):
        server.created(THINGS, thing())
        answer = server.patch(f"{THINGS}/a", patch)
        assert (answer.status, answer.causes) == (422, causes)
        assert server.get(f"{THINGS}/a").body["kind"] == "Thing"

    def test_it_cannot_make_a_built_in_object_something_else(self, server):
        server.created(CONFIG_MAPS, {"metadata": {"name": "a"}})
        [(field, message)] = server.patch(f"{CONFIG_MAPS}/a", {"kind": "Other"}).causes
        assert field == "patch"
        assert 'no kind "Other" is registered for version "v1"' in message

    def test_it_cannot_rename(self, server):
        server.created(THINGS, thing())
        assert server.patch(f"{THINGS}/a", {"metadata": {"name": "b"}}).status == 400

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"[1]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
            (b"{", "error decoding patch: unexpected end of JSON input"),
        ],
    )
    def test_what_is_no_patch_is_400(self, server, body, message):
        server.created(THINGS, thing())
        answer = server.patch(f"{THINGS}/a", body)
        assert (answer.status, message in answer.message) == (400, True)

    def test_a_result_of_the_wrong_type_or_against_the_schema_is_422(self, server):
        server.created(THINGS, thing())
        assert server.patch(f"{THINGS}/a", {"metadata": {"labels": {"a": 1}}}).status == 422
        assert server.patch(f"{THINGS}/a", {"spec": {"size": 99}}).status == 422


class TestJson:
    def test_operations_are_carried_out_in_order(self, server):
        server.created(THINGS, thing(parts=[{"name": "x"}]))
        operations = [
            {"op": "test", "path": "/spec/size", "value": 1},
            {"op": "replace", "path": "/spec/size", "value": 3},
            {"op": "add", "path": "/metadata/labels", "value": {"j": "p"}},
            {"op": "add", "path": "/spec/parts/-", "value": {"name": "y"}},
        ]
        body = server.patch(f"{THINGS}/a", operations, JSON_PATCH).body
        assert (body["spec"]["size"], body["metadata"]["labels"]) == (3, {"j": "p"})
        assert body["spec"]["parts"] == [{"name": "x", "weight": 1}, {"name": "y", "weight": 1}]

    @pytest.mark.parametrize(
        "operation",
        [
            {"op": "test", "path": "/spec/size", "value": 99},
            {"op": "remove", "path": "/spec/nothing"},
            {"op": "frob", "path": "/spec/size"},
            {"op": "replace"},
            {},
        ],
    )
    def test_one_that_fails_is_422_and_changes_nothing(self, server, operation):
        server.created(THINGS, thing())
        answer = server.patch(
            f"{THINGS}/a", [{"op": "replace", "path": "/spec/size", "value": 5}, operation], JSON_PATCH
        )
        assert (answer.status, answer.message, answer.body["details"]) == (422, REJECTED, {})
        assert server.get(f"{THINGS}/a").body["spec"]["size"] == 1

    @pytest.mark.parametrize(
        ("patch", "why"),
        [
            ({"op": "test"}, "json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
            ([7], "json: cannot unmarshal number into Go value of type handlers.jsonPatchOp"),
            ([{"op": 7}], "json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string"),
        ],
    )
    def test_what_is_no_list_of_operations_is_400(self, server, patch, why):
        server.created(THINGS, thing())
        answer = server.patch(f"{THINGS}/a", patch, JSON_PATCH)
        assert (answer.status, answer.message) == (400, f"error decoding patch: {why}")

    def test_more_than_ten_thousand_are_413(self, server):
        server.created(THINGS, thing())
        answer = server.patch(f"{THINGS}/a", [{"op": "test", "path": ""}] * 10001, JSON_PATCH)
        assert (answer.status, answer.reason) == (413, "RequestEntityTooLarge")

    def test_what_it_does_not_know_of_it_is_warned_of(self, server):
        server.created(THINGS, thing())
        operations = b'[{"op": "add", "path": "/spec/note", "path": "/spec/note", "value": "n", "why": 1}]'
        answer = server.patch(f"{THINGS}/a", operations, JSON_PATCH)
        warnings = answer.headers["Warning"]
        assert answer.status == 200
        assert 'json patch duplicate field \\"[0].path\\"' in warnings
        assert 'json patch unknown field \\"[0].why\\"' in warnings


class TestStrategic:
    def test_a_custom_resource_cannot_be_patched_so(self, server):
        server.created(THINGS, thing())
        answer = server.patch(f"{THINGS}/a", {}, STRATEGIC)
        assert answer.status == 415
        assert answer.message.endswith(
            "accepted media types include: application/json-patch+json, application/merge-patch+json, "
            "application/apply-patch+yaml"
        )
        assert server.patch(f"{THINGS}/a", {}, "application/json").status == 415

    def test_containers_merge_by_name(self, server):
        server.created(PODS, pod(containers=[{"name": "c", "image": "i", "env": [{"name": "A", "value": "1"}]}]))
        body = server.patch(f"{PODS}/p", {"spec": {"containers": [{"name": "c", "image": "j"}]}}, STRATEGIC).body
        (container,) = body["spec"]["containers"]
        assert (container["image"], container["env"]) == ("j", [{"name": "A", "value": "1"}])

    def test_conditions_of_a_status_merge_by_type(self, server):
        server.created(PODS, pod())
        for status in ("False", "True"):
            patch = {"status": {"conditions": [{"type": "Ready", "status": status}]}}
            body = server.patch(f"{PODS}/p/status", patch, STRATEGIC).body
        (condition,) = body["status"]["conditions"]
        assert (condition["type"], condition["status"]) == ("Ready", "True")

    def test_an_unknown_directive_is_500(self, server):
        server.created(PODS, pod())
        answer = server.patch(f"{PODS}/p", {"spec": {"$patch": "bogus"}}, STRATEGIC)
        assert (answer.status, answer.message) == (500, "unknown patch type: bogus in map: map[$patch:bogus]")

    def test_a_list_item_without_its_merge_key_is_500(self, server):
        server.created(PODS, pod())
        answer = server.patch(f"{PODS}/p", {"spec": {"containers": [{"image": "j"}]}}, STRATEGIC)
        assert (answer.status, "does not contain declared merge key: name" in answer.message) == (500, True)


class TestApply:
    def test_it_creates_then_changes_then_does_nothing(self, server):
        path, configuration = f"{THINGS}/a", thing(parts=[{"name": "x"}])
        first = server.patch(path, configuration, APPLY, fieldManager="me")
        second = server.patch(path, configuration, APPLY, fieldManager="me")
        third = server.patch(path, thing(size=2), APPLY, fieldManager="me", force="true")
        assert [each.status for each in (first, second, third)] == [201, 200, 200]
        assert (second.version, third.body["spec"]["size"]) == (first.version, 2)

    def test_lists_with_keys_and_sets_are_merged(self, server):
        server.created(THINGS, thing(parts=[{"name": "x", "weight": 5}], args=["a"]))
        body = server.patch(
            f"{THINGS}/a",
            thing(parts=[{"name": "y"}, {"name": "x"}], args=["b"]),
            APPLY,
            fieldManager="me",
            force="true",
        ).body
        assert body["spec"]["parts"] == [{"name": "y", "weight": 1}, {"name": "x", "weight": 5}]
        assert body["spec"]["args"] == ["a", "b"]

    def test_yaml_is_understood(self, server):
        answer = server.patch(
            f"{CONFIG_MAPS}/c",
            b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n",
            APPLY,
            fieldManager="m",
        )
        assert (answer.status, answer.body["data"]) == (201, {"a": "b"})

    def test_it_needs_a_field_manager_and_force_needs_it(self, server):
        answer = server.patch(f"{THINGS}/a", thing(), APPLY)
        assert answer.causes == [("fieldManager", "Required value: is required for apply patch")]
        server.created(THINGS, thing())
        assert server.patch(f"{THINGS}/a", {}, force="true").causes[0][0] == "force"

    @pytest.mark.parametrize(
        ("metadata", "status"), [({"managedFields": []}, 400), ({"uid": "x"}, 409), ({"resourceVersion": "1"}, 500)]
    )
    def test_metadata_that_only_the_server_may_set_is_refused(self, server, metadata, status):
        assert server.patch(f"{THINGS}/a", thing(metadata=metadata), APPLY, fieldManager="me").status == status

    def test_a_missing_object_has_no_status_to_apply(self, server):
        assert server.patch(f"{THINGS}/a/status", {**thing(), "status": {}}, APPLY, fieldManager="me").status == 404


class TestResult:
    def test_its_name_must_stay(self, server):
        server.created(THINGS, thing())
        answer = server.patch(f"{THINGS}/a", {"metadata": {"name": None}})
        why = "the name of the object (a based on URL) was undeterminable: name must be provided"
        assert (answer.status, answer.message) == (400, why)

    def test_its_uid_must_stay_and_is_asked_about_twice(self, server):
        server.created(THINGS, thing())
        answer = server.patch(f"{THINGS}/a", {"metadata": {"uid": "other"}})
        cause = ("metadata.uid", 'Invalid value: "other": field is immutable')
        assert (answer.status, answer.causes) == (422, [cause, cause])

    @pytest.mark.parametrize(
        ("path", "body", "times"), [(THINGS, thing(), 3), (CONFIG_MAPS, {"metadata": {"name": "a"}}, 4)]
    )
    def test_a_bad_label_is_found_each_time_a_real_server_looks(self, server, path, body, times):
        server.created(path, body)
        causes = server.patch(f"{path}/a", {"metadata": {"labels": {"-": "x"}}}).causes
        assert [field for field, _ in causes] == ["metadata.labels"] * times

    def test_a_whole_float_is_stored_as_an_integer(self, server):
        server.created(THINGS, thing())
        body = server.patch(f"{THINGS}/a", b'{"spec": {"parts": [{"name": "x", "weight": 3.0}]}}').body
        assert repr(body["spec"]["parts"][0]["weight"]) == "3"
        assert repr(server.get(f"{THINGS}/a").body["spec"]["parts"][0]["weight"]) == "3"

    def test_what_does_not_fit_its_type_ends_keeping_track_even_where_it_is_left_alone(self, server):
        server.created(THINGS, thing())
        assert server.get(f"{THINGS}/a").body["metadata"]["managedFields"]
        patched = server.patch(f"{THINGS}/a/status", {"status": {"phase": "Up"}, "spec": {"size": "x"}}).body
        assert "managedFields" not in patched["metadata"]
        assert patched["spec"]["size"] == 1

    def test_no_other_media_type_is_a_patch_of_a_built_in_kind(self, server):
        server.created(CONFIG_MAPS, {"metadata": {"name": "a"}})
        answer = server.patch(f"{CONFIG_MAPS}/a", {}, "application/json")
        assert (answer.status, answer.message) == (415, "415: Unsupported Media Type")


class TestAppliedValues:
    def applied(self, server, cpu):
        body = {"apiVersion": "v1", "kind": "Pod", **pod(containers=[{"name": "c", "image": "i"}])}
        body["spec"]["containers"][0]["resources"] = {"requests": {"cpu": cpu}}
        return server.patch(f"{PODS}/p", body, APPLY, fieldManager="me")

    def test_they_get_the_form_that_their_types_have(self, server):
        (container,) = self.applied(server, 0.5).body["spec"]["containers"]
        assert container["resources"] == {"requests": {"cpu": "500m"}}

    def test_what_does_not_fit_is_an_error_of_the_server(self, server):
        answer = self.applied(server, "much")
        words = "unable to convert unstructured object to /v1, Kind=Pod: quantities must match"
        assert (answer.status, words in answer.message) == (500, True)
