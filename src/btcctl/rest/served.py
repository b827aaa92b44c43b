"""From a CustomResourceDefinition that a server has taken to a kind that it serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl.clock import SYSTEM_CLOCK, Clock, sleep
from btcctl.errors import ApiError, DeadlineExceeded, NotFound, ServiceUnavailable, TooManyRequests
from btcctl.resources import ResourceType
from btcctl.rest.client import ApiClient

SECONDS = 60.0
_POLL_SECONDS = 0.02


def wait_until_served(
    client: ApiClient, spec: Mapping[str, Any], *, seconds: float = SECONDS, clock: Clock = SYSTEM_CLOCK
) -> None:
    """Until every version that a definition serves can be listed, and found by who looks for a kind.

    The condition Established does not say so: a real server answers both a moment later, each when it has heard of it.

    Args:
        spec: Of the definition.

    Raises:
        DeadlineExceeded: Not in time.
        ApiError: The client may not list, or not find out.
    """
    deadline = clock.now() + seconds
    for type_ in (ResourceType.defined_by(spec, each["name"]) for each in spec["versions"] if each.get("served")):
        while (lack := _lack(client, type_)) is not None:
            if clock.now() > deadline:
                raise DeadlineExceeded(f"{type_} is defined, but not served after {seconds:g} s: {lack}")
            sleep(_POLL_SECONDS, clock)


def _lack(client: ApiClient, type_: ResourceType) -> ApiError | None:
    """Why it is not served yet."""
    try:
        client.resource(type_).list_page(resource_version="", limit=1)
        client.type_of(type_.api_version, type_.kind)
    except (NotFound, ServiceUnavailable, TooManyRequests) as error:
        return error
    return None
