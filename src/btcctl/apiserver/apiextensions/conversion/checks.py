"""What a CustomResourceDefinition may say of the conversion of its objects.

A server keeps it in another shape than it is written in, and speaks of it so: `webhookClientConfig`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from btcctl.apiserver.kinds.admission.webhooks import check_client
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import each_invalid, forbidden, invalid, required
from btcctl.apiserver.machinery.names import service_name

_VERSIONS = ("v1", "v1beta1")
_FIELD = "spec.conversion"
_NOT_SET = "should not be set when strategy is not set to Webhook"


def check(conversion: Mapping[str, Any]) -> Iterator[Cause]:
    """What is wrong with it, its strategy apart."""
    webhook = conversion.get("webhook") or {}
    client, known = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or ()
    place, versions = f"{_FIELD}.webhookClientConfig", f"{_FIELD}.conversionReviewVersions"
    if conversion.get("strategy") != "Webhook":
        if client is not None:
            yield forbidden(place, _NOT_SET)
        if known:
            yield forbidden(versions, _NOT_SET)
        return
    if client is None:
        yield required(place, "required when strategy is set to Webhook")
    else:
        yield from check_client(client, place)
    yield from _check_versions(known, versions)


def _check_versions(known: Sequence[str], field: str) -> Iterator[Cause]:
    if not known:
        yield required(field)
        return
    seen: set[str] = set()
    for index, each in enumerate(known):
        if each in seen:
            yield invalid(f"{field}[{index}]", each, "duplicate version")
            continue
        seen.add(each)
        yield from each_invalid(f"{field}[{index}]", each, service_name(each))
    if seen.isdisjoint(_VERSIONS):
        yield invalid(field, known, f"must include at least one of {', '.join(_VERSIONS)}")
