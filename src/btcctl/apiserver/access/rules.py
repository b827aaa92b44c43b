"""What a rule of a role allows, and whether rules cover others.

Source: pkg/apis/rbac/v1/evaluation_helpers.go of kubernetes 1.36, and k8s.io/component-helpers/auth/rbac/validation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from btcctl.apiserver.machinery.gofmt import quoted
from btcctl.apiserver.requests.messages import RequestAttributes

Rule = Mapping[str, Any]
_SHOWN = {
    "apiGroups": "APIGroups",
    "resources": "Resources",
    "nonResourceURLs": "NonResourceURLs",
    "resourceNames": "ResourceNames",
    "verbs": "Verbs",
}


def allows(rule: Rule, attributes: RequestAttributes) -> bool:
    """Whether one rule allows a request."""
    if not _has(rule.get("verbs"), attributes.verb):
        return False
    if attributes.path:
        return any(url == "*" or _leads_to(url, attributes.path) for url in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames")
    return (
        _has(rule.get("apiGroups"), attributes.group)
        and any(_means(each, attributes.resource, attributes.subresource) for each in rule.get("resources") or ())
        and (not names or attributes.name in names)
    )


def uncovered(owned: Iterable[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """What of the wanted rules the owned ones do not allow, rules of one resource joined."""
    known = list(owned)
    missing = [each for rule in wanted for each in _broken_down(rule) if not any(_covers(own, each) for own in known)]
    return _compact(missing)


def shown(rule: Rule) -> str:
    """A rule as errors show it."""
    parts = [f"{word}:{shown_list(rule[name])}" for name, word in _SHOWN.items() if rule.get(name)]
    return f"{{{', '.join(parts)}}}"


def shown_list(texts: Iterable[str]) -> str:
    """Texts as Go prints a slice of them, quoted."""
    return f"[{' '.join(quoted(each) for each in texts)}]"


def _has(values: Iterable[str] | None, wanted: str) -> bool:
    return any(each in {"*", wanted} for each in values or ())


def _means(named: str, resource: str, subresource: str) -> bool:
    whole = f"{resource}/{subresource}" if subresource else resource
    return named in {"*", whole} or bool(subresource and named == f"*/{subresource}")


def _leads_to(url: str, path: str) -> bool:
    return url == path or (url.endswith("*") and path.startswith(url.rstrip("*")))


def _broken_down(rule: Rule) -> Iterator[Rule]:
    """Rules of one verb, and one resource or URL each."""
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in rule.get("verbs") or ():
                one = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
                names = rule.get("resourceNames") or ()
                yield from ({**one, "resourceNames": [name]} for name in names) if names else [one]
    for url in rule.get("nonResourceURLs") or ():
        yield from ({"nonResourceURLs": [url], "verbs": [verb]} for verb in rule.get("verbs") or ())


def _covers(own: Rule, one: Rule) -> bool:
    """Whether a rule allows all that one of those broken down does."""
    names, own_names = one.get("resourceNames") or (), own.get("resourceNames") or ()
    return (
        _has_all(own.get("verbs"), one["verbs"])
        and _has_all(own.get("apiGroups"), one.get("apiGroups") or ())
        and all(_covers_resource(own.get("resources") or (), each) for each in one.get("resources") or ())
        and all(
            any(_leads_to(url, each) for url in own.get("nonResourceURLs") or ())
            for each in one.get("nonResourceURLs") or ()
        )
        and (not own_names or (bool(names) and set(names) <= set(own_names)))
    )


def _has_all(values: Iterable[str] | None, wanted: Iterable[str]) -> bool:
    known = set(values or ())
    return "*" in known or set(wanted) <= known


def _covers_resource(owned: Iterable[str], wanted: str) -> bool:
    _, slash, subresource = wanted.partition("/")
    return any(each in {"*", wanted} or (bool(slash) and each == f"*/{subresource}") for each in owned)


def _compact(rules: Iterable[Rule]) -> list[Rule]:
    joined: dict[tuple[Any, ...], dict[str, Any]] = {}
    for rule in rules:
        key = tuple((name, *rule.get(name, ())) for name in _SHOWN if name != "verbs" and rule.get(name))
        if "nonResourceURLs" in rule:
            key = (*key, *rule["verbs"])
        found = joined.setdefault(key, {**rule, "verbs": []})
        found["verbs"] = [*found["verbs"], *rule["verbs"]]
    return list(joined.values())
