"""The rules of when a Job's failures and successes count. Source: ValidateJobSpec of kubernetes 1.36."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import duplicate, invalid, not_negative, required, unsupported
from btcctl.apiserver.machinery.gofmt import quoted
from btcctl.apiserver.machinery.names import qualified_name

_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_STATUSES = ("False", "True", "Unknown")
_INDEXED = "requires indexed completion mode"


def check_policies(spec: Mapping[str, Any]) -> Iterator[Cause]:
    failures, successes = spec.get("podFailurePolicy"), spec.get("successPolicy")
    if failures is not None:
        names = {
            each.get("name")
            for name in ("containers", "initContainers")
            for each in spec["template"]["spec"].get(name) or ()
        }
        for index, rule in enumerate(failures.get("rules") or ()):
            yield from _of_failure(rule, spec, names, f"spec.podFailurePolicy.rules[{index}]")
    if successes is None:
        return
    rules = successes.get("rules") or []
    if spec["completionMode"] != "Indexed":
        shown = [
            {"SucceededIndexes": each.get("succeededIndexes"), "SucceededCount": each.get("succeededCount")}
            for each in rules
        ]
        yield invalid("spec.successPolicy", {"Rules": shown}, _INDEXED)
        return
    if not rules:
        why = "at least one rules must be specified when the successPolicy is specified"
        yield required("spec.successPolicy.rules", why)
    for index, rule in enumerate(rules):
        yield from _of_success(rule, spec.get("completions") or 0, f"spec.successPolicy.rules[{index}]")


def _of_failure(rule: Mapping[str, Any], spec: Mapping[str, Any], names: set[Any], field: str) -> Iterator[Cause]:
    action, codes, conditions = rule.get("action") or "", rule.get("onExitCodes"), rule.get("onPodConditions") or []
    if action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
        yield invalid(f"{field}.action", action, "requires the backoffLimitPerIndex to be set")
    yield from _known(action, _ACTIONS, f"{field}.action")
    if codes is not None:
        yield from _of_codes(codes, names, f"{field}.onExitCodes")
    for index, condition in enumerate(conditions):
        here = f"{field}.onPodConditions[{index}]"
        yield from qualified_name(f"{here}.type", condition.get("type") or "")
        yield from _known(condition.get("status") or "", _STATUSES, f"{here}.status")
    if codes is not None and conditions:
        why = "specifying both OnExitCodes and OnPodConditions is not supported"
        yield Cause("FieldValueInvalid", f"Invalid value: {why}", field)
    if codes is None and not conditions:
        why = "specifying one of OnExitCodes and OnPodConditions is required"
        yield Cause("FieldValueInvalid", f"Invalid value: {why}", field)


def _of_codes(codes: Mapping[str, Any], names: set[Any], field: str) -> Iterator[Cause]:
    operator, container, values = codes.get("operator") or "", codes.get("containerName"), codes.get("values") or []
    yield from _known(operator, _OPERATORS, f"{field}.operator")
    if container is not None and container not in names:
        why = "must be one of the container or initContainer names in the pod template"
        yield invalid(f"{field}.containerName", container, why)
    if not values:
        yield invalid(f"{field}.values", codes.get("values"), "at least one value is required")
    seen = set()
    for index, value in enumerate(values):
        if operator == "In" and value == 0:
            yield invalid(f"{field}.values[{index}]", value, "must not be 0 for the In operator")
        if value in seen:
            yield duplicate(f"{field}.values[{index}]", value)
        seen.add(value)
    if values != sorted(values):
        yield invalid(f"{field}.values", values, "must be ordered")


def _of_success(rule: Mapping[str, Any], completions: int, field: str) -> Iterator[Cause]:
    count = rule.get("succeededCount")
    if count is None and rule.get("succeededIndexes") is None:
        yield required(field, "at least one of succeededCount or succeededIndexes must be specified")
    yield from not_negative(f"{field}.succeededCount", count)
    if count is not None and count > completions:
        why = f"must be less than or equal to {completions} (the number of specified completions)"
        yield invalid(f"{field}.succeededCount", count, why)


def _known(value: str, known: tuple[str, ...], field: str) -> list[Cause]:
    if not value:
        return [required(field, f"valid values: [{' '.join(map(quoted, known))}]")]
    return [] if value in known else [unsupported(field, value, known)]
