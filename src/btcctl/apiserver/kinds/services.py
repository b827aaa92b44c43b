"""The rules of Services. The cluster they are in has IPv4 alone."""

from __future__ import annotations

import binascii
import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from btcctl.apiserver.kinds.pods.security import is_address
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import duplicate, forbidden, invalid, one_of, required, unsupported
from btcctl.apiserver.machinery.names import label_name, qualified_name, subdomain_name, validate_labels
from btcctl.apiserver.machinery.ports import PROTOCOLS, port_number, port_number_or_name
from btcctl.apiserver.storage.collection import Body

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_LEADING_ZEROS = re.compile(r"0*\d{1,3}(\.0*\d{1,3}){3}", re.ASCII)
_NO_RANGE = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_LINK_LOCAL_MULTICAST = {4: ipaddress.ip_network("224.0.0.0/24"), 6: ipaddress.ip_network("ff02::/16")}
_AFFINITIES = ("ClientIP", "None")
_TRAFFIC = ("Cluster", "Local")
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_FAMILIES = ("IPv4", "IPv6")
_ADDRESS_FIELDS = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
_FIRST_NODE_PORT, _NODE_PORTS = 30000, 2768
_LONGEST_AFFINITY_SECONDS = 86400
_Spec = dict[str, Any]


def complete_service(body: dict[str, Any]) -> None:
    """What a new state is allotted: families, an address and ports that nobody listens on."""
    spec = body["spec"]
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    if spec["type"] == "ExternalName":
        return
    is_open = spec.get("clusterIP") == "None" and not spec.get("selector")
    spec.setdefault("ipFamilyPolicy", "RequireDualStack" if is_open else "SingleStack")
    families = spec.setdefault("ipFamilies", ["IPv4"])
    if is_open and len(families) < 2 and spec["ipFamilyPolicy"] != "SingleStack":
        spec["ipFamilies"] = [*families, "IPv6" if families == ["IPv4"] else "IPv4"]
    if _has_address(spec) and "clusterIP" not in spec and "clusterIPs" not in spec:
        spec["clusterIP"] = _address(body["metadata"])
        spec["clusterIPs"] = [spec["clusterIP"]]
    if _has_node_ports(spec) and spec.get("allocateLoadBalancerNodePorts", True):
        for port in spec.get("ports") or ():
            port.setdefault("nodePort", _node_port(body["metadata"], port))
    if spec["type"] == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local":
        spec.setdefault("healthCheckNodePort", _node_port(body["metadata"], {}))


def keep_service(new: dict[str, Any], old: Body) -> None:
    """An update that leaves out what was allotted keeps it; what a new type has no use for goes."""
    spec, before = new.get("spec") or {}, old["spec"]
    if _has_address(spec) and _has_address(before):
        _keep_address(spec, before)
    if _has_node_ports(spec) and _has_node_ports(before):
        _keep_node_ports(spec, before)
    if _has_address(before) and not _has_address(spec):
        _drop_unchanged(spec, before, *_ADDRESS_FIELDS)
    if _has_node_ports(before) and not _has_node_ports(spec):
        _drop_unchanged(spec, before, "externalTrafficPolicy", "healthCheckNodePort")
        if [port.get("nodePort") for port in spec.get("ports") or ()] == [
            port.get("nodePort") for port in before.get("ports") or ()
        ]:
            for port in spec.get("ports") or ():
                port.pop("nodePort", None)
    if before["type"] == "LoadBalancer" and spec["type"] != "LoadBalancer":
        _drop_unchanged(spec, before, "allocateLoadBalancerNodePorts", "loadBalancerClass")


def finish_service(body: dict[str, Any]) -> None:
    """What a server does not show of a Service that is but another name."""
    if body["spec"]["type"] == "ExternalName":
        body["spec"].pop("internalTrafficPolicy", None)


