"""From the bytes of a request to an object that is of the kind the path says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from btcctl import codecs
from btcctl.apiserver.gotypes import (
    TYPE_META,
    GoType,
    Misfit,
    Pairs,
    convert,
    decode,
    go_type_of,
    json_name,
    protobuf,
    syntax_problem,
    type_named,
    type_of_kind,
    yaml_text,
)
from btcctl.apiserver.machinery import errors as statuses
from btcctl.apiserver.machinery.errors import Cause, StatusError
from btcctl.apiserver.machinery.gofmt import json_text, quoted
from btcctl.apiserver.requests.messages import ApiRequest
from btcctl.apiserver.schemas import prune_and_default
from btcctl.apiserver.served.registry import Served
from btcctl.apiserver.storage.conversions import are_versions_of_one

MAX_BODY_BYTES = 3 * 1024 * 1024  # kube-apiserver's MaxRequestBodyBytes
_ACCEPTED = ("application/json", "application/yaml", protobuf.CONTENT_TYPE)
_SUMMARY_BYTES = 30
_NO_KIND = "couldn't get version/kind; json parse error"
Decode = Callable[[GoType, Any, Mapping[str, Any] | None], tuple[dict[str, Any], list[str]]]
_SCHEME = "pkg/runtime/scheme.go:111"


def private(value: Any) -> Any:
    """A deep copy, made by way of JSON, which is what everything here is."""
    return codecs.decode(codecs.encode(value))


def read_object(request: ApiRequest, served: Served, warnings: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The object in a request's body, as its kind's types have it, and what is strictly wrong with it.

    Args:
        warnings: What to warn of even if it is refused is added to it.

    Raises:
        StatusError: It cannot be read, or is not of that kind.
    """
    body, duplicates = _decode(request, served.type.kind)
    if served.is_custom:
        _check_custom_type(body, served, request, warnings)
    else:
        _check_type(body, served)
    if duplicates and not served.is_custom:
        body, duplicates = json.loads(readable(request.body), object_pairs_hook=Pairs), []
    try:
        found, problems = typed(body, served)
    except Misfit as error:
        expected = served.type
        raise _unhandled(expected.kind, expected.version, expected.kind, str(error)) from error
    return found, duplicates + problems


def typed(
    body: Any, served: Served, read: Decode = decode, known: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], list[str]]:
    """A body as the types of its kind have it, and what is strictly wrong with it.

    Of a custom kind these are the types of its metadata; its schema looks after the rest.

    Raises:
        Misfit: A field has another type than it must.
    """
    if served.is_custom:
        body = _without_huge_integers(body)
        metadata, problems = _custom_metadata(body.get("metadata"))
        unknown = sorted(each.replace('field "', 'field "metadata.', 1) for each in problems)
        return {**body, "metadata": metadata}, unknown
    type_ = go_type_of(served)
    found, problems = (dict(body), []) if type_ is None else read(type_, body, known)
    head = {"kind": served.type.kind, "apiVersion": served.type.api_version}
    return {**head, **found, **head, "metadata": found.get("metadata") or {}}, problems


def read_plain(request: ApiRequest, api_version: str, kind: str) -> dict[str, Any]:
    """A body that is not stored: a Scale, a Binding, an Eviction, a review.

    Raises:
        StatusError: It cannot be read.
    """
    body = {**_decode(request, kind)[0], "kind": kind, "apiVersion": api_version}
    try:
        type_ = type_of_kind(api_version, kind)
        return body if type_ is None else decode(type_, body)[0]
    except Misfit as error:
        raise _unhandled(kind, api_version.rpartition("/")[2], kind, str(error)) from error


def _without_huge_integers(value: Any) -> Any:
    """Integers that need more than 64 bits are floats to a server."""
    if isinstance(value, dict):
        return {key: _without_huge_integers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_huge_integers(each) for each in value]
    if not isinstance(value, int) or -(2**63) <= value < 2**63:
        return value
    try:
        return float(value)
    except OverflowError:
        raise Misfit(f"json: cannot unmarshal number {value} into Go value of type float64") from None


def _custom_metadata(metadata: Any) -> tuple[dict[str, Any], list[str]]:
    """A server writes it anew before it reads it, with its names sorted; that shows in what it finds first."""
    type_ = type_named("meta.v1.ObjectMeta")
    try:
        return ({}, []) if metadata is None else decode(type_, metadata)
    except Misfit:
        return decode(type_, codecs.decode(codecs.encode(metadata, order="sorted")))


def _unhandled(kind: str, version: str, expected: str, why: str) -> StatusError:
    return statuses.bad_request(f'{kind} in version "{version}" cannot be handled as a {expected}: {why}')


