"""What is wrong with who a pod runs as, and with what it calls itself and others."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.gotypes.internal import as_server
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import (
    duplicate,
    each_invalid,
    forbidden,
    invalid,
    one_of,
    required,
    unsupported,
)
from btcctl.apiserver.machinery.names import qualified_name, subdomain_name, subdomain_with_underscores

_MOST = 2**31 - 1
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
_MOST_NAMESERVERS = 3
_SYSCTL = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_LONGEST_SYSCTL = 253
_PROC_MOUNTS = ("Default", "Unmasked")
_GROUP_CHANGES = ("Always", "OnRootMismatch")
_SYSTEMS = ("linux", "windows")
#: What only Linux has: of a pod, of its security context, and of a container's.
_OF_LINUX_PODS = ("hostUsers", "hostPID", "hostIPC", "shareProcessNamespace")
_OF_LINUX = ("appArmorProfile", "seLinuxOptions", "seccompProfile", "runAsUser", "runAsGroup")
_OF_LINUX_CONTEXTS = (
    *_OF_LINUX,
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "seLinuxChangePolicy",
)
_OF_LINUX_CONTAINERS = (
    *_OF_LINUX,
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
)
_NOT_FOR_WINDOWS = "cannot be set for a windows pod"


def check_identity(spec: Mapping[str, Any], field: str) -> list[Cause]:
    context = spec.get("securityContext") or {}
    causes = [
        *_of_context(context, f"{field}.securityContext"),
        *_of_whole_context(context, f"{field}.securityContext"),
    ]
    causes += _of_host(spec, field)
    containers = list(_contexts(spec, field))
    for each, here in containers:
        causes += [*_of_context(each, here), *_of_own_context(each, here)]
    causes += _of_system(spec, containers, field)
    for index, gate in enumerate(spec.get("schedulingGates") or ()):
        causes += qualified_name(f"{field}.schedulingGates[{index}]", gate.get("name", ""))
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


def _contexts(spec: Mapping[str, Any], field: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    for name in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(name) or ()):
            yield container.get("securityContext") or {}, f"{field}.{name}[{index}].securityContext"


def _of_host(spec: Mapping[str, Any], field: str) -> Iterator[Cause]:
    """What does not go together of what a pod shares with its node, and its containers with each other."""
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        why = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(f"{field}.securityContext.shareProcessNamespace", True, why)
    if spec.get("hostUsers") is False:
        shown = {"hostNetwork": "hostNetwork", "hostPID": "HostPID", "hostIPC": "HostIPC"}
        yield from (
            forbidden(f"{field}.{told}", "when `hostUsers` is false") for name, told in shown.items() if spec.get(name)
        )


def _of_whole_context(context: Mapping[str, Any], field: str) -> Iterator[Cause]:
    """What only a pod's own context has."""
    names: set[str] = set()
    for index, sysctl in enumerate(context.get("sysctls") or ()):
        here, name = f"{field}.sysctls[{index}].name", sysctl.get("name") or ""
        if not name:
            yield required(here)
        elif len(name) > _LONGEST_SYSCTL or not re.fullmatch(_SYSCTL, name):
            yield invalid(here, name, f"must have at most {_LONGEST_SYSCTL} characters and match regex ^{_SYSCTL}$")
        elif name in names:
            yield duplicate(here, name)
        names.add(name)
    change = context.get("fsGroupChangePolicy")
    if change is not None and change not in _GROUP_CHANGES:
        yield unsupported(f"{field}.fsGroupChangePolicy", change, _GROUP_CHANGES)


def _of_own_context(context: Mapping[str, Any], field: str) -> Iterator[Cause]:
    """What only a container's context has."""
    mount = context.get("procMount")
    if mount is not None and mount not in _PROC_MOUNTS:
        yield unsupported(f"{field}.procMount", mount, _PROC_MOUNTS)
    if context.get("allowPrivilegeEscalation") is False:
        shown, why = as_server("SecurityContext", context), "cannot set `allowPrivilegeEscalation` to false and"
        if context.get("privileged"):
            yield invalid(field, shown, f"{why} `privileged` to true")
        if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
            yield invalid(field, shown, f"{why} `capabilities.Add` CAP_SYS_ADMIN")


