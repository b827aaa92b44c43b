"""What single built-in kinds add: defaults, checks, what an update keeps."""

from __future__ import annotations

import base64

import pytest

from tests.unit.apiserver.calls import CONFIG_MAPS, PODS, STATEFUL_SETS, pod, stateful_set

SERVICES = "/api/v1/namespaces/default/services"
SECRETS = "/api/v1/namespaces/default/secrets"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
EVENTS = "/api/v1/namespaces/default/events"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


class TestPods:
    def test_defaults_are_a_real_servers(self, server):
        probe = {"httpGet": {"port": 1}}
        created = server.created(
            PODS,
            pod(containers=[{"name": "c", "image": "i", "ports": [{"containerPort": 1}], "readinessProbe": probe}]),
        )
        spec = created["spec"]
        assert spec["containers"] == [
            {
                "name": "c",
                "image": "i",
                "ports": [{"containerPort": 1, "protocol": "TCP"}],
                "readinessProbe": {
                    "httpGet": {"port": 1, "path": "/", "scheme": "HTTP"},
                    "timeoutSeconds": 1,
                    "periodSeconds": 10,
                    "successThreshold": 1,
                    "failureThreshold": 3,
                },
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
                "imagePullPolicy": "Always",
            }
        ]
        assert {key: spec[key] for key in ("restartPolicy", "terminationGracePeriodSeconds", "dnsPolicy")} == {
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
        }
        assert (spec["serviceAccountName"], len(spec["tolerations"])) == ("default", 2)
        assert (created["status"]["phase"], created["metadata"]["generation"]) == ("Pending", 1)

    @pytest.mark.parametrize(
        ("image", "policy"), [("i:1", "IfNotPresent"), ("r:5000/i", "Always"), ("i:latest", "Always")]
    )
    def test_a_moving_tag_is_always_pulled(self, server, image, policy):
        created = server.created(PODS, pod(containers=[{"name": "c", "image": image}]))
        assert created["spec"]["containers"][0]["imagePullPolicy"] == policy

    @pytest.mark.parametrize(
        ("containers", "causes"),
        [
            ([], [("spec.containers", "Required value")]),
            ([{}], [("spec.containers[0].name", "Required value"), ("spec.containers[0].image", "Required value")]),
            (
                [{"name": "c", "image": "i"}, {"name": "c", "image": "i"}],
                [("spec.containers[1].name", 'Duplicate value: "c"')],
            ),
            (
                [{"name": "c", "image": "i", "ports": [{"containerPort": 99999}]}],
                [
                    (
                        "spec.containers[0].ports[0].containerPort",
                        "Invalid value: 99999: must be between 1 and 65535, inclusive",
                    )
                ],
            ),
        ],
    )
    def test_containers_must_make_sense(self, server, containers, causes):
        answer = server.post(PODS, pod(containers=containers))
        assert (answer.status, answer.causes) == (422, causes)

    def test_only_the_image_and_a_few_more_may_change(self, server):
        server.created(PODS, pod())
        assert server.patch(f"{PODS}/p", {"spec": {"containers": [{"name": "c", "image": "j"}]}}).status == 200
        answer = server.patch(f"{PODS}/p", {"spec": {"restartPolicy": "Never"}})
        assert (answer.status, answer.message.startswith('Pod "p" is invalid: spec: Forbidden: pod updates')) == (
            422,
            True,
        )

    def test_its_service_account_must_be_there(self, server):
        answer = server.post(PODS, pod(serviceAccountName="nosuch"))
        assert (answer.status, answer.message) == (
            403,
            'pods "p" is forbidden: error looking up service account default/nosuch: serviceaccount "nosuch" not found',
        )

    def test_one_that_runs_is_deleted_in_two_steps(self, server):
        created = server.created(PODS, pod(nodeName="n1"))
        seen = server.watch(PODS, resourceVersion=created["metadata"]["resourceVersion"])
        marked = server.delete(f"{PODS}/p").body["metadata"]
        assert (marked["deletionTimestamp"], marked["deletionGracePeriodSeconds"]) == ("2026-01-01T00:00:30Z", 30)
        assert marked["generation"] == 2
        assert server.delete(f"{PODS}/p").version == marked["resourceVersion"]
        last = server.delete(f"{PODS}/p", {"gracePeriodSeconds": 0}).body["metadata"]
        assert (seen.types, last["deletionGracePeriodSeconds"]) == (["MODIFIED", "MODIFIED", "DELETED"], 0)

    def test_a_status_write_does_not_end_one_that_is_being_deleted(self, server):
        server.created(PODS, pod(nodeName="n1"))
        server.delete(f"{PODS}/p")
        server.patch(f"{PODS}/p/status", {"status": {"phase": "Running"}})
        assert server.exists(f"{PODS}/p")

    def test_one_that_is_over_needs_no_grace(self, server):
        server.created(PODS, pod(nodeName="n1"))
        server.patch(f"{PODS}/p/status", {"status": {"phase": "Failed"}})
        server.delete(f"{PODS}/p")
        assert not server.exists(f"{PODS}/p")

    def test_a_finalizer_holds_even_one_without_grace(self, server):
        body = pod()
        body["metadata"]["finalizers"] = ["x.example.org/f"]
        server.created(PODS, body)
        server.delete(f"{PODS}/p", gracePeriodSeconds="0")
        assert server.exists(f"{PODS}/p")
        server.patch(f"{PODS}/p", {"metadata": {"finalizers": None}})
        assert not server.exists(f"{PODS}/p")


