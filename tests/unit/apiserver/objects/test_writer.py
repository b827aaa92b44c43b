"""Create, update, patch and delete: what holds for every kind."""

from __future__ import annotations

import pytest

from btcctl import codecs
from tests.unit.apiserver.calls import (
    CONFIG_MAPS,
    DEFINITIONS,
    GROUP,
    JSON_PATCH,
    PODS,
    STATEFUL_SETS,
    THINGS,
    Server,
    definition,
    pod,
    stateful_set,
    thing,
)

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def test_what_is_in_the_store_stays_as_it_is_whatever_comes_after(server):
    server.created(PODS, pod())
    record = server.api.store.list(("", "pods"))[0][0]
    before = codecs.encode(record.body)
    for part, change in ("", {"spec": {"activeDeadlineSeconds": 5}}), ("/status", {"status": {"phase": "Running"}}):
        assert server.patch(f"{PODS}/p{part}", change).status == 200
    assert codecs.encode(record.body) == before


class TestCreate:
    def test_what_only_the_server_may_say_is_replaced(self, server):
        sent = {
            "uid": "x",
            "creationTimestamp": "2001-01-01T00:00:00Z",
            "generation": 9,
            "deletionTimestamp": "2001-01-01T00:00:00Z",
        }
        metadata = server.created(THINGS, thing(metadata=sent))["metadata"]
        assert (metadata["generation"], metadata["creationTimestamp"]) == (1, "2026-01-01T00:00:00Z")
        assert metadata["uid"] != "x"
        assert "deletionTimestamp" not in metadata

    def test_a_resource_version_in_it_is_500_without_reason(self, server):
        answer = server.post(THINGS, thing(metadata={"resourceVersion": "5"}))
        assert (answer.status, answer.reason) == (500, None)
        assert answer.message == "resourceVersion should not be set on objects to be created"

    def test_its_status_is_dropped(self, server):
        assert "status" not in server.created(THINGS, {**thing(), "status": {"ready": 7}})

    def test_an_existing_name_is_409(self, server):
        server.created(THINGS, thing())
        answer = server.post(THINGS, thing())
        assert (answer.status, answer.reason) == (409, "AlreadyExists")
        assert answer.message == f'things.{GROUP} "a" already exists'
        assert answer.body["details"] == {"name": "a", "group": GROUP, "kind": "things"}

    def test_a_name_that_is_being_deleted_still_exists(self, server):
        server.created(THINGS, thing(metadata={"finalizers": ["x.example.org/f"]}))
        server.delete(f"{THINGS}/a")
        assert server.post(THINGS, thing()).message == f'object is being deleted: things.{GROUP} "a" already exists'

    def test_a_missing_namespace_is_404(self, server):
        answer = server.post("/api/v1/namespaces/nope/configmaps", {"metadata": {"name": "a"}})
        assert (answer.status, answer.message) == (404, 'namespaces "nope" not found')

    def test_a_name_is_generated_after_its_prefix(self, server):
        body = {"metadata": {"generateName": "c-"}}
        names = {server.created(CONFIG_MAPS, body)["metadata"]["name"] for _ in range(20)}
        assert len(names) == 20
        assert all(name.startswith("c-") and len(name) == 7 for name in names)

    def test_a_dry_run_answers_without_a_version_and_stores_nothing(self, server):
        before = server.api.store.revision
        created = server.created(THINGS, thing(), dryRun="All")
        assert created["metadata"]["uid"]
        assert "resourceVersion" not in created["metadata"]
        assert (server.exists(f"{THINGS}/a"), server.api.store.revision) == (False, before)

    def test_another_namespace_in_the_body_is_400(self, server):
        answer = server.post(THINGS, thing(metadata={"namespace": "kube-system"}))
        assert (answer.status, answer.message) == (
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
        )

    @pytest.mark.parametrize(
        ("metadata", "field", "message"),
        [
            ({"name": "Bad_Name"}, "metadata.name", "a lowercase RFC 1123 subdomain must consist of"),
            ({"name": "x" * 254}, "metadata.name", "must be no more than 253 characters"),
            ({"name": ""}, "metadata.name", "Required value: name or generateName is required"),
            ({"labels": {"a b": "c"}}, "metadata.labels", "name part must consist of alphanumeric"),
            ({"labels": {"a": "c d"}}, "metadata.labels", "a valid label must be an empty string"),
            (
                {"annotations": {"k": "v" * 262145}},
                "metadata.annotations",
                "Too long: may not be more than 262144 bytes",
            ),
            (
                {"ownerReferences": [{"apiVersion": "a/b/c", "kind": "K", "name": "n", "uid": "u"}]},
                "metadata.ownerReferences.apiVersion",
                'Invalid value: "a/b/c": version must not be empty',
            ),
            (
                {"ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "n", "uid": ""}]},
                "metadata.ownerReferences.uid",
                'Invalid value: "": must not be empty',
            ),
        ],
    )
    def test_bad_metadata_is_422(self, server, metadata, field, message):
        answer = server.post(THINGS, thing(metadata=metadata))
        assert (answer.status, answer.reason, answer.body["details"]["kind"]) == (422, "Invalid", "Thing")
        assert any(at == field and message in text for at, text in answer.causes)

    def test_two_controllers_are_422(self, server):
        owner = {"apiVersion": "v1", "kind": "K", "name": "n", "uid": "u", "controller": True}
        answer = server.post(THINGS, thing(metadata={"ownerReferences": [owner, {**owner, "uid": "v"}]}))
        assert "Only one reference can have Controller set to true" in answer.message

    def test_a_finalizer_without_a_slash_is_a_warning_for_custom_and_422_for_built_in_kinds(self, server):
        answer = server.post(THINGS, thing(metadata={"finalizers": ["noslash"]}))
        assert (answer.status, "prefer a domain-qualified finalizer" in answer.headers["Warning"]) == (201, True)
        refused = server.post(CONFIG_MAPS, {"metadata": {"name": "q", "finalizers": ["noslash"]}})
        assert refused.causes == [
            (
                "metadata.finalizers[0]",
                'Invalid value: "noslash": name is neither a standard finalizer name nor is it fully qualified',
            )
        ]


class TestUpdate:
    def test_generation_counts_changes_of_the_spec_alone(self, server):
        body = server.created(THINGS, thing())
        body["spec"]["size"] = 2
        body = server.put(f"{THINGS}/a", body).body
        assert body["metadata"]["generation"] == 2
        body["metadata"]["labels"] = {"l": "x"}
        body = server.put(f"{THINGS}/a", body).body
        body = server.put(f"{THINGS}/a/status", {**body, "status": {"ready": 1}}).body
        assert (body["metadata"]["generation"], body["status"]) == (2, {"ready": 1})

    def test_the_main_resource_ignores_status(self, server):
        body = server.created(THINGS, thing())
        assert "status" not in server.put(f"{THINGS}/a", {**body, "status": {"ready": 1}}).body

    def test_status_ignores_everything_else(self, server):
        body = server.created(THINGS, thing())
        sent = {**body, "spec": {"size": 9}, "status": {"ready": 1}}
        sent["metadata"] = {**body["metadata"], "labels": {"l": "x"}, "finalizers": ["x.example.org/f"]}
        answer = server.put(f"{THINGS}/a/status", sent).body
        assert (answer["spec"]["size"], answer["status"]["ready"]) == (1, 1)
        assert not {"labels", "finalizers"} & set(answer["metadata"])

    def test_a_write_that_changes_nothing_keeps_the_version_and_is_no_event(self, server):
        body = server.created(THINGS, thing())
        seen = server.watch(THINGS, resourceVersion=body["metadata"]["resourceVersion"])
        answer = server.put(f"{THINGS}/a", body)
        assert (answer.status, answer.version) == (200, body["metadata"]["resourceVersion"])
        assert server.patch(f"{THINGS}/a", {"spec": {"size": 1}}).version == answer.version
        assert seen.events == []

    @pytest.mark.parametrize("path", [f"{THINGS}/a", f"{THINGS}/a/status"])
    def test_a_stale_version_is_409(self, server, path):
        body = server.created(THINGS, thing())
        server.patch(f"{THINGS}/a", {"spec": {"size": 2}})
        answer = server.put(path, body)
        assert (answer.status, answer.reason) == (409, "Conflict")
        assert answer.message == f'Operation cannot be fulfilled on things.{GROUP} "a": {MODIFIED}'

    @pytest.mark.parametrize("version", [None, "", "0"])
    def test_a_custom_resource_needs_a_version(self, server, version):
        body = server.created(THINGS, thing())
        body["metadata"]["resourceVersion"] = version
        answer = server.put(f"{THINGS}/a", body)
        assert (answer.status, answer.body["details"]["kind"]) == (422, "things")
        assert answer.causes == [("metadata.resourceVersion", "Invalid value: 0: must be specified for an update")]

    def test_a_config_map_does_not(self, server):
        server.created(CONFIG_MAPS, {"metadata": {"name": "c"}, "data": {"a": "1"}})
        assert server.put(f"{CONFIG_MAPS}/c", {"metadata": {"name": "c"}, "data": {"a": "2"}}).body["data"] == {
            "a": "2"
        }

    def test_a_version_that_is_no_number_is_500(self, server):
        body = server.created(THINGS, thing())
        body["metadata"]["resourceVersion"] = "abc"
        assert server.put(f"{THINGS}/a", body).message == 'strconv.ParseUint: parsing "abc": invalid syntax'

    def test_another_uid_is_409(self, server):
        body = server.created(THINGS, thing())
        body["metadata"]["uid"] = "222"
        answer = server.put(f"{THINGS}/a", body)
        assert answer.status == 409
        assert f"Key: /registry/{GROUP}/things/default/a, ResourceVersion: 0" in answer.message

    def test_another_name_is_400(self, server):
        server.created(THINGS, thing())
        answer = server.put(f"{THINGS}/a", thing("other"))
        assert (answer.status, answer.message) == (
            400,
            "the name of the object (other) does not match the name on the URL (a)",
        )

    def test_what_is_missing_is_404(self, server):
        assert server.put(f"{THINGS}/zz", thing("zz")).status == 404

    def test_a_deletion_timestamp_is_immutable_and_said_twice(self, server):
        body = server.created(THINGS, thing())
        body["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"
        answer = server.put(f"{THINGS}/a", body)
        cause = ("metadata.deletionTimestamp", 'Invalid value: "2030-01-01T00:00:00Z": field is immutable')
        assert answer.causes == [cause, cause]
        assert answer.message.count("field is immutable") == 1

    def test_a_dry_run_shows_the_next_generation_and_the_old_version(self, server):
        body = server.created(THINGS, thing())
        answer = server.put(f"{THINGS}/a", {**body, "spec": {"size": 9}}, dryRun="All")
        assert (answer.body["metadata"]["generation"], answer.version) == (2, body["metadata"]["resourceVersion"])
        assert server.get(f"{THINGS}/a").body == body

    def test_a_client_cannot_reach_into_the_store(self, server):
        server.created(THINGS, thing(parts=[{"name": "x"}]))
        before = server.api.store.snapshot()["collections"]
        copy = server.get(f"{THINGS}/a").raw
        server.patch(f"{THINGS}/a", {"spec": {"parts": [{"name": "y"}]}}, dryRun="All")
        server.patch(
            f"{THINGS}/a", [{"op": "add", "path": "/spec/parts/0/weight", "value": 5}], JSON_PATCH, dryRun="All"
        )
        assert server.get(f"{THINGS}/a").raw == copy
        assert server.api.store.snapshot()["collections"] == before


class TestFieldValidation:
    def test_by_default_unknown_fields_are_pruned_and_warned_of(self, server):
        answer = server.post(THINGS, {**thing(bogus=1), "alsoBogus": True})
        assert answer.headers["Warning"] == r'299 - "unknown field \"alsoBogus\"", 299 - "unknown field \"spec.bogus\""'
        assert "bogus" not in answer.body["spec"]
        assert "alsoBogus" not in answer.body

    def test_warnings_come_with_errors_too(self, server):
        server.created(THINGS, thing())
        answer = server.post(THINGS, thing(bogus=1))
        assert (answer.status, "spec.bogus" in answer.headers["Warning"]) == (409, True)

    def test_ignored_they_are_pruned_in_silence(self, server):
        answer = server.post(THINGS, thing(bogus=1), fieldValidation="Ignore")
        assert (answer.status, "Warning" in answer.headers) == (201, False)

    def test_strict_refuses_them(self, server):
        answer = server.post(THINGS, {**thing(bogus=1), "alsoBogus": True}, fieldValidation="Strict")
        assert (answer.status, answer.message) == (
            400,
            (
                'Thing in version "v1" cannot be handled as a Thing: strict decoding error: '
                'unknown field "alsoBogus", unknown field "spec.bogus"'
            ),
        )

    def test_strict_refuses_a_patch_with_422_and_the_whole_object(self, server):
        server.created(THINGS, thing())
        answer = server.patch(f"{THINGS}/a", {"spec": {"bogus": 3}}, fieldValidation="Strict")
        assert (answer.status, answer.causes[0][0]) == (422, "patch")
        assert answer.message.endswith('strict decoding error: unknown field "spec.bogus"')

    def test_of_duplicate_fields_the_last_wins(self, server):
        body = (
            b'{"apiVersion":"%s/v1","kind":"Thing","metadata":{"name":"d"},"spec":{"size":1,"size":2}}' % GROUP.encode()
        )
        answer = server.post(THINGS, body)
        assert (answer.body["spec"]["size"], answer.headers["Warning"]) == (2, r'299 - "duplicate field \"spec.size\""')
        assert server.post(THINGS, body, fieldValidation="Strict").status == 400

    @pytest.mark.parametrize(
        ("path", "body", "field"),
        [
            (CONFIG_MAPS, {"metadata": {"name": "c", "lables": {}}}, "metadata.lables"),
            (CONFIG_MAPS, {"metadata": {"name": "c"}, "date": {}}, "date"),
            (PODS, pod(containers=[{"name": "c", "image": "i", "imagePolicy": "x"}]), "spec.containers[0].imagePolicy"),
            (STATEFUL_SETS, stateful_set(replica=3), "spec.replica"),
            (THINGS, thing(metadata={"lables": {}}), "metadata.lables"),
        ],
    )
    def test_a_misspelt_field_of_any_kind_is_found(self, server, path, body, field):
        refused = server.post(path, body, fieldValidation="Strict")
        assert refused.message.endswith(f'strict decoding error: unknown field "{field}"')
        assert server.post(path, body).headers["Warning"] == rf'299 - "unknown field \"{field}\""'

    @pytest.mark.parametrize(
        ("name", "value"), [("fieldValidation", "Bogus"), ("dryRun", "Bogus"), ("fieldManager", "x" * 129)]
    )
    def test_bad_options_are_422_of_the_options(self, server, name, value):
        answer = server.post(THINGS, thing(), **{name: value})
        assert (answer.status, answer.body["details"]["kind"]) == (422, "CreateOptions")
        assert answer.message.startswith(f'CreateOptions.meta.k8s.io "" is invalid: {name}: ')


class TestDelete:
    def test_without_finalizers_the_object_is_gone_and_the_answer_a_status(self, server):
        uid = server.created(THINGS, thing())["metadata"]["uid"]
        answer = server.delete(f"{THINGS}/a")
        assert answer.body == {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": {"name": "a", "group": GROUP, "kind": "things", "uid": uid},
        }
        assert not server.exists(f"{THINGS}/a")

    def test_with_finalizers_it_is_marked_and_goes_with_the_last_of_them(self, server):
        body = server.created(THINGS, thing(metadata={"finalizers": ["x.example.org/1", "x.example.org/2"]}))
        seen = server.watch(THINGS, resourceVersion=body["metadata"]["resourceVersion"])
        marked = server.delete(f"{THINGS}/a").body["metadata"]
        assert (marked["generation"], marked["deletionGracePeriodSeconds"]) == (2, 0)
        assert server.delete(f"{THINGS}/a").version == marked["resourceVersion"]
        server.patch(f"{THINGS}/a", {"metadata": {"finalizers": ["x.example.org/2"]}})
        version = server.get(f"{THINGS}/a").version
        last = server.patch(f"{THINGS}/a", [{"op": "remove", "path": "/metadata/finalizers"}], JSON_PATCH)
        assert (last.status, last.version, "finalizers" in last.body["metadata"]) == (200, version, False)
        assert seen.types == ["MODIFIED", "MODIFIED", "DELETED"]
        deleted = seen.events[-1]["object"]["metadata"]
        assert deleted["finalizers"] == ["x.example.org/2"]
        assert int(deleted["resourceVersion"]) > int(version)

    def test_while_it_is_deleted_no_finalizer_can_be_added_but_the_spec_may_change(self, server):
        server.created(THINGS, thing(metadata={"finalizers": ["x.example.org/1"]}))
        server.delete(f"{THINGS}/a")
        answer = server.patch(f"{THINGS}/a", {"metadata": {"finalizers": ["x.example.org/1", "x.example.org/3"]}})
        assert answer.message.endswith('found new finalizers []string{"x.example.org/3"}')
        assert server.patch(f"{THINGS}/a", {"spec": {"size": 5}}).body["metadata"]["generation"] == 3

    def test_preconditions_must_hold(self, server):
        version = server.created(THINGS, thing())["metadata"]["resourceVersion"]
        answer = server.delete(f"{THINGS}/a", {"preconditions": {"uid": "other"}})
        assert (answer.status, answer.body["details"]["kind"]) == (409, "Thing")
        assert "The object might have been deleted and then recreated" in answer.message
        stale = server.delete(f"{THINGS}/a", {"preconditions": {"resourceVersion": "1"}})
        assert f"(1) does not match the ResourceVersion in record ({version})" in stale.message
        assert server.delete(f"{THINGS}/a", {"preconditions": {"resourceVersion": version}}).status == 200

    def test_a_dry_run_deletes_nothing(self, server):
        server.created(THINGS, thing())
        assert server.delete(f"{THINGS}/a", dryRun="All").body["status"] == "Success"
        assert server.exists(f"{THINGS}/a")

    @pytest.mark.parametrize(
        ("body", "query", "message"),
        [
            (
                None,
                {"propagationPolicy": "Bogus"},
                'Unsupported value: "Bogus": supported values: "Foreground", "Background"',
            ),
            ({"orphanDependents": True, "propagationPolicy": "Orphan"}, {}, "cannot be both set"),
        ],
    )
    def test_bad_options_are_422(self, server, body, query, message):
        answer = server.delete(f"{THINGS}/none", body, **query)
        assert (answer.status, answer.body["details"]["kind"], message in answer.message) == (
            422,
            "DeleteOptions",
            True,
        )

    def test_a_collection_is_answered_with_what_it_was(self, server):
        for name in "abc":
            server.created(THINGS, thing(name, metadata={"labels": {"odd": str(name in "ac")}}))
        answer = server.delete(THINGS, labelSelector="odd=True")
        assert (answer.body["kind"], answer.names) == ("ThingList", ["a", "c"])
        assert server.get(THINGS).names == ["b"]


def test_several_served_versions_show_the_same_object_under_their_own_name():
    server = Server()
    body = definition()
    first = body["spec"]["versions"][0]
    body["spec"]["versions"].append({**first, "name": "v2", "storage": False})
    server.created(DEFINITIONS, body)
    server.created(THINGS, thing())
    path = f"/apis/{GROUP}/v2/namespaces/default/things"
    assert server.get(path).body["items"][0]["apiVersion"] == f"{GROUP}/v2"
    changed = {**server.get(f"{path}/a").body, "spec": {"size": 3}}
    assert server.put(f"{path}/a", changed).body["apiVersion"] == f"{GROUP}/v2"
    seen = server.watch(THINGS)
    assert seen.events[0]["object"]["apiVersion"] == f"{GROUP}/v1"


def test_an_unscheduled_pod_is_gone_at_once_and_answered_as_a_pod(server):
    server.created(PODS, pod())
    seen = server.watch(PODS, resourceVersion=server.get(PODS).version)
    answer = server.delete(f"{PODS}/p")
    assert (answer.body["kind"], answer.body["metadata"]["deletionGracePeriodSeconds"]) == ("Pod", 0)
    assert seen.types == ["MODIFIED", "DELETED"]


@pytest.mark.parametrize(("version", "dry_run", "status"), [("0", "", 201), ("7", "All", 201), ("7", "", 500)])
def test_a_version_of_a_new_object_counts_where_it_is_stored(server, version, dry_run, status):
    options = {"dryRun": dry_run} if dry_run else {}
    body = {"metadata": {"name": "tried", "resourceVersion": version}}
    assert server.post(CONFIG_MAPS, body, **options).status == status
