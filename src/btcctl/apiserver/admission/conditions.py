"""The matchConditions of a webhook or a policy.

Source: k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions, v0.36.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from btcctl.apiserver.admission.attributes import Attributes
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.storage.store import Store
from btcctl.resources import ResourceType


class Conditions:
    """All that must be true for a webhook to be called.

    Args:
        fails: Whether a condition that has no value fails the request; else the webhook is not called.
    """

    def __init__(self, sources: Sequence[Mapping[str, Any]], *, fails: bool) -> None:
        self._fails = fails
        self._expressions = []
        if sources:
            cel = importlib.import_module("btcctl.apiserver.schemas.cel.conditions")  # late: most have none
            self._expressions = [cel.compile_text(each["expression"].strip()) for each in sources]

    def hold(self, attributes: Attributes, resource: ResourceType, kind: ResourceType, _: Store) -> bool:
        """
        Raises:
            StatusError: One has no value.
        """
        if not self._expressions:
            return True
        scope = scope_of(attributes, resource, kind)
        problems = evaluate(self._expressions, scope)
        if problems is None:
            return False
        if problems and self._fails:
            why = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
            raise errors.forbidden(attributes.resource, attributes.name, why)
        return not problems


def scope_of(attributes: Attributes, resource: ResourceType, kind: ResourceType) -> dict[str, Any]:
    """The variables that expressions about a request know."""
    request = attributes.request(resource, kind)
    return {"object": attributes.obj, "oldObject": attributes.old, "request": request, "namespaceObject": None}


def evaluate(expressions: Sequence[Any], scope: Mapping[str, Any]) -> list[str] | None:
    """What is wrong with conditions that have no value; None if one is false, whatever the others are."""
    cel = importlib.import_module("btcctl.apiserver.schemas.cel.conditions")
    data = importlib.import_module("btcctl.apiserver.schemas.cel.data")
    budget, problems = data.Budget(cel.CONDITIONS_COST), []
    for each in expressions:
        try:
            if each.value(scope, budget) is False:
                return None
        except cel.OutOfBudget as error:
            return [str(error)]
        except data.EvaluationError as error:
            problems.append(str(error))
    return list(dict.fromkeys(problems))