def check_service(body: Body) -> list[Cause]:
    spec = body["spec"]
    causes = [] if spec.get("ports") or _needs_no_ports(spec) else [required("spec.ports")]
    causes += _check_type(spec) + _check_ports(spec)
    causes += validate_labels("spec.selector", spec.get("selector") or {})
    causes += one_of("spec.sessionAffinity", spec["sessionAffinity"], _AFFINITIES)
    causes += _check_affinity(spec) + _check_addresses(spec) + _check_balancer(spec) + _check_traffic(spec)
    causes += _check_external(spec)
    return causes


def check_service_update(new: Body, old: Body) -> list[Cause]:
    spec, before = new["spec"], old["spec"]
    if "ExternalName" in {spec["type"], before["type"]} or "None" == spec.get("clusterIP") == before.get("clusterIP"):
        return []
    addresses, known = spec.get("clusterIPs") or [], before.get("clusterIPs") or []
    if known and not addresses:
        return [invalid("spec.clusterIPs[0]", addresses or None, "primary clusterIP can not be unset")]
    if known and addresses[0] != known[0]:
        return [invalid("spec.clusterIPs[0]", addresses, "may not change once set")]
    return []


def _check_type(spec: Mapping[str, Any]) -> list[Cause]:
    kind = spec["type"]
    causes = one_of("spec.type", kind, _TYPES)
    if kind in {"LoadBalancer", "NodePort"} and spec.get("clusterIP") == "None":
        causes.append(invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services"))
    if kind == "ExternalName":
        listed = [name for name in ("clusterIPs", "ipFamilies", "ipFamilyPolicy") if spec.get(name)]
        causes += [forbidden(f"spec.{name}", "may not be set for ExternalName services") for name in listed]
        name = (spec.get("externalName") or "").removesuffix(".")
        causes += [invalid("spec.externalName", name, each) for each in subdomain_name(name)] if name else []
        causes += [] if name else [required("spec.externalName")]
    return causes


def _check_ports(spec: Mapping[str, Any]) -> list[Cause]:
    ports = spec.get("ports") or []
    causes: list[Cause] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        causes += _check_port(f"spec.ports[{index}]", port, names, needs_name=len(ports) > 1)
        if spec["type"] == "ClusterIP" and port.get("nodePort"):
            causes.append(forbidden(f"spec.ports[{index}].nodePort", "may not be used when `type` is 'ClusterIP'"))
    causes += _repeated(ports, "nodePort", lambda index, port: duplicate(f"spec.ports[{index}].nodePort", port))
    return causes + _repeated(ports, "port", lambda index, port: duplicate(f"spec.ports[{index}]", port))


def _repeated(ports: list[Any], name: str, complain: Callable[[int, Any], Cause]) -> list[Cause]:
    """Ports that share a protocol and a number with one before."""
    seen, causes = set(), []
    for index, port in enumerate(ports):
        key = (port["protocol"], port.get(name))
        if key[1] and key in seen:
            whole = {
                "Name": "",
                "Protocol": key[0],
                "AppProtocol": None,
                "Port": key[1],
                "TargetPort": 0,
                "NodePort": 0,
            }
            causes.append(complain(index, whole if name == "port" else key[1]))
        seen.add(key)
    return causes


def _check_port(field: str, port: Mapping[str, Any], names: set[str], *, needs_name: bool) -> list[Cause]:
    name, causes = port.get("name"), []
    if needs_name and not name:
        causes.append(required(f"{field}.name"))
    elif name:
        causes += [invalid(f"{field}.name", name, each) for each in label_name(name)]
        causes += [duplicate(f"{field}.name", name)] if name in names else []
        names.add(name)
    causes += port_number(f"{field}.port", port.get("port"))
    causes += one_of(f"{field}.protocol", port["protocol"], PROTOCOLS)
    causes += port_number_or_name(f"{field}.targetPort", port["targetPort"])
    protocol = port.get("appProtocol")
    return causes + ([] if protocol is None else qualified_name(f"{field}.appProtocol", protocol))


def _check_affinity(spec: Mapping[str, Any]) -> list[Cause]:
    if spec["sessionAffinity"] != "ClientIP":
        return []
    seconds = spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"]
    if 0 < seconds <= _LONGEST_AFFINITY_SECONDS:
        return []
    why = f"must be greater than 0 and less than {_LONGEST_AFFINITY_SECONDS}"
    return [invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds, why)]