def _of_system(spec: Mapping[str, Any], contexts: list[tuple[Mapping[str, Any], str]], field: str) -> Iterator[Cause]:
    system = spec.get("os")
    if system is None:
        return
    name = system.get("name") or ""
    if not name:
        yield required(f"{field}.os.name", "cannot be empty")
    elif name not in _SYSTEMS:
        yield unsupported(f"{field}.os", name, _SYSTEMS)
    elif name == "windows":
        whole = spec.get("securityContext") or {}
        for each, given, here in (
            (_OF_LINUX_PODS, spec, field),
            (_OF_LINUX_CONTEXTS, whole, f"{field}.securityContext"),
            *((_OF_LINUX_CONTAINERS, context, place) for context, place in contexts),
        ):
            yield from (forbidden(f"{here}.{name}", _NOT_FOR_WINDOWS) for name in each if given.get(name) is not None)


def _of_context(context: Mapping[str, Any], field: str) -> Iterator[Cause]:
    named = [(name, context.get(name)) for name in ("fsGroup", "runAsUser", "runAsGroup")]
    named += [(f"supplementalGroups[{i}]", each) for i, each in enumerate(context.get("supplementalGroups") or ())]
    for name, number in named:
        if number is not None and not 0 <= number <= _MOST:
            yield invalid(f"{field}.{name}", number, f"must be between 0 and {_MOST}, inclusive")
    profile = context.get("seccompProfile")
    if profile is not None:
        yield from _of_profile(profile, f"{field}.seccompProfile")
    armor = context.get("appArmorProfile")
    if armor is not None:
        yield from _of_armor(armor, f"{field}.appArmorProfile")
    if (context.get("windowsOptions") or {}).get("runAsUserName") == "":
        yield invalid(f"{field}.windowsOptions.runAsUserName", "", "runAsUserName cannot be an empty string")


def _of_armor(profile: Mapping[str, Any], field: str) -> Iterator[Cause]:
    kind, path, here = profile.get("type", ""), profile.get("localhostProfile"), f"{field}.localhostProfile"
    if not kind:
        yield required(f"{field}.type", "type is required when appArmorProfile is set")
    elif kind not in _PROFILES:
        yield unsupported(f"{field}.type", kind, _PROFILES)
    elif kind != "Localhost":
        if path is not None:
            yield invalid(here, path, "can only be set when AppArmor type is Localhost")
    elif not path:
        yield required(here, "must be set when AppArmor type is Localhost")
    elif path != path.strip():
        yield invalid(here, path, "must not be padded with whitespace")


def _of_profile(profile: Mapping[str, Any], field: str) -> Iterator[Cause]:
    kind, path = profile.get("type", ""), profile.get("localhostProfile")
    yield from one_of(f"{field}.type", kind, _PROFILES)
    if kind == "Localhost" and not path:
        yield required(f"{field}.localhostProfile", "must be set when seccomp type is Localhost")
    elif kind != "Localhost" and path is not None:
        shown = as_server("SeccompProfile", profile)
        yield invalid(f"{field}.localhostProfile", shown, "can only be set when seccomp type is Localhost")


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
    for index, search in enumerate((config or {}).get("searches") or ()):
        name = search.removesuffix(".")
        yield from each_invalid(f"{field}.searches[{index}]", name, name and subdomain_with_underscores(name))
    for index, option in enumerate((config or {}).get("options") or ()):
        if not option.get("name"):
            yield required(f"{field}.options[{index}]", "must not be empty")


def _of_alias(alias: Mapping[str, Any], field: str) -> Iterator[Cause]:
    address = alias.get("ip", "")
    if not is_address(address):
        yield invalid(f"{field}.ip", address, _ADDRESS)
    for index, name in enumerate(alias.get("hostnames") or ()):
        yield from (invalid(f"{field}.hostnames[{index}]", name, each) for each in subdomain_name(name))
