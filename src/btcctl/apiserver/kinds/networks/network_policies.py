"""The rules of NetworkPolicies. Source: ValidateNetworkPolicy of kubernetes 1.36."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import forbidden, invalid, required, unsupported
from btcctl.apiserver.machinery.ports import port_number, port_number_or_name
from btcctl.apiserver.machinery.selector_checks import check_label_selector
from btcctl.apiserver.storage.collection import Body

_PROTOCOLS = ("TCP", "UDP", "SCTP")  # in another order than Services' are told
_DIRECTIONS = ("Ingress", "Egress")
_SELECTORS = ("podSelector", "namespaceSelector")
_RANGE = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def check_policy(body: Body) -> list[Cause]:
    spec = body["spec"]
    causes = check_label_selector(spec.get("podSelector") or {}, "spec.podSelector")
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction) or ()):
            field = f"spec.{direction}[{index}]"
            for place, port in enumerate(rule.get("ports") or ()):
                causes += _of_port(port, f"{field}.ports[{place}]")
            for place, peer in enumerate(rule.get(peers) or ()):
                causes += _of_peer(peer, f"{field}.{peers}[{place}]")
    directions = spec.get("policyTypes") or []
    if len(directions) > len(_DIRECTIONS):
        return [*causes, invalid("spec.policyTypes", directions, "may not specify more than two policyTypes")]
    wrong = [(index, each) for index, each in enumerate(directions) if each not in _DIRECTIONS]
    return causes + [unsupported(f"spec.policyTypes[{index}]", each, _DIRECTIONS) for index, each in wrong]


def _of_port(port: Mapping[str, Any], field: str) -> Iterator[Cause]:
    protocol, first, last = port.get("protocol"), port.get("port"), port.get("endPort")
    if protocol is not None and protocol not in _PROTOCOLS:
        yield unsupported(f"{field}.protocol", protocol, _PROTOCOLS)
    if first is not None:
        yield from port_number_or_name(f"{field}.port", first)
    if last is None:
        return
    if first is None:
        yield invalid(f"{field}.endPort", last, "may not be specified when `port` is not specified")
    elif isinstance(first, str):
        yield invalid(f"{field}.endPort", last, "may not be specified when `port` is non-numeric")
    else:
        if last < first:
            yield invalid(f"{field}.endPort", first, "must be greater than or equal to `port`")
        yield from port_number(f"{field}.endPort", last)


def _of_peer(peer: Mapping[str, Any], field: str) -> Iterator[Cause]:
    given = [name for name in (*_SELECTORS, "ipBlock") if peer.get(name) is not None]
    for name in given:
        rules = _of_block if name == "ipBlock" else check_label_selector
        yield from rules(peer[name], f"{field}.{name}")
    if not given:
        yield required(field, "must specify a peer")
    elif len(given) > 1 and "ipBlock" in given:
        yield forbidden(field, "may not specify both ipBlock and another peer")


def _of_block(block: Mapping[str, Any], field: str) -> Iterator[Cause]:
    text = block.get("cidr") or ""
    if not text:
        yield required(f"{field}.cidr")
        return
    whole = _network(text)
    if whole is None:
        yield invalid(f"{field}.cidr", text, _RANGE)
        return
    for index, each in enumerate(block.get("except") or ()):
        part = _network(each)
        if part is None:
            yield invalid(f"{field}.except[{index}]", each, _RANGE)
        elif not _is_within(part, whole):
            yield invalid(f"{field}.except[{index}]", each, "must be a strict subset of `cidr`")


def _network(text: str) -> _Network | None:
    address, slash, bits = text.partition("/")
    try:
        return ipaddress.ip_network(text, strict=False) if slash and bits.isdecimal() and address else None
    except ValueError:
        return None


def _is_within(part: _Network, whole: _Network) -> bool:
    return part.version == whole.version and part.prefixlen > whole.prefixlen and part.network_address in whole
