"""The rules of a pod's volumes, and of how containers mount them. Source: ValidateVolumes of kubernetes 1.36."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from btcctl.apiserver.kinds.claims import check_claim_spec
from btcctl.apiserver.kinds.pods.variables import OF_A_FILE, check_amount, check_field
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import (
    duplicate,
    each_invalid,
    forbidden,
    invalid,
    not_found,
    required,
    too_long,
    unsupported,
)
from btcctl.apiserver.machinery.names import label_name, subdomain_name
from btcctl.apiserver.machinery.quantities import parse_quantity

Source = Mapping[str, Any]
_MOST_MODE = 0o777
_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_ORDER = ("emptyDir", "hostPath", "secret", "persistentVolumeClaim", "downwardAPI", "configMap", "projected")
_HOST_PATHS = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
_LEAST_TOKEN_SECONDS, _MOST_TOKEN_SECONDS = 600, 2**32
_LONGEST_DRIVER = 63
_PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
_RECURSIONS = ("Disabled", "Enabled", "IfPossible")


def check_volumes(volumes: list[Any], field: str) -> tuple[list[Cause], set[str]]:
    """What is wrong with volumes, and the names of those with which nothing is."""
    causes: list[Cause] = []
    names: set[str] = set()
    for index, volume in enumerate(volumes):
        found = _check_volume(volume, f"{field}[{index}]", names)
        causes += found
        if not found:
            names.add(volume["name"])
    return causes, names


def check_mounts(container: Mapping[str, Any], field: str, volumes: set[str]) -> list[Cause]:
    """What is wrong with a container's mounts.

    Args:
        volumes: The names of what may be mounted.
    """
    causes, seen = [], set()
    is_privileged = (container.get("securityContext") or {}).get("privileged") is True
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        here, name, path = f"{field}[{index}]", mount.get("name", ""), mount.get("mountPath", "")
        causes += [] if name else [required(f"{here}.name")]
        causes += [] if name in volumes else [not_found(f"{here}.name", name)]
        causes += [] if path else [required(f"{here}.mountPath")]
        causes += [invalid(f"{here}.mountPath", path, "must be unique")] if path in seen else []
        seen.add(path)
        below, expanded = mount.get("subPath") or "", mount.get("subPathExpr") or ""
        causes += _check_below(below, f"{field}.subPath")
        if below and expanded:
            causes.append(invalid(f"{here}.subPathExpr", expanded, "subPathExpr and subPath are mutually exclusive"))
        causes += _check_below(expanded, f"{field}.subPathExpr")
        causes += _check_propagation(mount, field, is_privileged=is_privileged)
    return causes


def _check_propagation(mount: Mapping[str, Any], field: str, *, is_privileged: bool) -> Iterator[Cause]:
    mode, recursion = mount.get("mountPropagation"), mount.get("recursiveReadOnly")
    if mode is not None and mode not in _PROPAGATIONS:
        yield unsupported(f"{field}.mountPropagation", mode, _PROPAGATIONS)
    if mode == "Bidirectional" and not is_privileged:
        why = "Bidirectional mount propagation is available only to privileged containers"
        yield forbidden(f"{field}.mountPropagation", why)
    if recursion is not None and recursion not in _RECURSIONS:
        yield unsupported(f"{field}.recursiveReadOnly", recursion, _RECURSIONS)
    elif recursion not in {None, "Disabled"}:
        if not mount.get("readOnly"):
            yield forbidden(f"{field}.recursiveReadOnly", "may only be specified when readOnly is true")
        if mode not in {None, "None"}:
            why = "may only be specified when mountPropagation is None or not specified"
            yield forbidden(f"{field}.recursiveReadOnly", why)


def _check_volume(volume: Source, field: str, names: set[str]) -> list[Cause]:
    name = volume.get("name", "")
    causes = _check_sources(volume, field)
    causes += each_invalid(f"{field}.name", name, label_name(name)) if name else [required(f"{field}.name")]
    return causes + ([duplicate(f"{field}.name", name)] if name in names else [])


def _check_sources(volume: Source, field: str) -> list[Cause]:
    given = [kind for kind in volume if kind != "name" and volume[kind] is not None]
    given.sort(key=lambda kind: _ORDER.index(kind) if kind in _ORDER else len(_ORDER))
    if not given:
        return []
    first, rules = f"{field}.{given[0]}", _RULES.get(given[0])
    causes = [] if rules is None else [*rules(volume[given[0]], first)]
    return causes + [forbidden(f"{field}.{kind}", "may not specify more than 1 volume type") for kind in given[1:]]


def _of_directory(source: Source, field: str) -> Iterator[Cause]:
    limit = source.get("sizeLimit")
    if limit is not None and parse_quantity(limit).amount < 0:
        yield forbidden(f"{field}.sizeLimit", "SizeLimit field must be a valid resource quantity")


def _of_host_path(source: Source, field: str) -> Iterator[Cause]:
    path, kind = source.get("path"), source.get("type")
    if not path:
        yield required(f"{field}.path")
        return
    yield from _check_steps(path, f"{field}.path")
    if kind is not None and kind not in _HOST_PATHS:
        yield unsupported(f"{field}.type", kind, _HOST_PATHS)


def _of_keys(named: str) -> Callable[[Source, str], Iterator[Cause]]:
    def check(source: Source, field: str) -> Iterator[Cause]:
        if not source.get(named):
            yield required(f"{field}.{named}")
        yield from _check_mode(source, f"{field}.defaultMode", "defaultMode")
        for index, item in enumerate(source.get("items") or ()):
            yield from _check_item(item, f"{field}.items[{index}]")

    return check


def _check_item(item: Source, field: str) -> Iterator[Cause]:
    yield from (required(f"{field}.{name}") for name in ("key", "path") if not item.get(name))
    yield from _check_local(item.get("path") or "", f"{field}.path")
    yield from _check_mode(item, f"{field}.mode", "mode")


def _of_claim(source: Source, field: str) -> Iterator[Cause]:
    if not source.get("claimName"):
        yield required(f"{field}.claimName")


def _of_downward(source: Source, field: str) -> Iterator[Cause]:
    yield from _check_mode(source, f"{field}.defaultMode", "defaultMode")
    for item in source.get("items") or ():
        yield from _check_file(item, field)


def _check_file(item: Source, field: str) -> Iterator[Cause]:
    """What is wrong with a file of the downward API; its place in the list is not told."""
    path, told, amount = item.get("path") or "", item.get("fieldRef"), item.get("resourceFieldRef")
    if not path:
        yield required(f"{field}.path")
    yield from _check_local(path, f"{field}.path")
    if told is not None:
        yield from check_field(told, f"{field}.fieldRef", OF_A_FILE)
        if amount is not None:
            yield invalid(field, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
    elif amount is not None:
        yield from check_amount(amount, f"{field}.resourceFieldRef", names_container=True)
    else:
        yield required(field, "one of fieldRef and resourceFieldRef is required")
    yield from _check_mode(item, f"{field}.mode", "mode")


def _of_projected(source: Source, field: str) -> Iterator[Cause]:
    yield from _check_mode(source, f"{field}.defaultMode", "defaultMode")
    paths: set[str] = set()
    for index, each in enumerate(source.get("sources") or ()):
        here = f"{field}.sources[{index}]"
        given = [kind for kind in each if each[kind] is not None]
        for kind in ("secret", "configMap", "downwardAPI"):
            if kind in given:
                yield from _PROJECTED[kind](each[kind], f"{here}.{kind}")
                shown = None if kind == "downwardAPI" else each[kind].get("name") or ""
                yield from _check_conflicts(each[kind], field, paths, shown)
        if "serviceAccountToken" in given:
            yield from _check_token(each["serviceAccountToken"], field, f"{here}.serviceAccountToken")
        if len(given) > 1:
            yield forbidden(here, "may not specify more than 1 volume type per source")


def _check_conflicts(source: Source, field: str, paths: set[str], shown: str | None) -> Iterator[Cause]:
    """Files that two sources have; it is told of the source's name, or of the path.

    Args:
        paths: What is taken; these are added.
    """
    for item in source.get("items") or ():
        path = item.get("path")
        if path in paths:
            yield invalid(field, path if shown is None else shown, "conflicting duplicate paths")
        elif path:
            paths.add(path)


def _check_token(source: Source, volume: str, field: str) -> Iterator[Cause]:
    seconds, path = source.get("expirationSeconds", _LEAST_TOKEN_SECONDS), source.get("path")
    if seconds < _LEAST_TOKEN_SECONDS:
        why = "may not specify a duration less than 10 minutes"
        yield invalid(f"{field}.expirationSeconds", seconds, why)
    if seconds > _MOST_TOKEN_SECONDS:
        why = "may not specify a duration larger than 2^32 seconds"
        yield invalid(f"{field}.expirationSeconds", seconds, why)
    if not path:
        yield required(f"{volume}.path")
    else:
        yield from _check_local(path, f"{volume}.path")


def _of_driver(source: Source, field: str) -> Iterator[Cause]:
    driver, secret = source.get("driver") or "", source.get("nodePublishSecretRef")
    if not driver:
        yield required(f"{field}.driver")
    else:
        if len(driver) > _LONGEST_DRIVER:
            yield too_long(f"{field}.driver", _LONGEST_DRIVER)
        yield from each_invalid(f"{field}.driver", driver, subdomain_name(driver.lower()))
    if secret is not None and not secret.get("name"):
        yield required(f"{field}.nodePublishSecretRef.name")


def _of_nfs(source: Source, field: str) -> Iterator[Cause]:
    path = source.get("path") or ""
    yield from (required(f"{field}.{name}") for name in ("server", "path") if not source.get(name))
    if not path.startswith("/"):
        yield invalid(f"{field}.path", path, "must be an absolute path")


def _of_ephemeral(source: Source, field: str) -> Iterator[Cause]:
    template = source.get("volumeClaimTemplate")
    if template is None:
        yield required(f"{field}.volumeClaimTemplate")
    else:
        yield from check_claim_spec(template.get("spec") or {}, f"{field}.volumeClaimTemplate.spec")


_PROJECTED = {"secret": _of_keys("name"), "configMap": _of_keys("name"), "downwardAPI": _of_downward}
_RULES: Mapping[str, Callable[[Source, str], Iterator[Cause]]] = {
    "emptyDir": _of_directory,
    "hostPath": _of_host_path,
    "secret": _of_keys("secretName"),
    "configMap": _of_keys("name"),
    "persistentVolumeClaim": _of_claim,
    "downwardAPI": _of_downward,
    "projected": _of_projected,
    "csi": _of_driver,
    "nfs": _of_nfs,
    "ephemeral": _of_ephemeral,
}


def _check_mode(source: Source, field: str, name: str) -> list[Cause]:
    mode = source.get(name)
    return [] if mode is None or 0 <= mode <= _MOST_MODE else [invalid(field, mode, _MODE)]


def _check_below(path: str, field: str) -> list[Cause]:
    causes = [invalid(field, path, "must be a relative path")] if path.startswith("/") else []
    return causes + _check_steps(path, field)


def _check_local(path: str, field: str) -> list[Cause]:
    causes = _check_below(path, field)
    if path.startswith("..") and not path.startswith("../") and path != "..":
        causes.append(invalid(field, path, "must not start with '..'"))
    return causes


def _check_steps(path: str, field: str) -> list[Cause]:
    return [invalid(field, path, "must not contain '..'")] if ".." in path.split("/") else []
