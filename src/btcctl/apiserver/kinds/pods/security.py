"""What is wrong with who a pod runs as, and with what it calls itself and others."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import invalid, one_of, required
from btcctl.apiserver.machinery.names import qualified_name, subdomain_name

_MOST = 2**31 - 1
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
_MOST_NAMESERVERS = 3


def check_identity(spec: Mapping[str, Any], field: str) -> list[Cause]:
    causes = list(_of_context(spec.get("securityContext") or {}, f"{field}.securityContext"))
    for name in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(name) or ()):
            context = container.get("securityContext") or {}
            causes += _of_context(context, f"{field}.{name}[{index}].securityContext")
    causes += _of_names(spec.get("dnsConfig"), spec["dnsPolicy"], f"{field}.dnsConfig")
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        causes += _of_alias(alias, f"{field}.hostAliases[{index}]")
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        causes += qualified_name(f"{field}.readinessGates[{index}].conditionType", gate.get("conditionType", ""))
    return causes


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _of_context(context: Mapping[str, Any], field: str) -> Iterator[Cause]:
    named = [(name, context.get(name)) for name in ("fsGroup", "runAsUser", "runAsGroup")]
    named += [(f"supplementalGroups[{i}]", each) for i, each in enumerate(context.get("supplementalGroups") or ())]
    for name, number in named:
        if number is not None and not 0 <= number <= _MOST:
            yield invalid(f"{field}.{name}", number, f"must be between 0 and {_MOST}, inclusive")
    profile = context.get("seccompProfile")
    if profile is not None:
        yield from _of_profile(profile, f"{field}.seccompProfile")


def _of_profile(profile: Mapping[str, Any], field: str) -> Iterator[Cause]:
    kind, path = profile.get("type", ""), profile.get("localhostProfile")
    yield from one_of(f"{field}.type", kind, _PROFILES)
    if kind == "Localhost" and not path:
        yield required(f"{field}.localhostProfile", "must be set when seccomp type is Localhost")
    elif kind != "Localhost" and path is not None:
        yield invalid(f"{field}.localhostProfile", path, "can only be set when seccomp type is Localhost")


def _of_names(config: Mapping[str, Any] | None, policy: str, field: str) -> Iterator[Cause]:
    servers = (config or {}).get("nameservers") or []
    if policy == "None" and config is None:
        yield required(field, "must provide `dnsConfig` when `dnsPolicy` is None")
    elif policy == "None" and not servers:
        yield required(f"{field}.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None")
    if len(servers) > _MOST_NAMESERVERS:
        yield invalid(f"{field}.nameservers", servers, f"must not have more than {_MOST_NAMESERVERS} nameservers")
    for index, server in enumerate(servers):
        if not is_address(server):
            yield invalid(f"{field}.nameservers[{index}]", server, _ADDRESS)
    for index, option in enumerate((config or {}).get("options") or ()):
        if not option.get("name"):
            yield required(f"{field}.options[{index}]", "must not be empty")


def _of_alias(alias: Mapping[str, Any], field: str) -> Iterator[Cause]:
    address = alias.get("ip", "")
    if not is_address(address):
        yield invalid(f"{field}.ip", address, _ADDRESS)
    for index, name in enumerate(alias.get("hostnames") or ()):
        yield from (invalid(f"{field}.hostnames[{index}]", name, each) for each in subdomain_name(name))
