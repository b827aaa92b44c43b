"""Which names of a CustomResourceDefinition are accepted: those no other of its group has, in a group one may use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import invalid
from btcctl.apiserver.machinery.gofmt import quoted
from btcctl.apiserver.storage.collection import Body

_NO_CONFLICTS = ("NamesAccepted", "True", "NoConflicts", "no conflicts found")
#: The names, the reason if one is taken, and whether it is taken by what names kinds.
_FIELDS = (
    ("plural", "PluralConflict", False),
    ("singular", "SingularConflict", False),
    ("shortNames", "ShortNamesConflict", False),
    ("kind", "KindConflict", True),
    ("listKind", "ListKindConflict", True),
)


APPROVED = "api-approved.kubernetes.io"
APPROVAL = "KubernetesAPIApprovalPolicyConformant"
_URL = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*://(?:[^\s/?%<>"\[\]]+|\[[0-9A-Fa-f:.]+\](?::\d*)?)(?:[/?].*)?')


class Condition(NamedTuple):
    """Of a definition's status."""

    type: str
    status: str
    reason: str
    message: str


class Verdict(NamedTuple):
    """What is accepted, and the condition NamesAccepted: type, status, reason, message."""

    names: dict[str, Any]
    condition: tuple[str, str, str, str]

    @property
    def is_accepted(self) -> bool:
        return self.condition == _NO_CONFLICTS


def judge(body: Body, others: Iterable[Body]) -> Verdict:
    """
    Args:
        others: The definitions that are there besides it.
    """
    wanted = body["spec"]["names"]
    before = (body.get("status") or {}).get("acceptedNames") or {}
    accepted: dict[str, Any] = {"plural": "", "kind": "", **before}
    if wanted.get("categories"):
        accepted["categories"] = wanted["categories"]
    resources, kinds = _taken(body["spec"]["group"], others)
    condition = _NO_CONFLICTS
    for field, reason, is_kind in _FIELDS:
        asked = wanted.get(field)
        complaints = _complaints(asked, before.get(field), kinds if is_kind else resources)
        if complaints:  # of several conflicts the last is reported
            message = complaints[0] if len(complaints) == 1 else f"[{', '.join(complaints)}]"
            condition = ("NamesAccepted", "False", reason, message)
        elif asked:
            accepted[field] = asked
        else:
            accepted.pop(field, None)
    return Verdict({key: accepted[key] for key in _ORDER if key in accepted}, condition)


_ORDER = ("plural", "singular", "shortNames", "kind", "listKind", "categories")


def _taken(group: str, others: Iterable[Body]) -> tuple[set[str], set[str]]:
    resources: set[str] = set()
    kinds: set[str] = set()
    for other in others:
        if other["spec"]["group"] == group:
            names: Mapping[str, Any] = (other.get("status") or {}).get("acceptedNames") or {}
            resources |= {names.get("plural", ""), names.get("singular", ""), *(names.get("shortNames") or ())}
            kinds |= {names.get("kind", ""), names.get("listKind", "")}
    return resources, kinds


def _complaints(asked: str | Sequence[str] | None, before: str | Sequence[str] | None, taken: set[str]) -> list[str]:
    new = [asked] if isinstance(asked, str) else asked or []
    old = [before] if isinstance(before, str) else before or []
    return [f"{quoted(each)} is already in use" for each in new if each not in old and each in taken]


def approval(body: Body) -> Condition | None:
    """What a group of Kubernetes' own says of its approval; None for any other group."""
    group = str(body["spec"].get("group") or "")
    if not f".{group}".endswith((".k8s.io", ".kubernetes.io")):
        return None
    said = (body["metadata"].get("annotations") or {}).get(APPROVED) or ""
    needs = f'protected groups must have approval annotation "{APPROVED}"'
    see = "see https://github.com/kubernetes/enhancements/pull/1111"
    if not said:
        return Condition(APPROVAL, "False", "MissingAnnotation", f"{needs}, {see}")
    if _URL.fullmatch(said):
        return Condition(APPROVAL, "True", "ApprovedAnnotation", f"approved in {said}")
    if said.startswith("unapproved"):
        return Condition(APPROVAL, "False", "UnapprovedAnnotation", f"not approved: {quoted(said)}")
    why = f'{needs} with either a URL or a reason starting with "unapproved", {see}'
    return Condition(APPROVAL, "False", "InvalidAnnotation", why)


def check_approval(body: Body, old: Body | None) -> list[Cause]:
    """An approval may stay as wrong as it was."""
    found = approval(body)
    was = approval(old) if old is not None else None
    if found is None or (was is not None and was.reason == found.reason):
        return []
    field = f"metadata.annotations[{APPROVED}]"
    if found.reason == "MissingAnnotation":
        return [Cause("FieldValueRequired", f"Required value: {found.message}", field)]
    if found.reason == "InvalidAnnotation":
        return [invalid(field, body["metadata"]["annotations"][APPROVED], found.message)]
    return []