def validate_fields(
    served: Served, body: dict[str, Any], problems: list[str], mode: str, patch: Patched | None = None
) -> list[str]:
    """Prune what a custom kind's schema does not know, and say what is strictly wrong.

    Args:
        problems: What is known to be strictly wrong.
        mode: fieldValidation: Ignore, Warn or Strict.
        patch: What has made the body; Strict complains of it in another form.

    Returns:
        Warnings; none if ignored.

    Raises:
        StatusError: It is Strict, and there is something to say.
    """
    if served.is_custom and served.schema is not None and body.get("kind") == served.type.kind:
        unknown = prune_and_default.prune(served.schema, body)
        problems = [*problems, *(f'unknown field "{each}"' for each in unknown)]
    if not problems or mode == "Ignore":
        return []
    if mode == "Warn":
        return problems
    listed = "strict decoding error: " + ", ".join(problems)
    if patch is not None:
        raise _invalid_patch(patch, listed)
    kind = served.type.kind
    raise _unhandled(kind, served.type.version, kind, listed)


def _decode(request: ApiRequest, kind: str) -> tuple[dict[str, Any], list[str]]:
    if len(request.body) > MAX_BODY_BYTES:
        raise statuses.too_large_entity(MAX_BODY_BYTES)
    media_type = request.media_type
    if media_type == protobuf.CONTENT_TYPE:
        return _decode_protobuf(request.body), []
    if media_type == "application/yaml":
        return _decode_yaml(request.body, kind), []
    if media_type not in {"", "application/json"}:
        raise statuses.unsupported_media_type(_ACCEPTED)
    problems: list[str] = []
    try:
        text = readable(request.body)
        body = codecs.decode(text)
        if request.option("fieldValidation") != "Ignore":
            problems = duplicate_fields(text)
    except (ValueError, RecursionError) as error:  # msgspec.DecodeError and UnicodeDecodeError are ValueErrors
        why = syntax_problem(request.body) or shown_failure(error)
        raise _unrecognized(kind, f"{_NO_KIND}: {why}", request.body) from error
    return _with_type(body, kind, request.body), problems


def shown_failure(error: Exception) -> str:
    """What the decoder could not do, in words that are about the text and not about Python."""
    return "nested deeper than the embedded API server reads" if isinstance(error, RecursionError) else str(error)


