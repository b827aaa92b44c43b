"""Query parameters, and what is wrong with them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import msgspec

from btcctl.apiserver import statuses
from btcctl.apiserver.messages import ApiRequest
from btcctl.apiserver.statuses import Cause, StatusError

MAX_MANAGER_BYTES = 128  # FieldManagerMaxLength in apimachinery
_MATCHES = ("Exact", "NotOlderThan", "")
_POLICIES = ("Foreground", "Background", "Orphan")


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Of a list or a watch."""

    version: int | None  #: resourceVersion; None if unset
    exact: bool = False  #: resourceVersionMatch=Exact
    limit: int = 0  #: 0 for no limit
    continue_token: str = ""
    label_selector: str = ""
    field_selector: str = ""
    bookmarks: bool = False
    initial_events: bool | None = None  #: sendInitialEvents
    timeout_seconds: int = 0  #: 0 for the server's own choice


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


def list_options(request: ApiRequest, *, watch: bool) -> ListOptions:
    """
    Raises:
        StatusError: They contradict each other or cannot be read.
    """
    version_text, match = request.option("resourceVersion"), request.option("resourceVersionMatch")
    initial = _boolean(request, "sendInitialEvents")
    options = ListOptions(
        _version(version_text, watch=watch),
        match == "Exact",
        max(0, _integer(request.option("limit"))),
        request.option("continue"),
        request.option("labelSelector"),
        request.option("fieldSelector"),
        bool(_boolean(request, "allowWatchBookmarks")),
        initial,
        max(0, _integer(request.option("timeoutSeconds"))),
    )
    if watch:
        _check_watch(match, initial)
    else:
        _check_list(options, version_text, match)
    return options


def write_options(request: ApiRequest, kind: str) -> WriteOptions:
    """
    Args:
        kind: What errors call them: CreateOptions, UpdateOptions or PatchOptions.
    """
    validation = request.option("fieldValidation")
    if validation not in {"", "Ignore", "Strict", "Warn"}:
        supported = ("", "Ignore", "Strict", "Warn")
        raise statuses.invalid_option(kind, _unsupported("fieldValidation", f'"{validation}"', supported))
    manager = request.option("fieldManager")
    if len(manager.encode(errors="replace")) > MAX_MANAGER_BYTES:
        message = "Too long: may not be more than 128 bytes"
        raise statuses.invalid_option(kind, Cause("FieldValueTooLong", message, "fieldManager"))
    force = bool(_boolean(request, "force"))
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
        orphan = _boolean(request, "orphanDependents")
    if policy and orphan is not None:
        message = f'Invalid value: "{policy}": orphanDependents and deletionPropagation cannot be both set'
        raise statuses.invalid_option("DeleteOptions", Cause("FieldValueInvalid", message, "propagationPolicy"))
    if policy and policy not in _POLICIES:
        cause = _unsupported("propagationPolicy", f'"{policy}"', (*_POLICIES, "nil"))
        raise statuses.invalid_option("DeleteOptions", cause)
    if orphan is not None:
        policy = "Orphan" if orphan else "Background"
    grace = body.get("gracePeriodSeconds")
    if grace is None and request.option("gracePeriodSeconds"):
        grace = _integer(request.option("gracePeriodSeconds"))
    preconditions = body.get("preconditions") or {}
    return DeleteOptions(
        _dry_run(body.get("dryRun") or request.query.get("dryRun", []), "DeleteOptions"),
        policy,
        grace,
        preconditions.get("uid") or "",
        preconditions.get("resourceVersion") or "",
    )


def encode_continue(revision: int, path: str) -> str:
    """A token for what comes after `path` in the snapshot of `revision`."""
    token = msgspec.json.encode({"v": "meta.k8s.io/v1", "rv": revision, "start": f"{path}\0"})
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()


def decode_continue(token: str) -> tuple[int, str]:
    """The revision (-1 for the latest) and where to go on.

    Raises:
        StatusError: It is no token of ours.
    """
    try:
        decoded = msgspec.json.decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(decoded["rv"]), str(decoded["start"])
    except (binascii.Error, msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise statuses.bad_request(f"invalid continue token: continue key is not valid: {error}") from error


def parse_version(text: str) -> int | None:
    """A resourceVersion of a GET or a list; None if it is unset.

    Raises:
        StatusError: It is no number.
    """
    return _version(text, watch=False)


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


def _version(text: str, *, watch: bool) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()):
        why = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise statuses.internal(why) if watch else statuses.bad_request(f"invalid resource version: {why}")
    return int(text)


def _integer(text: str) -> int:
    if not text:
        return 0
    try:
        return int(text)
    except ValueError as error:
        raise statuses.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from error


def _boolean(request: ApiRequest, name: str) -> bool | None:
    """Anything but 0 and false is true, as apimachinery converts query parameters."""
    if name not in request.query:
        return None
    return request.option(name).lower() not in {"0", "false"}


def _check_list(options: ListOptions, version: str, match: str) -> None:
    if options.initial_events is not None:
        raise _forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")
    if match and options.continue_token:
        raise _forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided")
    if match and not version:
        raise _forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided")
    if match not in _MATCHES:
        supported = _unsupported("resourceVersionMatch", f'"{match}"', _MATCHES)
        raise statuses.invalid_option("ListOptions", supported)
    if match == "Exact" and version == "0":
        message = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        raise _forbidden("resourceVersionMatch", message)
    if options.continue_token and version not in {"", "0"}:
        raise statuses.bad_request("specifying resource version is not allowed when using continue")


def _check_watch(match: str, initial: bool | None) -> None:
    if initial is None and match:
        message = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        raise _forbidden("resourceVersionMatch", message)
    if initial is not None and not match:
        message = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        raise _forbidden("resourceVersionMatch", message)
    if initial is not None and match != "NotOlderThan":
        supported = _unsupported("resourceVersionMatch", f'"{match}"', ("NotOlderThan",))
        raise statuses.invalid_option("ListOptions", supported)


def _forbidden(field: str, message: str) -> StatusError:
    return statuses.invalid_option("ListOptions", Cause("FieldValueForbidden", f"Forbidden: {message}", field))


def _unsupported(field: str, value: str, supported: tuple[str, ...]) -> Cause:
    listed = ", ".join(f'"{each}"' for each in supported)
    return Cause("FieldValueNotSupported", f"Unsupported value: {value}: supported values: {listed}", field)


def _dry_run(values: list[str], kind: str) -> bool:
    if any(value != "All" for value in values):
        listed = " ".join(f'"{value}"' for value in values)
        raise statuses.invalid_option(kind, _unsupported("dryRun", f"[{listed}]", ("All",)))
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