class TestStatefulSets:
    def test_defaults_are_a_real_servers(self, server):
        created = server.created(STATEFUL_SETS, stateful_set())
        spec = created["spec"]
        assert {key: value for key, value in spec.items() if key not in {"template", "selector", "serviceName"}} == {
            "replicas": 1,
            "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "revisionHistoryLimit": 10,
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        }
        assert spec["template"]["spec"]["schedulerName"] == "default-scheduler"
        assert created["status"] == {"replicas": 0, "availableReplicas": 0}

    def test_what_identifies_its_pods_is_immutable(self, server):
        server.created(STATEFUL_SETS, stateful_set())
        answer = server.patch(f"{STATEFUL_SETS}/s", {"spec": {"serviceName": "other"}})
        assert answer.causes == [
            (
                "spec",
                (
                    "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                    "'minReadySeconds' are forbidden"
                ),
            )
        ]
        assert server.patch(f"{STATEFUL_SETS}/s", {"spec": {"replicas": 3}}).body["metadata"]["generation"] == 2

    @pytest.mark.parametrize(
        ("spec", "field"),
        [
            ({"replicas": -1}, "spec.replicas"),
            ({"selector": {"matchLabels": {"a": "z"}}}, "spec.template.metadata.labels"),
            ({"selector": None}, "spec.selector"),
            ({"podManagementPolicy": "Random"}, "spec.podManagementPolicy"),
            ({"updateStrategy": {"type": "Never"}}, "spec.updateStrategy"),
        ],
    )
    def test_what_makes_no_sense_is_422(self, server, spec, field):
        answer = server.post(STATEFUL_SETS, stateful_set(**spec))
        assert (answer.status, field in dict(answer.causes)) == (422, True)

    def test_a_wrong_json_type_is_400(self, server):
        answer = server.post(STATEFUL_SETS, stateful_set(replicas="three"))
        assert (answer.status, answer.message) == (
            400,
            (
                'StatefulSet in version "v1" cannot be handled as a StatefulSet: json: cannot unmarshal string into '
                "Go struct field StatefulSetSpec.spec.replicas of type int32"
            ),
        )

    def test_a_name_too_long_for_a_label_is_422(self, server):
        assert server.post(STATEFUL_SETS, stateful_set("s" * 64)).status == 422


def test_a_deployment_has_its_defaults_and_an_immutable_selector(server):
    body = stateful_set("d")
    del body["spec"]["serviceName"]
    spec = server.created(DEPLOYMENTS, body)["spec"]
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
    assert spec["progressDeadlineSeconds"] == 600
    template = {"metadata": {"labels": {"z": "z"}}}
    answer = server.patch(f"{DEPLOYMENTS}/d", {"spec": {"selector": {"matchLabels": {"z": "z"}}, "template": template}})
    assert dict(answer.causes)["spec.selector"].endswith("field is immutable")


