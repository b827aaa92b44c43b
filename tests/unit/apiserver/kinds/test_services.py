"""What Services are allotted, keep and may not be."""

import pytest

SERVICES = "/api/v1/namespaces/default/services"


def service(**spec):
    return {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}], **spec}}


def test_an_address_and_its_family_are_allotted_and_kept(server):
    spec = server.created(SERVICES, service())["spec"]
    assert (spec["clusterIPs"], spec["ipFamilies"], spec["ipFamilyPolicy"]) == (
        [spec["clusterIP"]],
        ["IPv4"],
        "SingleStack",
    )
    assert server.put(f"{SERVICES}/s", service()).body["spec"]["clusterIP"] == spec["clusterIP"]


def test_without_selector_and_address_it_has_both_families(server):
    spec = server.created(SERVICES, service(clusterIP="None"))["spec"]
    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4", "IPv6"], "RequireDualStack")


def test_node_ports_are_allotted_and_kept_and_go_with_the_type(server):
    (port,) = server.created(SERVICES, service(type="NodePort"))["spec"]["ports"]
    assert 30000 <= port["nodePort"] < 32768
    put = server.put(f"{SERVICES}/s", service(type="NodePort")).body["spec"]
    assert put["ports"][0]["nodePort"] == port["nodePort"]
    back = server.patch(f"{SERVICES}/s", {"spec": {"type": "ClusterIP"}}).body["spec"]
    assert ("nodePort" in back["ports"][0], "externalTrafficPolicy" in back) == (False, False)


def test_becoming_a_name_gives_the_address_back(server):
    server.created(SERVICES, service())
    patch = {"spec": {"type": "ExternalName", "externalName": "example.org"}}
    spec = server.patch(f"{SERVICES}/s", patch).body["spec"]
    assert [name for name in ("clusterIP", "clusterIPs", "ipFamilies", "internalTrafficPolicy") if name in spec] == []


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"type": "ExternalName"}, "spec.externalName"),
        ({"type": "NodePort", "clusterIP": "None"}, "spec.clusterIPs[0]"),
        ({"ports": [{"port": 1}, {"port": 2}]}, "spec.ports[0].name"),
        ({"ports": [{"port": 1, "nodePort": 30000}]}, "spec.ports[0].nodePort"),
        ({"ipFamilyPolicy": "RequireDualStack"}, "spec.ipFamilyPolicy"),
        ({"ipFamilies": ["IPv6"]}, "spec.ipFamilies[0]"),
        ({"externalTrafficPolicy": "Local"}, "spec.externalTrafficPolicy"),
        ({"loadBalancerClass": "x"}, "spec.loadBalancerClass"),
        ({"trafficDistribution": "Wild"}, "spec.trafficDistribution"),
        ({"selector": {"a b": "c"}}, "spec.selector"),
    ],
)
def test_what_does_not_go_together_is_refused(server, spec, field):
    answer = server.post(SERVICES, service(**spec))
    assert (answer.status, field in dict(answer.causes)) == (422, True)


def test_the_address_may_not_change(server):
    server.created(SERVICES, service())
    change = {"clusterIP": "10.0.0.9", "clusterIPs": ["10.0.0.9"]}
    assert dict(server.patch(f"{SERVICES}/s", {"spec": change}).causes)["spec.clusterIPs[0]"].endswith(
        "may not change once set"
    )


def test_what_a_headless_service_ignores_is_warned_of(server):
    answer = server.post(SERVICES, service(clusterIP="None", sessionAffinity="ClientIP"))
    assert answer.headers["Warning"] == '299 - "spec.SessionAffinity is ignored for headless services"'


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("x", "must be a valid IP address"),
        ("010.0.0.1", "must not have leading 0s"),
        ("127.0.0.1", "loopback"),
        ("169.254.0.1", "link-local range"),
        ("224.0.0.5", "link-local multicast"),
        ("::", "may not be unspecified (::)"),
    ],
)
def test_an_external_address_is_no_special_one(server, address, why):
    answer = server.post(SERVICES, service(externalIPs=[address]))
    assert (answer.status, why in answer.message) == (422, True)


def test_where_a_balancer_lets_in_from_are_ranges(server):
    answer = server.post(SERVICES, service(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/8", "10.0.0.1"]))
    assert [field for field, _ in answer.causes] == ["spec.LoadBalancerSourceRanges[1]"]
