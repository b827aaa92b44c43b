import pytest

from btcctl.apiserver.gotypes import type_of_kind
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.patching.strategic import merge_strategically

POD, SERVICE, DEPLOYMENT = (
    type_of_kind("v1", "Pod"),
    type_of_kind("v1", "Service"),
    type_of_kind("apps/v1", "Deployment"),
)


def spec(**fields):
    return {"spec": fields}


def container(**fields):
    return spec(containers=[{"name": "c", **fields}])


@pytest.mark.parametrize(
    ("type_", "target", "patch", "merged"),
    [
        (POD, spec(affinity={"x": 1}), spec(affinity={"$patch": "delete"}), spec(affinity={})),
        (
            POD,
            spec(nodeSelector={"a": "b"}),
            spec(nodeSelector={"$patch": "replace", "c": "d"}),
            spec(nodeSelector={"c": "d"}),
        ),
        (
            POD,
            container(env=[{"name": "A"}, {"name": "B"}]),
            container(env=[{"name": "A", "$patch": "delete"}]),
            container(env=[{"name": "B"}]),
        ),
        (
            POD,
            container(env=[{"name": "A"}]),
            container(env=[{"name": "B"}, {"$patch": "replace"}]),
            container(env=[{"name": "B"}]),
        ),
        (POD, container(args=["a", "b"]), container(args=["c"]), container(args=["c"])),
        (
            POD,
            {"metadata": {"finalizers": ["a", "b"]}},
            {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}},
            {"metadata": {"finalizers": ["b"]}},
        ),
        (
            POD,
            {"metadata": {"finalizers": ["a"]}},
            {"metadata": {"finalizers": ["b", "a"]}},
            {"metadata": {"finalizers": ["b", "a"]}},
        ),
        (
            DEPLOYMENT,
            spec(strategy={"type": "RollingUpdate", "rollingUpdate": {}}),
            spec(strategy={"$retainKeys": ["type"], "type": "Recreate"}),
            spec(strategy={"type": "Recreate"}),
        ),
        (
            POD,
            spec(containers=[{"name": "a"}, {"name": "b"}, {"name": "c"}]),
            spec(
                **{"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}]},
                containers=[{"image": "j", "name": "c"}],
            ),
            spec(containers=[{"name": "b"}, {"name": "c", "image": "j"}, {"name": "a"}]),
        ),
        (
            SERVICE,
            spec(ports=[{"port": 1, "name": "x"}]),
            spec(ports=[{"port": 2}, {"port": 1, "targetPort": 5}]),
            spec(ports=[{"port": 2}, {"port": 1, "name": "x", "targetPort": 5}]),
        ),
        (
            POD,
            container(ports=[{"containerPort": 1}]),
            container(ports=[{"containerPort": 1, "protocol": "UDP"}]),
            container(ports=[{"containerPort": 1, "protocol": "UDP"}]),
        ),
        (POD, spec(tolerations=[{"key": "a"}]), spec(tolerations=[{"key": "b"}]), spec(tolerations=[{"key": "b"}])),
        (SERVICE, spec(selector={"a": "1"}), spec(selector={"a": None, "b": "2"}), spec(selector={"b": "2"})),
        (
            POD,
            spec(volumes=[{"name": "v", "emptyDir": {}}]),
            spec(volumes=[{"name": "w", "emptyDir": {}}]),
            spec(volumes=[{"name": "w", "emptyDir": {}}, {"name": "v", "emptyDir": {}}]),
        ),
    ],
)  # fmt: skip
def test_directives_and_merge_keys(type_, target, patch, merged):
    before = repr(target)
    assert merge_strategically(type_, target, patch) == merged
    assert repr(target) == before


@pytest.mark.parametrize(
    ("target", "patch", "status", "message"),
    [
        (
            container(),
            spec(containers=[{"image": "i"}]),
            500,
            "map: map[image:i] does not contain declared merge key: name",
        ),
        (
            {"spec": {}},
            {"spec": {"$patch": "dance"}},
            500,
            "unknown patch type: dance in map: map[$patch:dance]",
        ),
        (
            container(),
            spec(containers=[{"name": "c", "$patch": "merge"}]),
            500,
            "merging lists cannot yet be specified in the patch",
        ),
        (
            {"spec": {"strategy": {}}},
            {"spec": {"strategy": {"$retainKeys": [], "type": "x"}}},
            400,
            "invalid patch format of retainKeys",
        ),
        (
            container(),
            spec(containers=["c"]),
            500,
            "list element types are not identical: [[map[name:c]] [c]]",
        ),
        (
            {"spec": {"bogus": {}}},
            {"spec": {"bogus": {}}},
            500,
            'unable to find api field in struct DeploymentSpec for the json field "bogus"',
        ),
    ],
)
def test_what_cannot_be_merged_is_said_in_a_servers_words(target, patch, status, message):
    with pytest.raises(StatusError) as raised:
        merge_strategically(DEPLOYMENT if "strategy" in str(target) or "bogus" in str(target) else POD, target, patch)
    assert (raised.value.status, raised.value.message) == (status, message)


def test_what_is_patched_must_come_in_the_order_that_the_patch_says():
    patch = spec(
        **{"$setElementOrder/containers": [{"name": "a"}, {"name": "b"}]}, containers=[{"name": "b"}, {"name": "a"}]
    )
    with pytest.raises(StatusError, match="doesn't match"):
        merge_strategically(POD, spec(containers=[{"name": "a"}]), patch)


def test_lists_without_a_merge_key_cannot_be_merged():
    patch = spec(**{"$deleteFromPrimitiveList/tolerations": [{"key": "a"}]})
    with pytest.raises(StatusError, match="cannot merge lists without merge key"):
        merge_strategically(POD, spec(tolerations=[{"key": "a"}]), patch)
