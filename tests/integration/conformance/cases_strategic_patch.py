"""Strategic merge patches, which built-in kinds take."""

from __future__ import annotations

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    FINALIZER,
    PODS,
    SERVICES,
    STATEFUL_SETS,
    WIDGETS,
    config_map,
    define_widgets,
    deployment,
    pod,
    service,
    stateful_set,
    template,
    widget,
)


def _template(**spec: object) -> dict[str, object]:
    return {"spec": {"template": {"spec": spec}}}


@case("strategic patch")
def containers_and_what_they_hold_merge_by_their_keys(talk: Talk) -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    ports = [{"containerPort": 80, "name": "web"}]
    containers = [{"name": "main", "image": "i:1", "env": env, "ports": ports, "args": ["x", "y"]}]
    talk.post(DEPLOYMENTS, deployment(template=template(containers=containers)))
    path = f"{DEPLOYMENTS}/a"
    main = {"name": "main", "env": [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}], "args": ["z"]}
    talk.patch(path, _template(containers=[main]), content_type="strategic")
    more = [{"name": "side", "image": "j:1"}, {"name": "main", "ports": [{"containerPort": 81}]}]
    talk.patch(path, _template(containers=more), content_type="strategic")
    gone = [{"name": "side", "$patch": "delete"}]
    talk.patch(path, _template(containers=gone), content_type="strategic")
    order = {"$setElementOrder/env": [{"name": "C"}, {"name": "A"}, {"name": "B"}], "name": "main"}
    talk.patch(path, _template(containers=[order]), content_type="strategic")


@case("strategic patch")
def directives_replace_and_delete(talk: Talk) -> None:
    volumes = [{"name": "v", "emptyDir": {}}, {"name": "w", "configMap": {"name": "c"}}]
    talk.post(DEPLOYMENTS, deployment(template=template(volumes=volumes)))
    path = f"{DEPLOYMENTS}/a"
    only = [{"$patch": "replace"}, {"name": "x", "emptyDir": {}}]
    talk.patch(path, _template(volumes=only), content_type="strategic")
    strategy = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    talk.patch(path, strategy, content_type="strategic")
    talk.patch(path, _template(nodeSelector={"a": "b"}), content_type="strategic")
    talk.patch(path, _template(nodeSelector={"$patch": "replace", "c": "d"}), content_type="strategic")
    talk.patch(path, _template(nodeSelector={"$patch": "delete"}), content_type="strategic")


@case("strategic patch")
def ports_of_services_merge_by_port(talk: Talk) -> None:
    talk.post(SERVICES, service(ports=[{"port": 80, "name": "web"}]))
    path = f"{SERVICES}/a"
    ports = [{"port": 81, "name": "more"}, {"port": 80, "targetPort": "named"}]
    talk.patch(path, {"spec": {"ports": ports}}, content_type="strategic")
    talk.patch(path, {"spec": {"ports": [{"port": 80, "$patch": "delete"}]}}, content_type="strategic")
    talk.patch(path, {"spec": {"selector": {"app": None, "other": "b"}}}, content_type="strategic")


@case("strategic patch")
def lists_of_texts_merge_where_the_kind_says_so(talk: Talk) -> None:
    path = f"{CONFIG_MAPS}/a"
    talk.post(CONFIG_MAPS, config_map(finalizers=[FINALIZER]))
    talk.patch(path, {"metadata": {"finalizers": [f"{FINALIZER}-2"]}}, content_type="strategic")
    less = {"metadata": {"$deleteFromPrimitiveList/finalizers": [FINALIZER]}}
    talk.patch(path, less, content_type="strategic")
    talk.patch(path, {"metadata": {"finalizers": None}}, content_type="strategic")


@case("strategic patch", error=True)
def custom_resources_take_none(talk: Talk) -> None:
    define_widgets(talk)
    talk.post(WIDGETS, widget())
    talk.patch(f"{WIDGETS}/a", {"spec": {"size": 2}}, content_type="strategic")


@case("strategic patch", error=True)
def patches_that_cannot_be_read_or_merged_are_refused(talk: Talk) -> None:
    talk.post(DEPLOYMENTS, deployment())
    path = f"{DEPLOYMENTS}/a"
    talk.patch(path, "{", content_type="strategic")
    talk.patch(path, [], content_type="strategic")
    talk.patch(path, _template(containers=[{"image": "i"}]), content_type="strategic")
    talk.patch(path, {"spec": {"$patch": "dance"}}, content_type="strategic")
    talk.patch(path, {"spec": {"replicas": "three"}}, content_type="strategic")
    talk.patch(path, {"spec": {"replicas": -1}}, content_type="strategic")
    talk.patch(path, {"spec": 3}, content_type="strategic")
    talk.patch(f"{DEPLOYMENTS}/none", {}, content_type="strategic")


