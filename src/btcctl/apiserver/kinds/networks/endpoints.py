"""The rules of EndpointSlices and Endpoints. Source: ValidateEndpointSlice and ValidateEndpoints of kubernetes 1.36.

But for one: addresses of the loopback may be endpoints here, where pods are processes of one machine.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import (
    duplicate,
    each_invalid,
    invalid,
    one_of,
    required,
    too_many,
    unsupported,
)
from btcctl.apiserver.machinery.names import label_name, qualified_name, subdomain_name
from btcctl.apiserver.machinery.ports import PROTOCOLS, port_number
from btcctl.apiserver.storage.collection import Body

_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_MOST_ENDPOINTS, _MOST_ADDRESSES, _MOST_PORTS = 1_000, 100, 20_000
_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
_RANGES = (
    ("is_unspecified", "may not be unspecified ({0})"),
    ("is_link_local", "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
)
_LOCAL_GROUPS = (ipaddress.ip_network("224.0.0.0/24"), ipaddress.ip_network("ff02::/16"))


def complete_slice(body: dict[str, Any]) -> None:
    """What an older version could say of where endpoints are is no field that may be written any more."""
    for endpoint in body.get("endpoints") or ():
        endpoint.pop("deprecatedTopology", None)


def check_slice(body: Body) -> list[Cause]:
    ports = body.get("ports") or []
    causes = one_of("addressType", body.get("addressType") or "", _ADDRESS_TYPES)
    if len(ports) > _MOST_PORTS:
        return [*causes, too_many("ports", len(ports), _MOST_PORTS)]
    return causes + list(_of_ports(ports))


def check_slice_endpoints(body: Body) -> list[Cause]:
    """Of a new slice, or where they change: older servers have let others pass."""
    kind, endpoints = body.get("addressType") or "", body.get("endpoints") or []
    if len(endpoints) > _MOST_ENDPOINTS:
        return [too_many("endpoints", len(endpoints), _MOST_ENDPOINTS)]
    causes: list[Cause] = []
    for index, endpoint in enumerate(endpoints):
        causes += _of_endpoint(endpoint, kind, f"endpoints[{index}]")
    return causes


def check_slice_update(new: Body, old: Body) -> list[Cause]:
    kind, are_same = new.get("addressType"), new.get("endpoints") == old.get("endpoints")
    causes = [] if are_same else check_slice_endpoints(new)
    return causes + ([] if kind == old.get("addressType") else [invalid("addressType", kind, "field is immutable")])


def slice_remarks(new: Body, _: Body | None) -> list[str]:
    return ["spec.addressType: FQDN endpoints are deprecated"] if new.get("addressType") == "FQDN" else []


def check_endpoints(body: Body) -> list[Cause]:
    causes: list[Cause] = []
    for index, subset in enumerate(body.get("subsets") or ()):
        field, ports = f"subsets[{index}]", subset.get("ports") or []
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            causes.append(required(field, "must specify `addresses` or `notReadyAddresses`"))
        for name in ("addresses", "notReadyAddresses"):
            for place, address in enumerate(subset.get(name) or ()):
                causes += _of_address(address, f"{field}.{name}[{place}]")
        for place, port in enumerate(ports):
            causes += _of_port(port, f"{field}.ports[{place}]", needs_name=len(ports) > 1)
    return causes


def _of_ports(ports: list[Any]) -> Iterator[Cause]:
    names = set()
    for index, port in enumerate(ports):
        field, name = f"ports[{index}]", port.get("name") or ""
        if name:
            yield from each_invalid(f"{field}.name", name, label_name(name))
        if name in names:
            yield duplicate(f"{field}.name", name)
        names.add(name)
        if port.get("protocol") not in PROTOCOLS:
            yield unsupported(f"{field}.protocol", port.get("protocol"), PROTOCOLS)
        if port.get("appProtocol") is not None:
            yield from qualified_name(f"{field}.appProtocol", port["appProtocol"])


def _of_endpoint(endpoint: Mapping[str, Any], kind: str, field: str) -> Iterator[Cause]:
    addresses = endpoint.get("addresses") or []
    if not addresses:
        yield required(f"{field}.addresses", "must contain at least 1 address")
    elif len(addresses) > _MOST_ADDRESSES:
        yield too_many(f"{field}.addresses", len(addresses), _MOST_ADDRESSES)
    for index, address in enumerate(addresses):
        here = f"{field}.addresses[{index}]"
        if kind == "FQDN":
            yield from each_invalid(here, address, subdomain_name(address))
        elif kind in _ADDRESS_TYPES:
            found = _parsed(address)
            if found is None:
                yield invalid(here, address, _ADDRESS)
                continue
            if f"IPv{found.version}" != kind:
                yield invalid(f"{field}.addresses", address, f"must be an {kind} address")
            yield from _of_range(found, address, here)
    for name, rule in (("nodeName", subdomain_name), ("hostname", label_name)):
        if endpoint.get(name) is not None:
            yield from each_invalid(f"{field}.{name}", endpoint[name], rule(endpoint[name]))


def _of_address(address: Mapping[str, Any], field: str) -> Iterator[Cause]:
    text = address.get("ip") or ""
    found = _parsed(text)
    if found is None:
        yield invalid(f"{field}.ip", text, _ADDRESS)
        yield invalid(f"{field}.ip", text, "must be a valid IP address")
    else:
        yield from _of_range(found, text, f"{field}.ip")
    if address.get("hostname"):
        yield from each_invalid(f"{field}.hostname", address["hostname"], label_name(address["hostname"]))
    if address.get("nodeName") is not None:
        yield from each_invalid(f"{field}.nodeName", address["nodeName"], subdomain_name(address["nodeName"]))


def _of_port(port: Mapping[str, Any], field: str, *, needs_name: bool) -> Iterator[Cause]:
    name = port.get("name") or ""
    if name:
        yield from each_invalid(f"{field}.name", name, label_name(name))
    elif needs_name:
        yield required(f"{field}.name")
    yield from port_number(f"{field}.port", port.get("port"))
    yield from one_of(f"{field}.protocol", port.get("protocol"), PROTOCOLS)
    if port.get("appProtocol") is not None:
        yield from qualified_name(f"{field}.appProtocol", port["appProtocol"])


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _of_range(address: ipaddress.IPv4Address | ipaddress.IPv6Address, text: str, field: str) -> Iterator[Cause]:
    for name, why in _RANGES:
        if getattr(address, name):
            yield invalid(field, text, why.format(text))
    if any(address in group for group in _LOCAL_GROUPS):
        yield invalid(field, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
