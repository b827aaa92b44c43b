"""The rules of webhook configurations. Source: validateValidatingWebhook and the like of kubernetes 1.36."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from btcctl.apiserver.kinds.admission import expressions
from btcctl.apiserver.kinds.admission.matching import (
    FAILURE_POLICIES,
    MATCH_POLICIES,
    REINVOCATIONS,
    check_conditions,
    check_rule,
    check_selectors,
)
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import duplicate, each_invalid, invalid, required, unsupported
from btcctl.apiserver.machinery.names import service_name, subdomain_name
from btcctl.apiserver.storage.collection import Body

_REVIEW_VERSIONS = ("v1", "v1beta1")
_SIDE_EFFECTS = ("None", "NoneOnDryRun")
_SECONDS = (1, 30)
_MOST_PORT = 65535
_FORM = "; desired format: https://host[/path]"


def check_configuration(body: Body) -> list[Cause]:
    """Of either kind: what only mutating webhooks have is not there in others."""
    seen: set[str] = set()
    causes = []
    for index, hook in enumerate(body.get("webhooks") or ()):
        field, name = f"webhooks[{index}]", hook.get("name") or ""
        causes += list(_check_hook(hook, field))
        known, one_of = hook.get("admissionReviewVersions") or (), f"must specify one of {', '.join(_REVIEW_VERSIONS)}"
        causes += list(check_review_versions(known, f"{field}.admissionReviewVersions", one_of))
        if name and name in seen:
            causes.append(duplicate(f"{field}.name", name))
        seen.add(name)
    return causes


def check_client(client: Mapping[str, Any], field: str) -> Iterator[Cause]:
    """Of a clientConfig: how a webhook is reached."""
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        yield required(field, "exactly one of url or service is required")
    elif url is not None:
        yield from _check_url(url, f"{field}.url")
    else:
        yield from _check_service(service or {}, f"{field}.service")


def _check_hook(hook: Mapping[str, Any], field: str) -> Iterator[Cause]:
    yield from _check_name(hook.get("name") or "", f"{field}.name")
    for index, rule in enumerate(hook.get("rules") or ()):
        yield from check_rule(rule, f"{field}.rules[{index}]")
    for name, known in (("failurePolicy", FAILURE_POLICIES), ("matchPolicy", MATCH_POLICIES)):
        if hook.get(name) is not None and hook[name] not in known:
            yield unsupported(f"{field}.{name}", hook[name], known)
    effects, seconds = hook.get("sideEffects"), hook.get("timeoutSeconds")
    if effects is None:
        yield required(f"{field}.sideEffects", f"must specify one of {', '.join(_SIDE_EFFECTS)}")
    elif effects not in _SIDE_EFFECTS:
        yield unsupported(f"{field}.sideEffects", effects, _SIDE_EFFECTS)
    if seconds is not None and not _SECONDS[0] <= seconds <= _SECONDS[1]:
        yield invalid(f"{field}.timeoutSeconds", seconds, "the timeout value must be between 1 and 30 seconds")
    yield from check_selectors(hook, field)
    again = hook.get("reinvocationPolicy")
    if again is not None and again not in REINVOCATIONS:
        yield unsupported(f"{field}.reinvocationPolicy", again, REINVOCATIONS)
    yield from check_client(hook["clientConfig"], f"{field}.clientConfig")
    yield from check_conditions(hook.get("matchConditions") or (), f"{field}.matchConditions", expressions.condition)


def _check_name(name: str, field: str) -> Iterator[Cause]:
    complaints = subdomain_name(name)
    if not name:
        yield required(field)
    elif complaints:
        yield invalid(field, name, ",".join(complaints))
    elif name.count(".") < 2:
        yield invalid(field, name, "should be a domain with at least three segments separated by dots")


def check_review_versions(versions: Sequence[str], field: str, if_none: str = "") -> Iterator[Cause]:
    """What is wrong with the versions of reviews that a webhook says it knows: one of ours must be among them.

    Args:
        if_none: What is said if there are none.
    """
    if not versions:
        yield required(field, if_none)
        return
    seen: set[str] = set()
    for index, each in enumerate(versions):
        if each in seen:
            yield invalid(f"{field}[{index}]", each, "duplicate version")
            continue
        seen.add(each)
        yield from each_invalid(f"{field}[{index}]", each, service_name(each))
    if seen.isdisjoint(_REVIEW_VERSIONS):
        yield invalid(field, versions, f"must include at least one of {', '.join(_REVIEW_VERSIONS)}")


def _check_url(url: str, field: str) -> Iterator[Cause]:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        yield required(field, f"url must be a valid URL: parse {url!r}: {error}{_FORM}")
        return
    if parts.scheme != "https":
        yield invalid(field, parts.scheme, f"'https' is the only allowed URL scheme{_FORM}")
    who, _, host = parts.netloc.rpartition("@")
    if not host:
        yield invalid(field, host, f"host must be specified{_FORM}")
    for part, what in (
        (who, "user information is not permitted in the URL"),
        (parts.fragment, "fragments are not permitted in the URL"),
        (parts.query, "query parameters are not permitted in the URL"),
    ):
        if part:
            yield invalid(field, part, what)


def _check_service(service: Mapping[str, Any], field: str) -> Iterator[Cause]:
    """A real server takes the name for the namespace here, and the reverse."""
    for name, other in (("name", "namespace"), ("namespace", "name")):
        if not service.get(other):
            yield required(f"{field}.{name}")
    port, path = service.get("port", 0), service.get("path") or ""
    if not 1 <= port <= _MOST_PORT:
        why = f"port is not valid: must be between 1 and {_MOST_PORT}, inclusive"
        yield invalid(f"{field}.port", port, why)
    if path == "//":
        yield invalid(f"{field}.path", path, "segment[0] may not be empty")
    elif path not in {"", "/"}:
        yield from _check_path(path, f"{field}.path")


def _check_path(path: str, field: str) -> Iterator[Cause]:
    if not path.startswith("/"):
        yield invalid(field, path, "must start with a '/'")
    for index, step in enumerate(path[1:].removesuffix("/").split("/")):
        if not step:
            yield invalid(field, path, f"segment[{index}] may not be empty")
        else:
            yield from each_invalid(field, path, [f"segment[{index}]: {each}" for each in subdomain_name(step)])