def readable(body: bytes) -> bytes:
    """The body with a replacement for what is no UTF-8, as Go's decoder reads it."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return body.decode(errors="replace").encode()
    return body


def duplicate_fields(body: bytes) -> list[str]:
    """What is strictly wrong with valid JSON: fields that come up twice."""
    found = _duplicates(json.loads(body, object_pairs_hook=Pairs), "")
    return [f'duplicate field "{each}"' for each in found]


def _decode_protobuf(body: bytes) -> dict[str, Any]:
    try:
        return protobuf.decode_body(protobuf.CONTENT_TYPE, body)
    except protobuf.ProtobufError as error:
        raise statuses.bad_request(f"{error}") from error


def _decode_yaml(body: bytes, kind: str) -> dict[str, Any]:
    try:
        decoded = yaml_text.load(body)
    except yaml_text.YamlError as error:
        raise _unrecognized(kind, str(error), body) from error
    return _with_type(decoded, kind, body)


def _with_type(body: Any, kind: str, raw: bytes) -> dict[str, Any]:
    """The body, if it is an object and the names of its type are texts."""
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise _unrecognized(kind, f"{_NO_KIND}: json: cannot unmarshal {json_name(body)} into {TYPE_META}", raw)
    for name in body:
        if name in {"apiVersion", "kind"} and not isinstance(body[name], str | None):
            why = f"json: cannot unmarshal {json_name(body[name])} into Go struct field .{name} of type string"
            raise _unrecognized(kind, f"{_NO_KIND}: {why}", raw)
    if (body.get("apiVersion") or "").count("/") > 1:
        raise _unrecognized(kind, f"unexpected GroupVersion string: {body['apiVersion']}", raw)
    return body


def _unrecognized(kind: str, why: str, raw: bytes) -> StatusError:
    return statuses.bad_request(
        f"the object provided is unrecognized (must be of type {kind}): {why} ({_summary(raw)})"
    )


def _summary(raw: bytes) -> str:
    """A few bytes of a body; in hex if it is no JSON object."""
    if not raw:
        return "<empty>"
    head = raw[:_SUMMARY_BYTES]
    shown = head.decode(errors="replace") if raw.startswith(b"{") else head.hex()
    return f"{shown} ..." if len(raw) > _SUMMARY_BYTES else shown


def _check_type(body: Mapping[str, Any], served: Served) -> None:
    expected = served.type
    kind = body.get("kind") or expected.kind
    api_version = body.get("apiVersion") or expected.api_version
    if (kind, api_version) == (expected.kind, expected.api_version):
        return
    version = api_version.rpartition("/")[2]
    if kind == expected.kind and are_versions_of_one(api_version, expected.api_version):
        raise _other_version(api_version, expected.api_version)
    if type_of_kind(api_version, kind) is None:
        why = f'no kind "{kind}" is registered for version "{api_version}" in scheme "{_SCHEME}"'
    else:
        internal = expected.group.partition(".")[0] or "core"
        why = f"converting ({version}.{kind}) to ({internal}.{expected.kind}): unknown conversion"
    raise _unhandled(kind, version, expected.kind, why)


def _check_custom_type(body: Mapping[str, Any], served: Served, request: ApiRequest, warnings: list[str]) -> None:
    """That a version is meant which there is. Whether it says the right kind is checked with the rest."""
    kind, api_version, expected = body.get("kind"), body.get("apiVersion") or "", served.type
    if not kind:
        why = f"Object 'Kind' is missing in '{request.body.decode(errors='replace')}'"
        raise _unrecognized(expected.kind, why, request.body)
    if api_version != expected.api_version:
        group, _, version = api_version.rpartition("/")
        if (group, kind) == (expected.group, expected.kind) and version not in served.versions:
            _check_unknown_version(body, request.option("fieldValidation"), warnings)
        raise _other_version(api_version, expected.api_version)


def _check_unknown_version(body: Mapping[str, Any], mode: str, warnings: list[str]) -> None:
    """A version that there is not has no fields: they are spoken of before the version is."""
    unknown = [f'unknown field "{name}"' for name in sorted(set(body) - {"apiVersion", "kind", "metadata"})]
    if unknown and mode == "Strict":
        kind, version = str(body["kind"]), str(body["apiVersion"]).rpartition("/")[2]
        raise _unhandled(kind, version, kind, f"strict decoding error: {', '.join(unknown)}")
    warnings += unknown if mode != "Ignore" else []


def _other_version(sent: str, expected: str) -> StatusError:
    return statuses.bad_request(
        f"the API version in the data ({sent}) does not match the expected API version ({expected})"
    )


def _name_in(body: Mapping[str, Any]) -> str:
    metadata = body.get("metadata")
    return str(metadata.get("name") or "") if isinstance(metadata, dict) else ""


@dataclass(frozen=True, slots=True)
class Patched:
    """What a patch has made of an object.

    Attributes:
        shown: The patch, as complaints show it if it is a strategic one; "" for others.
        known: The object before, if it was stored.
    """

    body: Any
    shown: str = ""
    known: Mapping[str, Any] | None = None


def patched(patch: Patched, served: Served) -> tuple[dict[str, Any], list[str]]:
    """The object as its kind's types have it, and what is strictly wrong with it.

    Raises:
        StatusError: It is nothing of that kind any more; in a real server's words.
    """
    body = patch.body
    if not isinstance(body, dict):
        why = "json: cannot unmarshal array into Go value of type struct"
        raise _invalid_patch(patch, f"couldn't get version/kind; json parse error: {why}")
    _check_patched_type(body, patch, served)
    try:
        return typed(
            private(body) if served.is_custom else body, served, convert if patch.shown else decode, patch.known
        )
    except Misfit as error:
        raise _invalid_patch(patch, str(error)) from error


def _check_patched_type(body: Mapping[str, Any], patch: Patched, served: Served) -> None:
    """A patch may say again of which kind the object is, and nothing else; of a strategic one it is ignored."""
    kind, api_version = body.get("kind"), body.get("apiVersion")
    expected = served.type
    if served.is_custom:
        _check_patched_custom_type(body, patch, served)
    elif kind is not None and not patch.shown and (kind, api_version) != (expected.kind, expected.api_version):
        why = f'no kind "{kind}" is registered for version "{api_version}" in scheme "{_SCHEME}"'
        raise _invalid_patch(patch, why)


def _check_patched_custom_type(body: Mapping[str, Any], patch: Patched, served: Served) -> None:
    kind, api_version = body.get("kind"), body.get("apiVersion")
    if not kind:
        raise _invalid_patch(patch, f"Object 'Kind' is missing in '{json_text(body, sort=False)}'")
    found = {"kind": (kind, served.type.kind), "apiVersion": (api_version, served.type.api_version)}
    causes = [
        Cause("FieldValueInvalid", f'Invalid value: "{is_now or ""}": must be {must_be}', field)
        for field, (is_now, must_be) in found.items()
        if is_now != must_be
    ]
    if causes:
        group = str(api_version or "").rpartition("/")[0]
        raise statuses.invalid(group, str(kind), _name_in(body), causes)


def _invalid_patch(patch: Patched, why: str) -> StatusError:
    printed = quoted(patch.shown or json_text(patch.body, sort=False))
    return statuses.invalid("", "", "", [Cause("FieldValueInvalid", f"Invalid value: {printed}: {why}", "patch")])


def _duplicates(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Pairs):
        seen: set[str] = set()
        for key, each in value:
            here = f"{path}.{key}" if path else key
            if key in seen:
                yield here
            seen.add(key)
            yield from _duplicates(each, here)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _duplicates(each, f"{path}[{index}]")
