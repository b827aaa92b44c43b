"""Containers that are added to a running pod to look into it: pods/ephemeralcontainers, as kubectl debug uses it.

Source: validateEphemeralContainers and ValidatePodEphemeralContainersUpdate of kubernetes 1.36.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl.apiserver.gotypes.internal import difference
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import forbidden
from btcctl.apiserver.storage.collection import Body

FIELD = "ephemeralContainers"


def with_debuggers(sent: Body, old: Body) -> dict[str, Any]:
    """The spec that such a write makes: these containers are all that it may change."""
    spec = {name: each for name, each in old["spec"].items() if name != FIELD}
    wanted = (sent.get("spec") or {}).get(FIELD)
    return {**spec, FIELD: wanted} if wanted else spec


def check_debuggers_update(new: Body, old: Body) -> list[Cause]:
    """Who is there stays, and stays as he is."""
    now: Mapping[str, Any] = {each.get("name"): each for each in new["spec"].get(FIELD) or ()}
    causes = []
    for each in old["spec"].get(FIELD) or ():
        name = each.get("name")
        if name not in now:
            causes.append(forbidden(f"spec.{FIELD}", f'existing ephemeral containers "{name}" may not be removed\n'))
        elif now[name] != each:
            why = f'existing ephemeral containers "{name}" may not be changed\n'
            causes.append(forbidden(f"spec.{FIELD}", why + difference("EphemeralContainer", each, now[name])))
    return causes


def check_template(spec: Mapping[str, Any], field: str) -> list[Cause]:
    return (
        [forbidden(f"{field}.{FIELD}", "ephemeral containers not allowed in pod template")] if spec.get(FIELD) else []
    )


def check_new_pod(body: Body) -> list[Cause]:
    causes = [forbidden(f"spec.{FIELD}", "cannot be set on create")] if body["spec"].get(FIELD) else []
    if body["spec"].get("schedulingGates") and body["spec"].get("nodeName"):
        causes.append(forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"))
    return causes