@case("strategic patch")
def what_kubectl_apply_sends_is_merged(talk: Talk) -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    mounts = [{"name": "data", "mountPath": "/data"}]
    main = {"name": "main", "image": "i:1", "env": env, "volumeMounts": mounts, "ports": [{"containerPort": 80}]}
    volumes = [{"name": "data", "emptyDir": {}}]
    containers = [main, {"name": "side", "image": "j:1"}]
    talk.post(DEPLOYMENTS, deployment(template=template(containers=containers, volumes=volumes)))
    patch = {
        "$setElementOrder/containers": [{"name": "side"}, {"name": "main"}],
        "containers": [
            {
                "$setElementOrder/env": [{"name": "B"}, {"name": "C"}],
                "name": "main",
                "image": "i:2",
                "env": [{"name": "C", "value": "3"}, {"name": "A", "$patch": "delete"}],
                "resources": {"limits": {"cpu": 0.5, "memory": "1024Mi"}},
            }
        ],
        "$setElementOrder/volumes": [{"name": "data"}],
        "volumes": [{"$retainKeys": ["name", "persistentVolumeClaim"], "name": "data", "emptyDir": None}],
    }
    patch["volumes"][0]["persistentVolumeClaim"] = {"claimName": "c"}  # type: ignore[index]
    metadata = {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}\n"}}
    path = f"{DEPLOYMENTS}/a"
    talk.patch(path, {"metadata": metadata, **_template(**patch)}, content_type="strategic")
    talk.patch(path, _template(containers=[{"name": "main", "image": "i:3"}]), content_type="strategic")
    restarted = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2001-01-01T00:00:00Z"}}}
    talk.patch(path, {"spec": {"template": restarted}}, content_type="strategic")
    talk.patch(path, {"spec": {"replicas": 0, "strategy": {"type": "Recreate"}}}, content_type="strategic")
    talk.patch(path, {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}, content_type="strategic")


@case("strategic patch")
def other_lists_merge_or_are_replaced(talk: Talk) -> None:
    talk.service_account()
    aliases = [{"ip": "10.0.0.1", "hostnames": ["a"]}]
    secrets = [{"name": "one"}]
    spread = [{"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}]
    spec = template(
        hostAliases=aliases,
        imagePullSecrets=secrets,
        topologySpreadConstraints=spread,
        tolerations=[{"key": "a", "operator": "Exists"}],
        initContainers=[{"name": "first", "image": "i", "command": ["a"]}],
    )
    talk.post(STATEFUL_SETS, stateful_set("set", template=spec), query={"dryRun": "All"})
    talk.post(DEPLOYMENTS, deployment(template=spec))
    path = f"{DEPLOYMENTS}/a"
    more = {
        "hostAliases": [{"ip": "10.0.0.2", "hostnames": ["b"]}, {"ip": "10.0.0.1", "hostnames": ["c"]}],
        "imagePullSecrets": [{"name": "two"}],
        "topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 2}],
        "tolerations": [{"key": "b", "operator": "Exists"}],
        "initContainers": [{"name": "second", "image": "j"}, {"name": "first", "command": ["b"]}],
        "securityContext": {"runAsUser": 1, "supplementalGroups": [1, 2]},
    }
    talk.patch(path, _template(**more), content_type="strategic")
    talk.patch(path, _template(securityContext={"supplementalGroups": [3]}), content_type="strategic")
    gone = {"hostAliases": [{"ip": "10.0.0.1", "$patch": "delete"}], "imagePullSecrets": None, "tolerations": []}
    talk.patch(path, _template(**gone), content_type="strategic")
    talk.post(PODS, pod("p", metadata={"finalizers": [FINALIZER], "labels": {"a": "b"}}))
    talk.patch(f"{PODS}/p", {"metadata": {"labels": {"a": None, "c": "d"}}}, content_type="strategic")
    talk.patch(f"{PODS}/p", {"metadata": {"finalizers": []}}, content_type="strategic")
    talk.patch(f"{PODS}/p", {"metadata": {"finalizers": None}}, content_type="strategic")


@case("strategic patch", error=True)
def what_no_directive_can_mean_is_refused(talk: Talk) -> None:
    talk.post(DEPLOYMENTS, deployment(template=template(volumes=[{"name": "v", "emptyDir": {}}])))
    path = f"{DEPLOYMENTS}/a"
    patches = (
        {"$setElementOrder/containers": [{"name": "other"}], "containers": [{"name": "main", "image": "i"}]},
        {"$setElementOrder/containers": "main"},
        {"$setElementOrder/bogus": [{"name": "main"}]},
        {"containers": [{"name": "main", "$patch": "merge"}]},
        {"containers": [{"name": "main", "$patch": "dance"}]},
        {"containers": [{"$patch": "delete"}]},
        {"containers": ["main"]},
        {"containers": [["main"]]},
        {"containers": {"name": "main"}},
        {"volumes": [{"$retainKeys": ["name"], "name": "v", "configMap": {"name": "c"}}]},
        {"volumes": [{"$retainKeys": "name", "name": "v"}]},
        {"securityContext": {"runAsUser": "me"}},
        {"terminationGracePeriodSeconds": "long"},
        {"hostNetwork": "yes"},
        {"restartPolicy": 3},
        {"bogus": {"a": 1}},
        {"containers": [{"name": "main", "resources": {"limits": {"cpu": "much"}}}]},
    )
    for patch in patches:
        talk.patch(path, _template(**patch), content_type="strategic")
    talk.patch(path, {"metadata": {"labels": {"a": 3}}}, content_type="strategic")
    talk.patch(path, {"metadata": {"annotations": ["a"]}}, content_type="strategic")
    talk.patch(path, {"kind": "Pod", "apiVersion": "v1"}, content_type="strategic")
    talk.patch(path, {"spec": None}, content_type="strategic")
    talk.patch(path, None, content_type="strategic")


@case("strategic patch", error=True)
def unknown_fields_in_a_patch_are_told_in_order_of_their_names(talk: Talk) -> None:
    talk.post(DEPLOYMENTS, deployment())
    path = f"{DEPLOYMENTS}/a"
    odd = {"spec": {"containers": [{"name": "main", "imagee": "i"}]}}
    patch = {"spec": {"zebra": 1, "aardvark": 2, "template": odd}}
    twice = '{"spec":{"replicas":1,"replicas":2,"bogus":1}}'
    for mode in ("Ignore", "Warn", "Strict"):
        talk.patch(path, patch, content_type="strategic", query={"fieldValidation": mode})
        talk.patch(path, twice, content_type="strategic", query={"fieldValidation": mode})
