"""What authors of operators write of Services, claims, policies, slices, Leases, Events and the like."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.cases_made_workloads import claim
from tests.integration.conformance.cases_workload_kinds import ENDPOINTS, POLICIES, SLICES, policy, slice_
from tests.integration.conformance.harness import Body, Talk, case
from tests.integration.conformance.manifests import (
    CONFIG_MAPS,
    LEASES,
    SECRETS,
    SERVICES,
    config_map,
    lease,
    secret,
    service,
)

CLAIMS = "/api/v1/namespaces/{ns}/persistentvolumeclaims"
ACCOUNTS = "/api/v1/namespaces/{ns}/serviceaccounts"
EVENTS = "/api/v1/namespaces/{ns}/events"
NEW_EVENTS = "/apis/events.k8s.io/v1/namespaces/{ns}/events"
_DRY = {"dryRun": "All"}


def try_each(talk: Talk, path: str, bodies: tuple[Body, ...]) -> None:
    for body in bodies:
        talk.post(path, body, query=_DRY)


@case("create", error=True)
def services_of_every_kind_are_checked(talk: Talk) -> None:
    specs: tuple[Body, ...] = (
        {"type": "ExternalName", "clusterIP": "", "externalName": "Example_.org"},
        {"type": "ExternalName", "clusterIP": ""}, {"type": "Some"},
        {"type": "ExternalName", "clusterIP": "", "externalName": "example.org", "ports": []},
        {"ports": [{"port": 0}]}, {"ports": [{"port": 70000}]}, {"ports": [{"port": 80}, {"port": 81}]},
        {"ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]},
        {"ports": [{"port": 80, "protocol": "HTTP"}]},
        {"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "a"}]},
        {"ports": [{"port": 80, "targetPort": "UPPER"}]}, {"ports": [{"port": 80, "name": "A"}]},
        {"ports": [{"port": 80, "targetPort": 0}]}, {"ports": [{"port": 80, "nodePort": 30000}]},
        {"sessionAffinity": "Some"}, {"selector": {"a b": "c"}},
        {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 0}}},
        {"sessionAffinity": "ClientIP"}, {"ipFamilies": ["IPv5"]}, {"ipFamilies": ["IPv4", "IPv4"]},
        {"ipFamilyPolicy": "Some"}, {"externalTrafficPolicy": "Local"}, {"internalTrafficPolicy": "Some"},
        {"loadBalancerIP": "1.2.3.4"}, {"loadBalancerSourceRanges": ["10.0.0.0/8"]}, {"loadBalancerClass": "a.b/c"},
        {"allocateLoadBalancerNodePorts": True}, {"externalIPs": ["x"]}, {"externalIPs": ["127.0.0.1"]},
        {"healthCheckNodePort": 30000}, {"trafficDistribution": "Some"}, {"publishNotReadyAddresses": True},
        {"ports": [{"port": 80, "appProtocol": "a b"}]}, {"ports": [{"port": 80, "appProtocol": "example.org/p"}]},
        {"ports": []}, {"ports": [], "selector": None}, {"type": "LoadBalancer"}, {"type": "NodePort"},
        {"clusterIP": "300.1.1.1"}, {"clusterIPs": ["None", "None"]}, {"clusterIPs": ["10.0.0.1"]},
    )  # fmt: skip
    try_each(talk, SERVICES, tuple(service(**each) for each in specs))
    for name in ("a" * 64, "1a", "A", "a.b"):
        talk.post(SERVICES, service(name), query=_DRY)


@case("create", error=True)
def claims_of_every_kind_are_checked(talk: Talk) -> None:
    def made(**more: Any) -> Body:
        return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **claim("a", **more)}

    volume = {"kind": "PersistentVolumeClaim", "name": "b"}
    try_each(talk, CLAIMS, (
        made(), made(dataSource=volume), made(dataSourceRef=volume), made(dataSource={"kind": "VolumeSnapshot",
            "name": "s", "apiGroup": "snapshot.storage.k8s.io"}),
        made(dataSource=volume, dataSourceRef={**volume, "name": "c"}), made(dataSource={"kind": "", "name": ""}),
            made(dataSourceRef={"kind": "Secret", "name": "x"}),
        made(dataSource={"kind": "A", "name": "a", "apiGroup": "B_"}), made(volumeAttributesClassName="A_"),
            made(volumeAttributesClassName="a"),
        made(resources={"requests": {"storage": "1Gi", "cpu": "1"}}),
            made(resources={"requests": {"storage": "100m"}}), made(volumeName=""),
        made(selector={"matchLabels": {"a": "b"}}), made(storageClassName=None), made(accessModes=["ReadWriteOnce",
            "ReadWriteOnce"]),
    ))  # fmt: skip


@case("create", error=True)
def network_policies_are_checked(talk: Talk) -> None:
    def block(**more: Any) -> Body:
        return {"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", **more}}]}]}

    specs: tuple[Body, ...] = (
        block(cidr="10.0.0.0"), block(cidr=""), block(cidr="x/y"), {"policyTypes": ["Some"]}, {"policyTypes": []},
        {"ingress": [{}]}, {"ingress": []}, block(**{"except": ["11.0.0.0/8"]}), block(**{"except": ["10.0.0.0/8"]}),
        block(**{"except": ["x"]}), {"ingress": [{"from": [{}]}]},
        {"ingress": [{"from": [{"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}}]}]},
        {"ingress": [{"ports": [{"port": 0}]}]}, {"policyTypes": ["Egress", "Ingress", "Egress"]},
        {"ingress": [{"ports": [{"port": "UPPER"}]}]}, {"ingress": [{"ports": [{"protocol": "ICMP"}]}]},
        {"ingress": [{"ports": [{"port": 80, "endPort": 70}]}]}, {"ingress": [{"ports": [{"endPort": 70}]}]},
        {"ingress": [{"ports": [{"port": "a", "endPort": 70}]}]}, {"podSelector": {"matchLabels": {"a b": "c"}}},
        {"ingress": [{"ports": [{"port": 70, "endPort": 80}]}]},
        {"egress": [{"to": [{"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "X"}]}}]}]},
    )  # fmt: skip
    try_each(talk, POLICIES, tuple(policy(**each) for each in specs))


@case("create", error=True)
def endpoint_slices_are_checked(talk: Talk) -> None:
    def one(**more: Any) -> Body:
        return {"endpoints": [{"addresses": ["10.1.2.3"], **more}]}

    fields: tuple[Body, ...] = (
        {"addressType": ""}, {"addressType": "IPv5"}, one(addresses=[]), one(addresses=["x"]),
        one(addresses=["10.1.2.3"] * 101), one(addresses=["2001:db8::1"]), one(addresses=["::"]),
        one(addresses=["169.254.1.1"]), {"addressType": "FQDN", **one(addresses=["example.org"])}, one(nodeName="A_"),
        one(hostname="A_"), {"addressType": "FQDN", **one(addresses=["Example_"])},
        {"addressType": "IPv6", **one(addresses=["2001:db8::1"])}, one(deprecatedTopology={"a b": "c"}),
        {"ports": [{"name": "a"}, {"name": "a"}]}, {"ports": [{"name": "A_"}]}, {"ports": [{"protocol": "X"}]},
        {"ports": [{"appProtocol": "a b"}]}, {"ports": [{"name": "", "port": 80}]},
        one(conditions={"ready": False, "serving": True, "terminating": True}),
        one(hints={"forZones": [{"name": ""}]}),
        one(hints={"forZones": [{"name": "z"}], "forNodes": [{"name": "n"}]}), one(zone="z"),
        {"ports": None, "endpoints": None},
    )  # fmt: skip
    try_each(talk, SLICES, tuple(slice_(**each) for each in fields))


@case("create", error=True)
def endpoints_are_checked(talk: Talk) -> None:
    head = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "a"}}
    subsets: tuple[Body, ...] = (
        {}, {"addresses": [{"ip": "x"}]}, {"addresses": [{"ip": "224.0.0.1"}], "ports": [{"port": 80}]},
        {"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": 0}]},
        {"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": 80}, {"port": 81}]},
        {"addresses": [{"ip": "10.1.2.3", "hostname": "A"}], "ports": [{"port": 80}]},
        {"addresses": [{"ip": "10.1.2.3", "nodeName": "N_"}]},
        {"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": 80, "protocol": "X"}]},
    )  # fmt: skip
    try_each(talk, ENDPOINTS, tuple({**head, "subsets": [each]} for each in subsets))


@case("create", error=True)
def leases_of_every_kind_are_checked(talk: Talk) -> None:
    specs: tuple[Body, ...] = (
        {"leaseDurationSeconds": 0}, {"leaseDurationSeconds": -1}, {"leaseTransitions": -1}, {"holderIdentity": ""},
        {"renewTime": "2026-01-01T00:00:00Z"}, {"strategy": "OldestEmulationVersion"}, {"preferredHolder": "x"},
        {"renewTime": "2026-01-01"}, {"acquireTime": "2026-01-01T00:00:00.123456789+02:00"},
        {"leaseDurationSeconds": "15"}, {"holderIdentity": None, "leaseDurationSeconds": None},
    )  # fmt: skip
    try_each(talk, LEASES, tuple(lease(**each) for each in specs))


@case("create", error=True)
def events_of_every_kind_are_checked(talk: Talk) -> None:
    about = {"kind": "Pod", "name": "p", "namespace": "{ns}", "uid": "u", "apiVersion": "v1"}
    old = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "a"},
        "involvedObject": about,
        "reason": "Why",
        "message": "m",
    }
    try_each(talk, EVENTS, (
        old, {**old, "type": "Loud"}, {**old, "involvedObject": {}}, {**old, "involvedObject": {**about,
            "namespace": "other"}}, {**old, "count": -1},
        {**old, "involvedObject": {**about, "kind": "Node", "namespace": ""}}, {**old, "firstTimestamp": "x"},
            {**old, "reason": ""}, {**old, "message": "x" * 2000},
        {**old, "eventTime": "2026-01-01T00:00:00Z"}, {**old, "series": {"count": 1}}, {**old,
            "source": {"component": "c"}, "reportingComponent": "d"},
    ))  # fmt: skip
    new = {
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "a"}, "regarding": about,
            "reason": "Why", "type": "Normal", "action": "Do",
        "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "example.org/c",
            "reportingInstance": "i", "note": "n",
    }  # fmt: skip
    try_each(talk, NEW_EVENTS, (
        new, {**new, "eventTime": None}, {**new, "action": ""}, {**new, "reason": ""}, {**new,
            "reportingController": "a b"}, {**new, "reportingInstance": ""},
        {**new, "type": "Loud"}, {**new, "note": "x" * 2000}, {**new, "series": {"count": 1,
            "lastObservedTime": "2026-01-01T00:00:00Z"}}, {**new, "action": "x" * 200},
        {**new, "deprecatedCount": 1}, {**new, "regarding": {**about, "namespace": "other"}},
    ))  # fmt: skip


@case("create", error=True)
def config_and_secrets_of_every_kind_are_checked(talk: Talk) -> None:
    try_each(talk, CONFIG_MAPS, (
        config_map("a", {"a/b": "c"}), config_map("a", {"": "c"}), config_map("a", {"." : "c"}), config_map("a",
            {"..a": "c"}), config_map("a", {"a" * 254: "c"}),
        {**config_map("a", {"a": "b"}), "binaryData": {"a": "Yg=="}}, {**config_map("a"), "binaryData": {"b": "x"}},
            {**config_map("a"), "immutable": "yes"},
        {**config_map("a"), "data": {"a": 1}}, {**config_map("a"), "data": {"a": None}}, {**config_map("a"),
            "data": []}, config_map("a", labels={"a": None}),
    ))  # fmt: skip
    try_each(talk, SECRETS, (
        secret("a", stringData={"a": "b"}), secret("a", data={"a": "Yg=="}, stringData={"a": "c"}), secret("a",
            type="kubernetes.io/tls"),
        secret("a", type="kubernetes.io/tls", stringData={"tls.crt": "x", "tls.key": "y"}), secret("a",
            type="kubernetes.io/basic-auth"), secret("a", data={"a/b": "Yg=="}),
        secret("a", type="kubernetes.io/dockerconfigjson", stringData={".dockerconfigjson": "{"}), secret("a",
            type="kubernetes.io/ssh-auth"), secret("a", type="example.org/own"),
        secret("a", type="kubernetes.io/service-account-token"), secret("a", data={"a": "%"}), secret("a",
            type="bootstrap.kubernetes.io/token"), secret("a", type=""),
    ))  # fmt: skip


@case("create", error=True)
def service_accounts_are_checked(talk: Talk) -> None:
    head: Body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}}
    try_each(talk, ACCOUNTS, (
        head, {**head, "automountServiceAccountToken": False, "imagePullSecrets": [{"name": "s"}]}, {**head,
            "secrets": [{"name": "s"}]},
        {**head, "metadata": {"name": "A_"}}, {**head, "imagePullSecrets": [{}]}, {**head, "secrets": [{"name": "s",
            "bogus": 1}]},
    ))  # fmt: skip


@case("update", error=True)
def a_service_changes_its_kind(talk: Talk) -> None:
    talk.post(SERVICES, service())
    path = f"{SERVICES}/a"
    for change in (
        {"clusterIP": "10.0.0.5"}, {"ports": [{"port": 81}]}, {"selector": None}, {"selector": {"a": "b"}},
        {"ipFamilies": ["IPv6"]}, {"ipFamilyPolicy": "RequireDualStack"}, {"sessionAffinity": "ClientIP"},
        {"publishNotReadyAddresses": True}, {"ports": None},
    ):  # fmt: skip
        talk.patch(path, {"spec": change}, query=_DRY)


@case("update", error=True)
def slices_leases_and_policies_are_changed(talk: Talk) -> None:
    talk.post(LEASES, lease())
    for change in (
        {"leaseDurationSeconds": 0}, {"holderIdentity": "you", "leaseTransitions": 1}, {"holderIdentity": ""},
        {"leaseTransitions": -2},
    ):  # fmt: skip
        talk.patch(f"{LEASES}/a", {"spec": change}, query=_DRY)
    talk.post(POLICIES, policy())
    for change in (
        {"podSelector": None}, {"policyTypes": ["Egress"]}, {"ingress": [{"from": [{"podSelector": {}}]}]},
        {"policyTypes": None},
    ):  # fmt: skip
        talk.patch(f"{POLICIES}/a", {"spec": change}, query=_DRY)
    talk.post(SLICES, slice_())
    for body in ({"ports": [{"port": 1}, {"port": 2}]}, {"endpoints": [{}]}, {"addressType": None}):
        talk.patch(f"{SLICES}/a", body, query=_DRY)
