"""Query parameters, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from btcctl.apiserver import statuses
from btcctl.apiserver.messages import ApiRequest
from btcctl.apiserver.statuses import Cause

MAX_MANAGER_BYTES = 128  # FieldManagerMaxLength in apimachinery
_POLICIES = ("Foreground", "Background", "Orphan")


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """Of a create, an update or a patch."""

    dry_run: bool = False
    field_validation: str = "Warn"
    field_manager: str = ""
    force: bool = False
    manager: str = ""  #: who the fields belong to: the fieldManager, or who the User-Agent says
    is_apply: bool = False  #: the body says who owns what


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """Of a delete: from the body, else from the query."""

    dry_run: bool = False
    policy: str = ""  #: propagationPolicy; "" for the kind's own
    grace_seconds: int | None = None
    uid: str = ""
    version: str = ""


def write_options(request: ApiRequest, kind: str) -> WriteOptions:
    """
    Args:
        kind: What errors call them: CreateOptions, UpdateOptions or PatchOptions.
    """
    validation = request.option("fieldValidation")
    if validation not in {"", "Ignore", "Strict", "Warn"}:
        supported = ("", "Ignore", "Strict", "Warn")
        raise statuses.invalid_option(kind, unsupported("fieldValidation", f'"{validation}"', supported))
    manager = request.option("fieldManager")
    if len(manager.encode(errors="replace")) > MAX_MANAGER_BYTES:
        message = "Too long: may not be more than 128 bytes"
        raise statuses.invalid_option(kind, Cause("FieldValueTooLong", message, "fieldManager"))
    force = bool(boolean(request, "force"))
    who = manager or _agent(request.headers.get("user-agent", ""))
    return WriteOptions(_dry_run(request.query.get("dryRun", []), kind), validation or "Warn", manager, force, who)


def delete_options(request: ApiRequest) -> DeleteOptions:
    """
    Raises:
        StatusError: They contradict each other or cannot be read.
    """
    body = _delete_body(request)
    policy = body.get("propagationPolicy") or request.option("propagationPolicy")
    orphan = body.get("orphanDependents")
    if orphan is None:
        orphan = boolean(request, "orphanDependents")
    if policy and orphan is not None:
        message = f'Invalid value: "{policy}": orphanDependents and deletionPropagation cannot be both set'
        raise statuses.invalid_option("DeleteOptions", Cause("FieldValueInvalid", message, "propagationPolicy"))
    if policy and policy not in _POLICIES:
        cause = unsupported("propagationPolicy", f'"{policy}"', (*_POLICIES, "nil"))
        raise statuses.invalid_option("DeleteOptions", cause)
    if orphan is not None:
        policy = "Orphan" if orphan else "Background"
    grace = body.get("gracePeriodSeconds")
    if grace is None and request.option("gracePeriodSeconds"):
        grace = integer(request.option("gracePeriodSeconds"))
    preconditions = body.get("preconditions") or {}
    return DeleteOptions(
        _dry_run(body.get("dryRun") or request.query.get("dryRun", []), "DeleteOptions"),
        policy,
        grace,
        preconditions.get("uid") or "",
        preconditions.get("resourceVersion") or "",
    )


def _agent(user_agent: str) -> str:
    """The program's name: what comes before the first slash, cut so that it fits an entry."""
    name, size = "", 0
    text = user_agent.encode("latin-1", "replace").decode(errors="replace")  # headers are read as Latin-1
    for character in text.partition("/")[0]:
        size += len(character.encode(errors="replace")) if character.isprintable() else 0
        if size > MAX_MANAGER_BYTES:
            break
        name += character if character.isprintable() else ""
    return name


def integer(text: str) -> int:
    """
    Raises:
        StatusError: It is no number.
    """
    if not text:
        return 0
    try:
        return int(text)
    except ValueError as error:
        raise statuses.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from error


def boolean(request: ApiRequest, name: str) -> bool | None:
    """Anything but 0 and false is true, as apimachinery converts query parameters."""
    if name not in request.query:
        return None
    return request.option(name).lower() not in {"0", "false"}


def unsupported(field: str, value: str, supported: tuple[str, ...]) -> Cause:
    """What is wrong with a value that is none of a few."""
    listed = ", ".join(f'"{each}"' for each in supported)
    return Cause("FieldValueNotSupported", f"Unsupported value: {value}: supported values: {listed}", field)


def _dry_run(values: list[str], kind: str) -> bool:
    if any(value != "All" for value in values):
        listed = " ".join(f'"{value}"' for value in values)
        raise statuses.invalid_option(kind, unsupported("dryRun", f"[{listed}]", ("All",)))
    return bool(values)


def _delete_body(request: ApiRequest) -> dict[str, Any]:
    if not request.body:
        return {}
    try:
        body = msgspec.json.decode(request.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise statuses.bad_request(f"error decoding DeleteOptions: {error}") from error
    if not isinstance(body, dict):
        raise statuses.bad_request("error decoding DeleteOptions: not an object")
    return body