def _check_addresses(spec: Mapping[str, Any]) -> list[Cause]:
    if spec["type"] == "ExternalName":
        return []
    address, addresses = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    causes = []
    if address and addresses and addresses[0] != address:
        causes.append(invalid("spec.clusterIPs", addresses, "first value must match `clusterIP`"))
    if not address and addresses:
        causes.append(invalid("spec.clusterIPs", addresses, "must be empty when `clusterIP` is not specified"))
    families = spec.get("ipFamilies") or []
    for index, family in enumerate(families):
        field = f"spec.ipFamilies[{index}]"
        causes += [] if family in _FAMILIES else [unsupported(field, family, _FAMILIES)]
        causes += [duplicate(field, family)] if family in families[:index] else []
    policy = spec.get("ipFamilyPolicy", "")
    causes += [] if policy in _POLICIES else [unsupported("spec.ipFamilyPolicy", policy, _POLICIES)]
    if "None" in addresses and len(addresses) > 1:
        causes.append(invalid("spec.clusterIPs", addresses, "'None' must be the first and only value"))
    for index, each in enumerate(addresses):
        if not is_address(each) and (index or each != "None"):
            why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            causes.append(invalid(f"spec.clusterIPs[{index}]", each, why))
    return causes + _check_stacks(spec, policy, families)


def _check_stacks(spec: Mapping[str, Any], policy: str, families: list[str]) -> list[Cause]:
    """There is but IPv4; only a Service that gives nothing out may ask for more."""
    if spec.get("clusterIP") == "None" and not spec.get("selector"):
        return []
    causes = []
    if policy == "RequireDualStack":
        why = "this cluster is not configured for dual-stack services"
        causes.append(invalid("spec.ipFamilyPolicy", policy, why))
    others = [index for index, family in enumerate(families) if family == "IPv6"]
    why = "not configured on this cluster"
    return causes + [invalid(f"spec.ipFamilies[{index}]", families[index], why) for index in others]


def _check_balancer(spec: Mapping[str, Any]) -> list[Cause]:
    ranges = enumerate(spec.get("loadBalancerSourceRanges") or ())
    wrong = [
        invalid(f"spec.LoadBalancerSourceRanges[{at}]", each, _NO_RANGE) for at, each in ranges if not _is_range(each)
    ]
    if spec["type"] == "LoadBalancer":
        return wrong
    named = {"LoadBalancerSourceRanges": spec.get("loadBalancerSourceRanges")}
    named |= {name: spec.get(name) for name in ("allocateLoadBalancerNodePorts", "loadBalancerClass")}
    why = "may only be used when `type` is 'LoadBalancer'"
    return [forbidden(f"spec.{name}", why) for name, value in named.items() if value not in (None, [])] + wrong


def _is_range(text: str) -> bool:
    try:
        ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return False
    return "/" in text


def _check_external(spec: Mapping[str, Any]) -> Iterator[Cause]:
    """Addresses outside of the cluster are no special ones."""
    for index, text in enumerate(spec.get("externalIPs") or ()):
        why = _address_problem(text)
        if why:
            yield invalid(f"spec.externalIPs[{index}]", text, why)