class TestServices:
    def test_a_headless_one_has_a_real_servers_defaults(self, server):
        spec = {"clusterIP": "None", "selector": {"app": "net"}, "ports": [{"port": 18443, "name": "rpc"}]}
        created = server.created(SERVICES, {"metadata": {"name": "s"}, "spec": spec})
        assert created["spec"] == {
            "clusterIP": "None",
            "selector": {"app": "net"},
            "ports": [{"port": 18443, "name": "rpc", "protocol": "TCP", "targetPort": 18443}],
            "type": "ClusterIP",
            "sessionAffinity": "None",
            "clusterIPs": ["None"],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
        }
        assert created["status"] == {"loadBalancer": {}}

    def test_an_address_is_given_kept_and_may_not_change(self, server):
        body = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 1}]}}
        address = server.created(SERVICES, body)["spec"]["clusterIP"]
        assert address.startswith("10.")
        assert server.put(f"{SERVICES}/s", body).body["spec"]["clusterIP"] == address
        answer = server.patch(f"{SERVICES}/s", {"spec": {"clusterIP": "10.0.0.1"}})
        assert (answer.status, answer.causes[0][0]) == (422, "spec.clusterIPs[0]")

    @pytest.mark.parametrize(
        ("spec", "field"),
        [
            ({}, "spec.ports"),
            ({"ports": [{"port": 0}]}, "spec.ports[0].port"),
            ({"ports": [{"port": 1}, {"port": 2}]}, "spec.ports[0].name"),
        ],
    )
    def test_ports_must_make_sense(self, server, spec, field):
        answer = server.post(SERVICES, {"metadata": {"name": "s"}, "spec": spec})
        assert (answer.status, answer.causes[0][0]) == (422, field)

    def test_its_name_must_be_a_label(self, server):
        answer = server.post(SERVICES, {"metadata": {"name": "s.s"}, "spec": {"clusterIP": "None"}})
        assert answer.causes == [("metadata.name", 'Invalid value: "s.s": must not contain dots')]
        server.created(SERVICES, {"metadata": {"name": "1s"}, "spec": {"clusterIP": "None"}})

    def test_its_choices_are_checked(self, server):
        port = {"port": 1, "targetPort": 70000, "protocol": "IP"}
        spec = {"clusterIP": "None", "type": "Wild", "sessionAffinity": "Some", "ports": [port]}
        fields = {field for field, _ in server.post(SERVICES, {"metadata": {"name": "s"}, "spec": spec}).causes}
        ports = {"spec.ports[0].targetPort", "spec.ports[0].protocol"}
        assert fields == {"spec.type", "spec.sessionAffinity", *ports}


class TestSecrets:
    def test_plain_strings_are_stored_encoded(self, server):
        body = {"metadata": {"name": "s"}, "data": {"a": "MQ=="}, "stringData": {"b": "geheim"}}
        created = server.created(SECRETS, body)
        assert created["data"] == {"a": "MQ==", "b": base64.b64encode(b"geheim").decode()}
        assert (created["type"], "stringData" in created) == ("Opaque", False)

    def test_what_is_not_base64_is_400(self, server):
        answer = server.post(SECRETS, {"metadata": {"name": "s"}, "data": {"a": "MQ=*"}})
        assert (answer.status, "illegal base64 data at input byte 2" in answer.message) == (400, True)

    def test_its_type_is_immutable(self, server):
        server.created(SECRETS, {"metadata": {"name": "s"}})
        assert server.patch(f"{SECRETS}/s", {"type": "other"}).causes[0][0] == "type"


class TestConfigMaps:
    def test_values_are_strings(self, server):
        answer = server.post(CONFIG_MAPS, {"metadata": {"name": "x"}, "data": {"a": 1}})
        assert (answer.status, answer.message) == (
            400,
            (
                'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into '
                "Go struct field ConfigMap.data of type string"
            ),
        )

    def test_null_is_as_good_as_absent(self, server):
        created = server.created(CONFIG_MAPS, {"metadata": {"name": "x", "creationTimestamp": None}, "data": None})
        assert "data" not in created

    def test_more_than_a_mebibyte_is_422(self, server):
        answer = server.post(CONFIG_MAPS, {"metadata": {"name": "big"}, "data": {"a": "x" * 1048577}})
        assert answer.causes == [("[]", "Too long: may not be more than 1048576 bytes")]

    def test_keys_are_limited(self, server):
        assert server.post(CONFIG_MAPS, {"metadata": {"name": "x"}, "data": {"a/b": ""}}).causes[0][0] == "data[a/b]"

    def test_an_immutable_one_stays_as_it_is(self, server):
        server.created(CONFIG_MAPS, {"metadata": {"name": "x"}, "data": {"a": "1"}, "immutable": True})
        assert server.patch(f"{CONFIG_MAPS}/x", {"data": {"a": "2"}}).status == 422
        assert server.patch(f"{CONFIG_MAPS}/x", {"metadata": {"labels": {"l": "x"}}}).status == 200


