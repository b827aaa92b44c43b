"""Strategic merge patches, which built-in kinds take."""

from __future__ import annotations

from tests.integration.conformance.harness import Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    FINALIZER,
    SERVICES,
    WIDGETS,
    config_map,
    define_widgets,
    deployment,
    service,
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
