"""Which patches are understood, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from btcctl import codecs
from btcctl.apiserver.gotypes import syntax_problem
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.machinery.gofmt import plain
from btcctl.apiserver.patching.json_patch import PatchError, apply_operations
from btcctl.apiserver.patching.merge_patch import merge
from btcctl.apiserver.patching.ordering import written
from btcctl.apiserver.patching.strategic import merge_strategically
from btcctl.apiserver.requests.bodies import duplicate_fields, shown_failure
from btcctl.apiserver.served.kind import JSON_PATCH, STRATEGIC
from btcctl.apiserver.served.registry import Served

_MOST_OPERATIONS = 10000  # maxJSONPatchOperations
_OPERATION_TYPE, _MAP_TYPE = "handlers.jsonPatchOp", "map[string]interface {}"


@dataclass(frozen=True, slots=True)
class Patch:
    """What to do to an object.

    Attributes:
        apply: From an object to a new JSON value, which shares parts with it. May raise StatusError.
        problems: What fieldValidation has to say of the patch itself.
        shown: A strategic patch, as complaints show it; "" for others.
    """

    apply: Callable[[Mapping[str, Any]], Any]
    problems: tuple[str, ...] = ()
    shown: str = ""

    def __call__(self, obj: Mapping[str, Any]) -> Any:
        return self.apply(obj)


def check_type(served: Served, media_type: str) -> None:
    """
    Raises:
        StatusError: 415, the kind is not patched by such.
    """
    if media_type not in served.kind.patch_types:
        raise served.kind.unsupported_patch()


def read_patch(served: Served, content_type: str, body: bytes, field_validation: str = "Ignore") -> Patch:
    """
    Raises:
        StatusError: Another content type, or the body is no patch of that type.
    """
    media_type = content_type.partition(";")[0].strip()
    check_type(served, media_type)
    is_lax = field_validation == "Ignore"
    if media_type == JSON_PATCH:
        return _json_patch(body, is_lax=is_lax)
    if media_type == STRATEGIC:
        return _strategic_patch(served, body, is_lax=is_lax)
    return _merge_patch(body, is_lax=is_lax)


def _json_patch(body: bytes, *, is_lax: bool) -> Patch:
    operations = _decode(body)
    if operations is not None and not isinstance(operations, list):
        raise _mismatch(operations, "jsonpatch.Patch" if is_lax else f"[]{_OPERATION_TYPE}", lax=is_lax)
    for operation in operations or ():
        _check_operation(operation, is_lax=is_lax)
    if operations and len(operations) > _MOST_OPERATIONS:
        limit = f"The allowed maximum operations in a JSON patch is {_MOST_OPERATIONS}, got {len(operations)}"
        raise errors.too_large_request(limit)
    problems = () if is_lax else tuple(f"json patch {each}" for each in _operation_problems(body, operations or []))
    return Patch(lambda obj: _applied(obj, [each or {} for each in operations or ()]), problems)


def _check_operation(operation: Any, *, is_lax: bool) -> None:
    if operation is None:
        return
    if not isinstance(operation, dict):
        raise _mismatch(operation, "jsonpatch.Operation" if is_lax else _OPERATION_TYPE, lax=is_lax)
    for name in ("op", "path", "from") if not is_lax else ():
        if not isinstance(operation.get(name, ""), str | None):
            raise _mismatch(operation[name], "string", field=f"jsonPatchOp.{name}")


def _operation_problems(body: bytes, operations: list[Any]) -> Iterator[str]:
    yield from duplicate_fields(body, operations)
    for index, operation in enumerate(operations):
        unknown = (name for name in operation or () if name not in {"op", "path", "from", "value"})
        yield from (f'unknown field "[{index}].{name}"' for name in unknown)


def _applied(obj: Mapping[str, Any], operations: list[Any]) -> Any:
    try:
        return written(apply_operations(obj, operations))
    except PatchError as error:
        raise errors.unprocessable() from error


def _merge_patch(body: bytes, *, is_lax: bool) -> Patch:
    patch = _decode(body)
    if patch is not None and not isinstance(patch, dict) and not is_lax:
        raise _mismatch(patch, _MAP_TYPE)
    if isinstance(patch, list):
        return Patch(lambda _: patch)
    if not isinstance(patch, dict):
        raise errors.bad_request("Invalid JSON Patch")
    problems = () if is_lax else tuple(duplicate_fields(body, patch))
    return Patch(lambda obj: written(merge(obj, patch)), problems)


def _strategic_patch(served: Served, body: bytes, *, is_lax: bool) -> Patch:
    patch, type_ = _decode(body, prefix=""), served.kind.go_type
    if not isinstance(patch, dict):
        raise _mismatch(patch, _MAP_TYPE, prefix="")
    if type_ is None:
        raise errors.not_implemented(f"strategic merge patches of {served.type}")
    problems = () if is_lax else tuple(duplicate_fields(body, patch))
    return Patch(lambda obj: merge_strategically(type_, obj, patch), problems, plain(patch))


def _decode(body: bytes, *, prefix: str = "error decoding patch: ") -> Any:
    try:
        return codecs.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        why = "unexpected end of JSON input" if not body or "truncated" in str(error) else shown_failure(error)
        if isinstance(error, RecursionError):
            why = syntax_problem(body) or why
        raise errors.bad_request(f"{prefix}{why}") from error


def _mismatch(
    value: Any, wanted: str, *, field: str = "", prefix: str = "error decoding patch: ", lax: bool = False
) -> StatusError:
    """What Go's decoder says of a value that is of another type."""
    names = {list: "array", dict: "object", str: "string", bool: "bool"}
    target = f"Go struct field {field}" if field else "Go value"
    found = names.get(type(value), "number")
    return errors.bad_request(f"{'' if lax else prefix}json: cannot unmarshal {found} into {target} of type {wanted}")