class TestLeases:
    def test_a_put_creates_what_is_missing_even_with_a_version(self, server):
        body = {"metadata": {"name": "l", "resourceVersion": "3"}, "spec": {}}
        assert server.put(f"{LEASES}/l", body).status == 201
        assert server.put(f"{LEASES}/l", {"metadata": {"name": "l"}, "spec": {}}).status == 422

    @pytest.mark.parametrize(
        ("time", "status"),
        [
            ("2026-11-23T15:27:18.123456Z", 201),
            ("2026-11-23T15:27:18.123456+01:00", 201),
            ("2026-11-23T15:27:18Z", 400),
            ("2026-11-23T15:27:18.123Z", 400),
        ],
    )
    def test_times_have_exactly_six_decimals(self, server, time, status):
        assert server.post(LEASES, {"metadata": {"name": "l"}, "spec": {"renewTime": time}}).status == status

    def test_a_lease_lasts_longer_than_nothing(self, server):
        answer = server.post(LEASES, {"metadata": {"name": "l"}, "spec": {"leaseDurationSeconds": 0}})
        assert answer.causes == [("spec.leaseDurationSeconds", "Invalid value: 0: must be greater than 0")]

    def test_what_is_switched_off_is_dropped_but_its_sender_is_written_down(self, server):
        spec = {"holderIdentity": "me", "preferredHolder": "you", "strategy": "Youngest"}
        body = server.created(LEASES, {"metadata": {"name": "l"}, "spec": spec})
        [entry] = body["metadata"]["managedFields"]
        assert body["spec"] == {"holderIdentity": "me"}
        assert set(entry["fieldsV1"]["f:spec"]) == {f"f:{name}" for name in spec}

    def test_of_several_writers_with_one_version_one_wins(self, server):
        body = server.created(LEASES, {"metadata": {"name": "l"}, "spec": {"holderIdentity": "nobody"}})
        answers = [server.put(f"{LEASES}/l", {**body, "spec": {"holderIdentity": str(i)}}).status for i in range(8)]
        assert answers == [200] + [409] * 7


class TestEvents:
    def test_what_is_always_shown_is_shown(self, server):
        body = {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"}}
        created = server.created(EVENTS, body)
        assert (created["source"], created["eventTime"], created["reportingComponent"]) == ({}, None, "")

    def test_one_about_another_namespace_is_422(self, server):
        body = {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "namespace": "other", "name": "p"}}
        assert server.post(EVENTS, body).causes == [
            ("involvedObject.namespace", 'Invalid value: "other": does not match event.namespace')
        ]
        assert (
            server.post(EVENTS, {"metadata": {"name": "e"}, "involvedObject": {"kind": "Node", "name": "n"}}).status
            == 201
        )

    def test_they_are_selected_by_what_they_are_about(self, server):
        for name in ("p", "q"):
            about = {"kind": "Pod", "namespace": "default", "name": name}
            server.created(EVENTS, {"metadata": {"name": f"e-{name}"}, "involvedObject": about, "reason": "R"})
        assert server.get(EVENTS, fieldSelector="involvedObject.name=q,reason=R").names == ["e-q"]

    def test_they_may_be_patched(self, server):
        server.created(EVENTS, {"metadata": {"name": "e"}, "involvedObject": {"namespace": "default"}, "count": 1})
        assert server.patch(f"{EVENTS}/e", {"count": 2}).body["count"] == 2


def test_a_role_needs_a_name_that_fits_into_a_path(server):
    path = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    assert server.post(path, {"metadata": {"name": "system:a"}, "rules": []}).status == 201
    assert server.post(path, {"metadata": {"name": "a%b"}, "rules": []}).status == 422


def test_a_node_keeps_the_status_that_it_is_given(server):
    server.created("/api/v1/nodes", {"metadata": {"name": "n"}})
    body = server.patch("/api/v1/nodes/n/status", {"status": {"capacity": {"cpu": "2"}}}).body
    assert (body["status"]["capacity"], body["status"]["allocatable"]) == ({"cpu": "2"}, {"cpu": "2"})
