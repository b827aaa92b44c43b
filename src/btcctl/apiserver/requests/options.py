"""Query parameters, and what is wrong with them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from btcctl import codecs
from btcctl.apiserver.gotypes import (
    TYPE_META,
    Misfit,
    decode,
    json_name,
    protobuf,
    syntax_problem,
    type_named,
    yaml_text,
)
from btcctl.apiserver.machinery import errors as statuses
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.gofmt import json_text, quoted
from btcctl.apiserver.machinery.integers import IntegerError, parse_int
from btcctl.apiserver.requests.messages import ApiRequest
from btcctl.apiserver.served.kind import Warn
from btcctl.apiserver.storage.collection import Body
from btcctl.resources import ResourceType

MAX_MANAGER_BYTES = 128  # FieldManagerMaxLength in apimachinery
_POLICIES = ("Foreground", "Background", "Orphan")
_DELETE_OPTIONS = "DeleteOptions"


class Renew(Protocol):
    """Makes an object, decoded and with its defaults, of JSON that something has patched."""

    def __call__(self, patched: dict[str, Any], /, *, is_strict: bool = False) -> dict[str, Any]:
        """
        Args:
            is_strict: Whether what the kind does not know is an error; else it is dropped.

        Raises:
            StatusError: It does not fit.
        """


class Gatekeeper(Protocol):
    """The admission of one request: see `admission.gate.Gate`, which is one."""

    def note_name(self, name: str) -> None:
        """The name that a client has given to a new object: "" if the server makes it up."""

    def mutated(self, type_: ResourceType, obj: Body, old: Body | None, renew: Renew) -> Body | None:
        """The object as everybody wants it, or None: it stays as it is."""

    def check(self, type_: ResourceType, operation: str, obj: Body | None, old: Body | None) -> None:
        """Whether everybody agrees to what is about to be written."""

    def check_deletion(self, type_: ResourceType, old: Body) -> None:
        """Whether everybody agrees to a deletion."""


class Rights(Protocol):
    """What a client may do that is not known before its request is understood. Both raise StatusError if he may not."""

    def check_creation(self) -> None:
        """Create an object by an update of one that there is not."""

    def check_grant(self, new: Body, old: Body | None) -> None:
        """Write a role or a binding like this."""


def _unheard(_: str) -> None:
    return None


class WriteOptions(msgspec.Struct, frozen=True):
    """Of a create, an update or a patch."""

    dry_run: bool = False
    field_validation: str = "Warn"
    field_manager: str = ""
    force: bool = False
    manager: str = ""  #: who the fields belong to: the fieldManager, or who the User-Agent says
    is_apply: bool = False  #: the body says who owns what
    gate: Gatekeeper | None = None  #: whom to ask before anything is written; None for nobody
    rights: Rights | None = None  #: what the client may do beyond what the request says; None for everything
    warn: Warn = _unheard  #: tells the client; of what the server writes itself nobody is told


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """Of a delete: from the body, or from the query if there is none.

    Attributes:
        policy: propagationPolicy; "" for the kind's own.
        is_old_style: It was told by orphanDependents.
        uid: None if any will do.
        version: None if any will do.
    """

    dry_run: bool = False
    policy: str = ""
    is_old_style: bool = False
    grace_seconds: int | None = None
    uid: str | None = None
    version: str | None = None
    gate: Gatekeeper | None = None


def write_options(
    request: ApiRequest,
    kind: str,
    known: Iterable[Cause] = (),
    *,
    gate: Gatekeeper | None = None,
    rights: Rights | None = None,
    warn: Warn = _unheard,
) -> WriteOptions:
    """
    Args:
        kind: What errors call them: CreateOptions, UpdateOptions or PatchOptions.
        known: What is known to be wrong with them.
        gate: Whom to ask.
        rights: What else the client may do.
        warn: Told what to warn the client of.

    Raises:
        StatusError: They make no sense.
    """
    who = _agent(request.headers.get("user-agent", ""))
    if not request.query and not known:
        return WriteOptions(manager=who, gate=gate, rights=rights, warn=warn)
    validation, manager = request.option("fieldValidation"), request.option("fieldManager")
    causes = [*known, *_manager_causes(manager), *_dry_run_causes(request.query.get("dryRun", []))]
    if validation not in {"", "Ignore", "Strict", "Warn"}:
        causes.append(unsupported("fieldValidation", f'"{validation}"', ("", "Ignore", "Strict", "Warn")))
    if causes:
        raise statuses.invalid("meta.k8s.io", kind, "", causes)
    force = bool(boolean(request, "force"))
    is_dry = bool(request.query.get("dryRun"))
    return WriteOptions(
        is_dry, validation or "Warn", manager, force, manager or who, gate=gate, rights=rights, warn=warn
    )


def delete_options(request: ApiRequest) -> DeleteOptions:
    """
    Raises:
        StatusError: They contradict each other or cannot be read.
    """
    sent = _delete_body(request) if request.body else _delete_query(request)
    policy, orphan, dry_run = sent.get("propagationPolicy"), sent.get("orphanDependents"), sent.get("dryRun") or []
    causes = []
    if policy is not None and orphan is not None:
        message = f'Invalid value: "{policy}": orphanDependents and deletionPropagation cannot be both set'
        causes.append(Cause("FieldValueInvalid", message, "propagationPolicy"))
    if policy is not None and policy not in _POLICIES:
        causes.append(unsupported("propagationPolicy", f'"{policy}"', (*_POLICIES, "nil")))
    causes += _dry_run_causes(dry_run)
    if causes:
        raise statuses.invalid("meta.k8s.io", "DeleteOptions", "", causes)
    preconditions = sent.get("preconditions") or {}
    return DeleteOptions(
        bool(dry_run),
        policy or ("" if orphan is None else "Orphan" if orphan else "Background"),
        orphan is not None,
        sent.get("gracePeriodSeconds"),
        preconditions.get("uid"),
        preconditions.get("resourceVersion"),
    )


def admission_options(request: ApiRequest) -> dict[str, Any]:
    """What webhooks and policies are told of the options of a write or a deletion, which are known to make sense."""
    if request.method != "DELETE":
        texts = {name: request.option(name) for name in ("fieldManager", "fieldValidation")}
        sent: dict[str, Any] = {"dryRun": request.query.get("dryRun"), **texts}
    else:
        sent = _delete_body(request) if request.body else _delete_query(request)
    kept = {name: each for name, each in sent.items() if each not in (None, "", [], {})}
    return {name: each for name, each in kept.items() if name not in {"kind", "apiVersion"}}


@functools.lru_cache(32)
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
    try:
        return parse_int(text)
    except IntegerError as error:
        raise statuses.bad_request(str(error)) from error


def boolean(request: ApiRequest, name: str) -> bool | None:
    """Anything but 0 and false is true, as apimachinery converts query parameters."""
    if name not in request.query:
        return None
    return request.option(name).lower() not in {"0", "false"}


def unsupported(field: str, value: str, supported: tuple[str, ...]) -> Cause:
    """What is wrong with a value that is none of a few."""
    listed = ", ".join(f'"{each}"' for each in supported)
    return Cause("FieldValueNotSupported", f"Unsupported value: {value}: supported values: {listed}", field)


def _manager_causes(manager: str) -> Iterator[Cause]:
    if manager.isascii() and manager.isprintable() and len(manager) <= MAX_MANAGER_BYTES:
        return
    if len(manager.encode(errors="replace")) > MAX_MANAGER_BYTES:
        message = f"Too long: may not be more than {MAX_MANAGER_BYTES} bytes"
        yield Cause("FieldValueTooLong", message, "fieldManager")
    at = 0
    for character in manager:
        if not character.isprintable():
            why = f"invalid character U+{ord(character):04X} (at position {at})"
            yield Cause("FieldValueInvalid", f"Invalid value: {quoted(manager)}: {why}", "fieldManager")
        at += len(character.encode(errors="replace"))


def _dry_run_causes(values: list[str]) -> Iterator[Cause]:
    if any(value != "All" for value in values):
        yield unsupported("dryRun", json_text(values), ("All",))


def _delete_query(request: ApiRequest) -> dict[str, Any]:
    sent: dict[str, Any] = {
        "dryRun": request.query.get("dryRun", []),
        "orphanDependents": boolean(request, "orphanDependents"),
    }
    if "gracePeriodSeconds" in request.query:
        sent["gracePeriodSeconds"] = integer(request.option("gracePeriodSeconds"))
    if "propagationPolicy" in request.query:
        sent["propagationPolicy"] = request.option("propagationPolicy")
    return sent


def _decoded(request: ApiRequest) -> Any:
    media_type = request.media_type
    try:
        if media_type == "application/yaml":
            return yaml_text.load(request.body)
        if media_type == protobuf.CONTENT_TYPE:
            return protobuf.decode_body(media_type, request.body)
        if media_type in {"", "application/json"}:
            return codecs.decode(request.body)
    except (yaml_text.YamlError, protobuf.ProtobufError) as error:
        raise statuses.bad_request(str(error)) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        why = syntax_problem(request.body) or str(error)
        raise statuses.bad_request(f"couldn't get version/kind; json parse error: {why}") from error
    raise statuses.unsupported_media_type(("application/json", "application/yaml", protobuf.CONTENT_TYPE))


def _delete_body(request: ApiRequest) -> dict[str, Any]:
    """What a body says: then the query says nothing."""
    body = _decoded(request)
    if not isinstance(body, dict):
        why = f"json: cannot unmarshal {json_name(body)} into {TYPE_META}"
        raise statuses.bad_request(f"couldn't get version/kind; json parse error: {why}")
    kind, api_version = body.get("kind") or _DELETE_OPTIONS, body.get("apiVersion") or "v1"
    if kind != _DELETE_OPTIONS:
        why = f'no kind "{kind}" is registered for version "{api_version}" in scheme "pkg/runtime/scheme.go:111"'
        raise statuses.bad_request(why)
    try:
        return decode(type_named(f"meta.v1.{_DELETE_OPTIONS}"), body)[0]
    except Misfit as error:
        raise statuses.bad_request(str(error)) from error
