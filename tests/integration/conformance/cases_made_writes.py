"""Patches, applies, dry runs and deletions as authors of operators and users of kubectl send them."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.cases_made_workloads import JOBS, job
from tests.integration.conformance.harness import Body, Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    FINALIZER,
    SECRETS,
    SERVICES,
    WIDGETS,
    config_map,
    define_widgets,
    deployment,
    owner,
    secret,
    service,
    widget,
)  # fmt: skip

APPLY = "application/apply-patch+yaml"
_DRY = {"dryRun": "All"}


def apply(talk: Talk, path: str, body: Body, manager: str = "one", **query: str) -> Any:
    return talk.patch(path, body, content_type=APPLY, query={"fieldManager": manager, **query})


@case("apply", error=True)
def two_appliers_want_one_container(talk: Talk) -> None:
    def made(image: str, **more: Any) -> Body:
        body = deployment(replicas=0)
        body["spec"]["template"]["spec"]["containers"] = [{"name": "main", "image": image, **more}]
        return body

    path = f"{DEPLOYMENTS}/a"
    apply(talk, path, made("i:1"), **_DRY)
    with talk.hush():
        apply(talk, path, made("i:1"))
    for image, more in (
        ("i:2", {}), ("i:1", {"args": ["x"]}), ("i:1", {"ports": [{"containerPort": 80}]}),
        ("i:2", {"env": [{"name": "A", "value": "b"}]}),
    ):  # fmt: skip
        answer = apply(talk, path, made(image, **more), "two", **_DRY)
        talk.note("causes", answer.body.get("details"))
    side = made("i:1")
    side["spec"]["template"]["spec"]["containers"] = [{"name": "side", "image": "s:1"}]
    apply(talk, path, side, "two", **_DRY)
    scaled = made("i:1")
    scaled["spec"]["replicas"] = 2
    apply(talk, path, scaled, "two", **_DRY)
    apply(talk, path, scaled, "two", force="true", **_DRY)


@case("apply", error=True)
def what_an_applier_leaves_out_goes(talk: Talk) -> None:
    path = f"{CONFIG_MAPS}/a"
    apply(talk, path, config_map("a", {"a": "1", "b": "2"}, labels={"x": "y"}, annotations={"n": "m"}))
    apply(talk, path, config_map("a", {"b": "2"}))
    apply(talk, path, config_map("a", {"b": "3"}), "two")
    apply(talk, path, config_map("a", {"b": "3"}), "two", force="true")
    apply(talk, path, config_map("a"))
    apply(talk, path, config_map("a"), "two")
    talk.patch(path, {"data": {"b": "4"}}, query={"fieldManager": "three"})
    apply(talk, path, config_map("a", {"b": "5"}))
    apply(talk, path, {**config_map("a"), "data": {"b": None}}, force="true")
    apply(talk, path, {**config_map("a"), "metadata": {"name": "a", "managedFields": []}})
    apply(talk, path, config_map("a", {"c": "d"}), "")
    talk.patch(path, config_map("a"), content_type=APPLY)
    apply(talk, path, config_map("a"), "x" * 129)
    apply(talk, path, config_map("b"))


@case("apply", error=True)
def finalizers_owners_and_secrets_are_applied(talk: Talk) -> None:
    first = talk.post(CONFIG_MAPS, config_map("owner")).body
    path = f"{SECRETS}/a"
    apply(talk, path, secret("a", stringData={"a": "b"}))
    apply(talk, path, secret("a", stringData={"a": "c"}), "two")
    apply(
        talk,
        path,
        {**secret("a"), "metadata": {"name": "a", "finalizers": [FINALIZER], "ownerReferences": [owner(first)]}},
        "two",
    )
    apply(talk, path, {**secret("a"), "metadata": {"name": "a", "finalizers": ["example.org/other"]}}, "three")
    apply(talk, path, {**secret("a"), "metadata": {"name": "a"}}, "two")
    talk.patch(path, {"metadata": {"finalizers": None}})


@case("apply")
def ports_of_a_service_are_applied_by_port_and_protocol(talk: Talk) -> None:
    path = f"{SERVICES}/a"
    apply(talk, path, service(ports=[{"port": 80, "name": "a"}, {"port": 80, "name": "b", "protocol": "UDP"}]))
    apply(talk, path, service(ports=[{"port": 80, "name": "a", "targetPort": 81}]), "two", force="true")
    apply(talk, path, service(ports=[{"port": 81, "name": "c"}]))


@case("apply")
def custom_resources_are_applied_by_two(talk: Talk) -> None:
    item = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}, "n": {"type": "integer", "default": 1}},
    }
    listed: Body = {
        "type": "array",
        "items": item,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
    }
    fields: Body = {"parts": listed, "tags": {"type": "array", "items": {"type": "string"},
        "x-kubernetes-list-type": "set"},
                    "whole": {"type": "object", "x-kubernetes-map-type": "atomic",
                        "additionalProperties": {"type": "string"}},
                    "plain": {"type": "array", "items": {"type": "integer"}}}  # fmt: skip
    define_widgets(talk, {"type": "object", "properties": fields})
    path = f"{WIDGETS}/a"
    apply(talk, path, widget("a", {"parts": [{"name": "x"}], "tags": ["a"], "whole": {"a": "b"}, "plain": [1]}))
    apply(talk, path, widget("a", {"parts": [{"name": "y", "n": 2}], "tags": ["b", "a"]}), "two")
    apply(talk, path, widget("a", {"whole": {"c": "d"}}), "two")
    apply(talk, path, widget("a", {"plain": [1, 2]}), "two")
    apply(talk, path, widget("a", {"parts": [], "tags": ["a"]}))
    apply(talk, f"{path}/status", {**widget("a"), "status": {"ready": 1}}, "controller")
    apply(talk, path, {**widget("a", {}), "status": {"ready": 2}}, "two")
    apply(talk, path, widget("a", {"parts": [{"name": "x"}, {"name": "x"}]}), "two")
    apply(talk, path, widget("a", {"parts": [{"n": 3}]}), "two")
    apply(talk, path, widget("a", {"tags": ["a", "a"]}), "two")


@case("strategic patch")
def lists_are_changed_as_kubectl_changes_them(talk: Talk) -> None:
    path = f"{DEPLOYMENTS}/a"
    with talk.hush():
        body = deployment(replicas=0)
        body["spec"]["template"]["spec"] |= {
            "volumes": [{"name": "v"}, {"name": "w"}],
            "tolerations": [{"key": "a", "operator": "Exists"}],
        }
        body["spec"]["template"]["spec"]["containers"][0] |= {
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], "args": ["x", "y"],
            "ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}],
                "volumeMounts": [{"name": "v", "mountPath": "/v"}],
        }  # fmt: skip
        talk.post(DEPLOYMENTS, body)
    pods: tuple[Body, ...] = (
        {"containers": [{"name": "main", "env": [{"name": "A", "$patch": "delete"}]}]},
        {"containers": [{"name": "main", "env": [{"name": "C"}], "$setElementOrder/env": [{"name": "C"}, {"name":
            "A"}]}]},
        {"containers": [{"name": "main", "env": None}]}, {"containers": [{"name": "main", "args": ["z"]}]},
        {"containers": [{"name": "main", "ports": [{"containerPort": 80, "name": "a"}]}]},
        {"volumes": [{"name": "v", "$patch": "replace"}]}, {"volumes": [{"$patch": "replace"}, {"name": "z"}]},
        {"volumes": [{"name": "w", "configMap": {"name": "c"}}]}, {"$patch": "replace", "containers": []},
        {"volumes": [{"name": "w", "emptyDir": None, "configMap": {"name": "c"}}]},
        {"volumes": [{"name": "w", "$retainKeys": ["name", "configMap"], "configMap": {"name": "c"}}]},
        {"containers": [{"image": "i"}]}, {"tolerations": [{"key": "b", "operator": "Exists"}]},
        {"containers": [{"name": "main", "volumeMounts": [{"mountPath": "/v", "readOnly": True}]}]},
        {"nodeSelector": {"a": None, "b": "c"}},
        {"$setElementOrder/containers": [{"name": "main"}, {"name": "other"}], "containers": [{"name": "other",
            "image": "o"}]},
        {"containers": [{"name": "main", "resources": {"$patch": "delete"}}]},
    )  # fmt: skip
    for pod in pods:
        talk.patch(path, {"spec": {"template": {"spec": pod}}}, content_type="strategic", query=_DRY)


@case("json patch", error=True)
def operations_on_lists_and_escaped_keys(talk: Talk) -> None:
    talk.post(
        CONFIG_MAPS,
        config_map("a", {"a": "1"}, annotations={"example.org/a~b": "x"}, finalizers=[FINALIZER, "example.org/b"]),
    )
    path = f"{CONFIG_MAPS}/a"
    note = "/metadata/annotations/example.org~1a~0b"
    for operations in (
        [{"op": "test", "path": note, "value": "x"}, {"op": "replace", "path": note, "value": "y"}],
        [{"op": "test", "path": note, "value": "z"}], [{"op": "remove", "path": "/metadata/finalizers/0"}],
        [{"op": "add", "path": "/metadata/finalizers/-", "value": "example.org/c"}],
        [{"op": "remove", "path": "/metadata/finalizers/7"}], [{"op": "add", "path": "/data/b/c", "value": "x"}],
        [{"op": "add", "path": "/data/b", "value": 1}], [{"op": "remove", "path": "/data"}],
        [{"op": "remove", "path": "/none"}], [{"op": "replace", "path": "/metadata/name", "value": "b"}],
        [{"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}],
        [{"op": "test", "path": "/metadata/labels", "value": None}],
        [{"op": "move", "from": "/data/a", "path": "/data/b"}],
        [{"op": "copy", "from": "/data", "path": "/metadata/labels"}],
        [{"op": "add", "path": "/status", "value": {"a": 1}}], [], [{"op": "add", "path": "", "value": {}}],
        [{"op": "replace", "path": "/kind", "value": "Secret"}],
        [{"op": "add", "path": "/metadata/labels/a", "value": "b"}],
    ):  # fmt: skip
        talk.patch(path, operations, content_type="json", query=_DRY)
    talk.patch(path, {"metadata": {"finalizers": None}})


@case("merge patch", error=True)
def metadata_is_merged_as_operators_do(talk: Talk) -> None:
    define_widgets(talk)
    made = talk.post(WIDGETS, widget("a", finalizers=[FINALIZER])).body
    talk.post(WIDGETS, widget("b", selfLink="x"), query=_DRY)
    talk.post(CONFIG_MAPS, config_map("b", selfLink="x"), query=_DRY)
    path = f"{WIDGETS}/a"
    for metadata in (
        {"labels": {"a": "b"}}, {"labels": {"a": 1}}, {"labels": None}, {"annotations": {"a": None}},
        {"finalizers": []}, {"finalizers": ["bad finalizer"]}, {"finalizers": ["plain"]},
        {"ownerReferences": [{**owner(made), "controller": True, "blockOwnerDeletion": True}]},
        {"ownerReferences": [{"name": "x"}]}, {"deletionTimestamp": "2026-01-01T00:00:00Z"},
        {"creationTimestamp": None}, {"uid": "other"}, {"generation": 7}, {"resourceVersion": "1"},
        {"namespace": "other"}, {"name": "b"}, {"generateName": "a-"}, {"bogus": 1},
            {"deletionGracePeriodSeconds": 5}, {"managedFields": [{}]}, {"managedFields": None},
    ):  # fmt: skip
        talk.patch(path, {"metadata": metadata}, query=_DRY)
    talk.patch(path, {"metadata": {"finalizers": None}})


@case("delete", error=True)
def deletions_say_how_and_under_which_condition(talk: Talk) -> None:
    for name in "abcdefgh":
        talk.post(CONFIG_MAPS, config_map(name, finalizers=[FINALIZER] if name == "h" else []))
    version = talk.get(f"{CONFIG_MAPS}/a").body["metadata"]
    talk.delete(f"{CONFIG_MAPS}/a", {"preconditions": {"resourceVersion": "1"}})
    talk.delete(f"{CONFIG_MAPS}/a", {"preconditions": {"uid": "x", "resourceVersion": version["resourceVersion"]}})
    talk.delete(
        f"{CONFIG_MAPS}/a", {"preconditions": {"uid": version["uid"], "resourceVersion": version["resourceVersion"]}}
    )
    talk.delete(f"{CONFIG_MAPS}/a")
    for name, options in zip("bcdefg", (
        {"propagationPolicy": "Some"}, {"propagationPolicy": "Orphan", "orphanDependents": True},
            {"propagationPolicy": "Background"}, {"gracePeriodSeconds": 5},
        {"dryRun": ["All"]}, {"dryRun": ["Some"]},
    ), strict=True):  # fmt: skip
        talk.delete(f"{CONFIG_MAPS}/{name}", options)
    talk.delete(f"{CONFIG_MAPS}/b", query={"propagationPolicy": "Foreground", "gracePeriodSeconds": "0"})
    talk.delete(f"{CONFIG_MAPS}/h", {"propagationPolicy": "Background"})
    talk.patch(f"{CONFIG_MAPS}/h", {"data": {"still": "there"}})
    talk.patch(f"{CONFIG_MAPS}/h", {"metadata": {"finalizers": [FINALIZER, "example.org/new"]}})
    talk.patch(f"{CONFIG_MAPS}/h", {"metadata": {"finalizers": None}})
    talk.delete(CONFIG_MAPS, query={"labelSelector": "none=x"})
    talk.delete(CONFIG_MAPS, {"preconditions": {"uid": "x"}}, query={"fieldSelector": "metadata.name=c"})
    talk.delete(f"{CONFIG_MAPS}/c", {"kind": "Pod", "apiVersion": "v1"})
    talk.delete(
        f"{CONFIG_MAPS}/c",
        {"kind": "DeleteOptions", "apiVersion": "v1", "bogus": 1},
        query={"fieldValidation": "Strict"},
    )


@case("delete")
def dependents_follow_as_the_options_say(talk: Talk) -> None:
    for policy in ("Orphan", "Background"):
        name = policy.lower()
        first = talk.post(CONFIG_MAPS, config_map(name)).body
        talk.post(CONFIG_MAPS, config_map(f"{name}-child", ownerReferences=[owner(first, blockOwnerDeletion=True)]))
        talk.delete(f"{CONFIG_MAPS}/{name}", {"propagationPolicy": policy})
        talk.eventually(lambda gone=name: talk.get(f"{CONFIG_MAPS}/{gone}").status == 404)
    talk.eventually(lambda: talk.get(f"{CONFIG_MAPS}/background-child").status == 404)
    talk.note("kept", "ownerReferences" in talk.get(f"{CONFIG_MAPS}/orphan-child").body["metadata"])


@case("dry run", error=True)
def every_write_is_tried_and_none_is_kept(talk: Talk) -> None:
    define_widgets(talk, scale=True)
    talk.post(WIDGETS, widget(), query=_DRY)
    talk.get(f"{WIDGETS}/a")
    talk.post(WIDGETS, widget())
    talk.put(f"{WIDGETS}/a", widget(spec={"size": 99}), query=_DRY)
    talk.patch(f"{WIDGETS}/a", {"spec": {"size": 3}}, query=_DRY)
    talk.patch(f"{WIDGETS}/a/status", {"status": {"ready": 3}}, query=_DRY)
    talk.patch(f"{WIDGETS}/a/scale", {"spec": {"replicas": 4}}, query=_DRY)
    talk.delete(f"{WIDGETS}/a", query=_DRY)
    talk.delete(WIDGETS, query=_DRY)
    talk.get(f"{WIDGETS}/a")
    with talk.hush():
        named = talk.post(
            WIDGETS, {**widget(""), "metadata": {"generateName": "x-"}}, query={**_DRY, "fieldManager": "m"}
        )
    talk.note("a name is made", named.body["metadata"]["name"][:2])
    talk.post(WIDGETS, widget("b"), query={"dryRun": ["All", "All"]})
    talk.post(WIDGETS, widget("b"), query={"dryRun": ""})


@case("status", error=True)
def statuses_are_written_beside_the_spec(talk: Talk) -> None:
    define_widgets(talk)
    with talk.hush():
        talk.post(WIDGETS, {**widget(), "status": {"ready": 9}})
    path = f"{WIDGETS}/a"
    talk.get(path)
    talk.patch(f"{path}/status", {"spec": {"size": 5}, "status": {"ready": 1}, "metadata": {"labels": {"a": "b"}}})
    talk.patch(path, {"status": {"ready": 2}, "spec": {"size": 6}})
    talk.patch(f"{path}/status", {"status": {"ready": "x"}})
    talk.patch(f"{path}/status", {"status": None})
    talk.patch(f"{path}/status", [{"op": "add", "path": "/status", "value": {"ready": 4}}], content_type="json")
    talk.patch(f"{path}/status", [{"op": "replace", "path": "/spec/size", "value": 1}], content_type="json")
    talk.put(f"{path}/status", {**widget(), "status": {"ready": 5}})
    talk.put(f"{path}/status", {**widget("b"), "status": {"ready": 5}})
    talk.delete(f"{path}/status")
    talk.post(f"{path}/status", widget())
    with talk.hush():
        talk.post(JOBS, job())
    talk.patch(f"{JOBS}/a/status", {"status": {"conditions": [{"type": "Failed", "status": "True"}]}}, query=_DRY)