def _address_problem(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        has_zeros = _LEADING_ZEROS.fullmatch(text) is not None
        return (
            "must not have leading 0s" if has_zeros else "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        )
    if address.is_unspecified:
        return f"may not be unspecified ({text})"
    if address.is_loopback:
        return "may not be in the loopback range (127.0.0.0/8, ::1/128)"
    if address.is_link_local:
        return "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
    if address in _LINK_LOCAL_MULTICAST[address.version]:
        return "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
    return ""


def _check_traffic(spec: Mapping[str, Any]) -> list[Cause]:
    external, internal = spec.get("externalTrafficPolicy"), spec.get("internalTrafficPolicy")
    causes = []
    if not _is_external(spec):
        why = "may only be set for externally-accessible services"
        causes += [invalid("spec.externalTrafficPolicy", external, why)] if external else []
    else:
        causes += one_of("spec.externalTrafficPolicy", external, _TRAFFIC)
    port = spec.get("healthCheckNodePort")
    if port and (spec["type"] != "LoadBalancer" or external != "Local"):
        why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        causes.append(invalid("spec.healthCheckNodePort", port, why))
    if internal is not None:
        causes += [] if internal in _TRAFFIC else [unsupported("spec.internalTrafficPolicy", internal, _TRAFFIC)]
    distribution = spec.get("trafficDistribution")
    if distribution is not None and distribution not in _DISTRIBUTIONS:
        causes.append(unsupported("spec.trafficDistribution", distribution, _DISTRIBUTIONS))
    return causes


def _keep_address(spec: _Spec, before: Mapping[str, Any]) -> None:
    if not spec.get("clusterIP") and before.get("clusterIP"):
        spec["clusterIP"] = before["clusterIP"]
    if not spec.get("clusterIPs") and before.get("clusterIPs") and spec.get("clusterIP") == before.get("clusterIP"):
        spec["clusterIPs"] = before["clusterIPs"]
    if spec.get("clusterIP") != before.get("clusterIP") and spec.get("clusterIPs") == before.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    if "ipFamilyPolicy" not in spec and before.get("ipFamilyPolicy"):
        spec["ipFamilyPolicy"] = before["ipFamilyPolicy"]


def _keep_node_ports(spec: _Spec, before: Mapping[str, Any]) -> None:
    known = {port.get("name", ""): port.get("nodePort") for port in before.get("ports") or ()}
    ports = spec.get("ports") or ()
    used = {port["nodePort"] for port in ports if port.get("nodePort")} & set(known.values())
    for port in ports:
        number = known.get(port.get("name", ""))
        if not port.get("nodePort") and number and number not in used:
            port["nodePort"] = number
    if before.get("healthCheckNodePort") and spec.get("externalTrafficPolicy") == "Local":
        spec.setdefault("healthCheckNodePort", before["healthCheckNodePort"])


def _drop_unchanged(spec: _Spec, before: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if name in spec and spec[name] == before.get(name):
            del spec[name]


def _has_address(spec: Mapping[str, Any]) -> bool:
    return spec.get("type", "ClusterIP") in {"ClusterIP", "NodePort", "LoadBalancer"}


def _has_node_ports(spec: Mapping[str, Any]) -> bool:
    return spec.get("type") in {"NodePort", "LoadBalancer"}


def _needs_no_ports(spec: Mapping[str, Any]) -> bool:
    return spec.get("clusterIP") == "None" or spec["type"] == "ExternalName"


def _is_external(spec: Mapping[str, Any]) -> bool:
    return _has_node_ports(spec) or (spec["type"] == "ClusterIP" and bool(spec.get("externalIPs")))


def _number_of(*parts: object) -> int:
    return binascii.crc32("/".join(str(part) for part in parts).encode())


def _address(metadata: Mapping[str, Any]) -> str:
    """A cluster address out of 10.96.0.0/12 that depends on the name alone. Nothing listens there."""
    number = _number_of(metadata.get("namespace"), metadata.get("name"))
    return f"10.{96 + number % 16}.{number // 16 % 256}.{1 + number // 4096 % 254}"


def _node_port(metadata: Mapping[str, Any], port: Mapping[str, Any]) -> int:
    """A port that depends on the names alone. Nothing listens there either."""
    number = _number_of(metadata.get("namespace"), metadata.get("name"), port.get("protocol"), port.get("port"))
    return _FIRST_NODE_PORT + number % _NODE_PORTS
