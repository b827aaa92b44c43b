"""What types fill in, wherever they stand, and how they are written."""

import pytest

from btcctl.apiserver.gotypes import defaults, type_of_kind

POD, SET = type_of_kind("v1", "Pod"), type_of_kind("apps/v1", "StatefulSet")
SERVICE, BINDING = type_of_kind("v1", "Service"), type_of_kind("rbac.authorization.k8s.io/v1", "RoleBinding")


def filled(type_, body):
    defaults.fill(type_, body)
    return body


def pod_container(**fields):
    spec = filled(POD, {"spec": {"containers": [{"name": "c", "image": "i", **fields}]}})["spec"]
    return spec["containers"][0]


def test_a_probe_is_filled_in_wherever_it_stands():
    probe = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
    http = {"port": 80, "path": "/", "scheme": "HTTP"}
    container = pod_container(livenessProbe={"httpGet": {"port": 80}}, lifecycle={"preStop": {"httpGet": {"port": 80}}})
    assert container["livenessProbe"] == {**probe, "httpGet": http}
    assert container["lifecycle"]["preStop"]["httpGet"] == http


def test_requests_follow_limits_in_a_pod_but_not_in_a_template():
    resources = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}
    assert pod_container(resources=resources)["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}
    template = {"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "1"}}}]}}
    made = filled(SET, {"spec": {"template": template}})["spec"]["template"]["spec"]
    assert made["containers"][0]["resources"] == {"limits": {"cpu": "1"}}


def test_amounts_in_lists_are_rounded_up():
    assert pod_container(resources={"limits": {"cpu": "1500u"}})["resources"]["limits"] == {"cpu": "2m"}


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("i", "Always"),
        ("i:latest", "Always"),
        ("i:1", "IfNotPresent"),
        ("h:5000/i", "Always"),
        ("i@sha256:0", "IfNotPresent"),
    ],
)
def test_an_image_whose_tag_may_move_is_pulled_always(image, policy):
    assert pod_container(image=image)["imagePullPolicy"] == policy


def test_a_volume_without_a_source_is_an_empty_directory():
    volumes = filled(POD, {"spec": {"volumes": [{"name": "a"}, {"name": "b", "secret": {"secretName": "s"}}]}})["spec"]
    assert volumes["volumes"] == [
        {"name": "a", "emptyDir": {}},
        {"name": "b", "secret": {"secretName": "s", "defaultMode": 420}},
    ]


def test_a_stateful_set_names_the_kind_of_its_claims():
    (claim,) = filled(SET, {"spec": {"volumeClaimTemplates": [{"metadata": {"name": "d"}}]}})["spec"][
        "volumeClaimTemplates"
    ]
    assert (claim["apiVersion"], claim["kind"]) == ("v1", "PersistentVolumeClaim")
    assert (claim["spec"]["volumeMode"], claim["status"]["phase"]) == ("Filesystem", "Pending")


def test_a_rolling_update_that_was_chosen_by_name_gets_no_partition():
    spec = filled(SET, {"spec": {"updateStrategy": {"type": "RollingUpdate"}}})["spec"]
    assert spec["updateStrategy"] == {"type": "RollingUpdate"}
    assert filled(SET, {})["spec"]["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}


def test_client_affinity_lasts_for_three_hours():
    spec = filled(SERVICE, {"spec": {"sessionAffinity": "ClientIP"}})["spec"]
    assert spec["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}


def test_subjects_are_of_the_group_their_kind_is_in():
    subjects = [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s"}]
    assert [each.get("apiGroup") for each in filled(BINDING, {"subjects": subjects})["subjects"]] == [
        "rbac.authorization.k8s.io",
        None,
    ]


def test_go_writes_its_fields_in_its_order_and_some_always():
    body = {"status": {"conditions": [{"status": "True", "type": "Ready"}]}, "spec": {}, "metadata": {"name": "a"}}
    written = defaults.written(POD, body)
    assert (list(written), written["spec"]) == (["metadata", "spec", "status"], {"containers": None})
    assert list(written["status"]["conditions"][0].items()) == [
        ("type", "Ready"),
        ("status", "True"),
        ("lastProbeTime", None),
        ("lastTransitionTime", None),
    ]


def test_an_empty_list_is_null_once_it_is_stored():
    body = {"spec": {"containers": []}}
    assert defaults.written(POD, body)["spec"] == {"containers": []}
    assert defaults.written(POD, body, stored=True)["spec"] == {"containers": None}
