"""What a CustomResourceDefinition may say of the conversion of its objects.

A server keeps it in another shape than it is written in, and speaks of it so: `webhookClientConfig`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.kinds.admission.webhooks import check_client, check_review_versions
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import forbidden, required

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
    yield from check_review_versions(known, versions)
