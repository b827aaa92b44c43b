"""One AdmissionReview: asks the hook, and says what came of it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from btcctl import codecs
from btcctl.errors import ObjectDecodeError, Refused
from btcctl.json_values import encode_json
from btcctl.logging import get_logger
from btcctl.objects import Object
from btcctl.typed.differences import json_patch, overlaid
from btcctl.typed.values import body_of, decoded
from btcctl.webhooks.admission import Admission, Operation, Requester, refusals_in
from btcctl.webhooks.hooks import AdmissionHook, Mutator

logger = get_logger(__name__)

ADMISSION = "admission.k8s.io/v1"
_NULL = b"null"
_OPERATIONS: dict[str, Operation] = {"CREATE": "CREATE", "UPDATE": "UPDATE", "DELETE": "DELETE"}

Answered: TypeAlias = dict[str, Any]


class _User(msgspec.Struct, rename="camel"):
    username: str = ""
    uid: str = ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}


class AdmissionRequest(msgspec.Struct, rename="camel"):
    """What of a request to the API server a hook may be told."""

    uid: str
    operation: str
    sub_resource: str = ""
    user_info: _User = msgspec.field(default_factory=_User)
    object: msgspec.Raw = msgspec.Raw(_NULL)
    old_object: msgspec.Raw = msgspec.Raw(_NULL)
    dry_run: bool | None = None


class AdmissionReview(msgspec.Struct, rename="camel"):
    """The question."""

    api_version: str
    request: AdmissionRequest


def admit(hook: AdmissionHook[Any], asked: AdmissionRequest) -> Answered:
    """Ask a hook.

    Returns:
        The AdmissionReview with the answer.

    Raises:
        BaseException: What the hook raised, but for `Refused`; or it returned what it may not.
    """
    refusals: list[Refused] = []
    patch: Sequence[Mapping[str, Any]] = ()
    request = None
    try:
        request = _request(hook, asked)
        if request is not None and isinstance(hook, Mutator):
            patch = _patch(hook, request, asked.object)
        elif request is not None:
            refusals = refusals_in(hook.function(request))
    except Refused as refused:
        refusals = [refused]
    answer: Answered = {"uid": asked.uid, "allowed": not refusals}
    if refusals:
        answer["status"] = _status(refusals)
    elif patch:
        answer |= {"patchType": "JSONPatch", "patch": base64.b64encode(encode_json([*patch])).decode()}
    if request is not None and request.warnings:
        answer["warnings"] = request.warnings
    _log(asked, request, is_allowed=not refusals, changes=len(patch))
    return {"apiVersion": ADMISSION, "kind": "AdmissionReview", "response": answer}


def _request(hook: AdmissionHook[Any], asked: AdmissionRequest) -> Admission[Any] | None:
    """What the hook is told; None if it is not asked: what does not fit its class may always go.

    Raises:
        Refused: The object does not fit the class of the hook.
    """
    is_delete = asked.operation == "DELETE"
    try:
        old = _value(hook, asked.old_object)
    except ObjectDecodeError:
        if is_delete:
            return None
        old = None  # and what mends it must not be refused
    try:
        obj = old if is_delete else _value(hook, asked.object)
    except ObjectDecodeError as error:
        raise Refused(str(error)) from None
    if obj is None or asked.operation not in _OPERATIONS:
        raise ValueError(f"a {asked.operation} of nothing that a hook could be told of")
    who = asked.user_info
    return Admission(
        obj,
        old,
        _OPERATIONS[asked.operation],
        Requester(who.username, who.uid, tuple(who.groups), who.extra),
        bool(asked.dry_run),
        asked.sub_resource,
        asked.uid,
    )


def _value(hook: AdmissionHook[Any], raw: msgspec.Raw) -> Any:
    if bytes(raw) == _NULL:
        return None
    obj = Object.from_nameless(bytes(raw))  # an object with a generateName is shown before it has a name
    return obj if hook.model is None else decoded(obj, hook.model)


def _patch(hook: Mutator[Any], request: Admission[Any], raw: msgspec.Raw) -> Sequence[Mapping[str, Any]]:
    whole = codecs.decode(bytes(raw))
    if hook.model is None:
        body = hook.function(request)
        if not isinstance(body, Mapping | None):
            raise TypeError(f"a mutator of Objects returned {type(body).__name__}, must return a body or None")
        return [] if body is None else json_patch(whole, body)
    known = body_of(request.object)
    returned = hook.function(request)
    changed = request.object if returned is None else returned
    if not isinstance(changed, hook.model):
        raise TypeError(f"a mutator returned {type(changed).__name__}, must return {hook.model.__name__} or None")
    return json_patch(whole, overlaid(whole, known, body_of(changed)))


def _status(refusals: Sequence[Refused]) -> dict[str, Any]:
    """As the API server itself says that an object is invalid."""
    causes = [
        {"reason": "FieldValueInvalid", "message": each.message, **({"field": each.field} if each.field else {})}
        for each in refusals
    ]
    return {
        "status": "Failure",
        "code": 422,
        "reason": "Invalid",
        "message": "; ".join(map(str, refusals)),
        "details": {"causes": causes},
    }


def _log(asked: AdmissionRequest, request: Admission[Any] | None, *, is_allowed: bool, changes: int) -> None:
    log = logger.debug if is_allowed else logger.info
    log(
        "admitted" if is_allowed else "refused",
        operation=asked.operation,
        key="" if request is None else str(request.key),
        user=asked.user_info.username,
        uid=asked.uid,
        dry_run=bool(asked.dry_run),
        changes=changes,
    )
