"""From the bytes of a request to an object that is of the kind the path says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import yaml

from btcctl.apiserver import fields, protobuf, schema, shapes, statuses
from btcctl.apiserver.managed.comparing import completed
from btcctl.apiserver.managed.types import type_of
from btcctl.apiserver.messages import ApiRequest
from btcctl.apiserver.printing import json_text, quoted
from btcctl.apiserver.registry import Served
from btcctl.apiserver.statuses import Cause, StatusError
from btcctl.apiserver.strategies import strategy_of

MAX_BODY_BYTES = 3 * 1024 * 1024  # kube-apiserver's MaxRequestBodyBytes
_ACCEPTED = ("application/json", "application/yaml", protobuf.CONTENT_TYPE)


def private(value: Any) -> Any:
    """A deep copy, made by way of JSON, which is what everything here is."""
    return msgspec.json.decode(msgspec.json.encode(value))


def read_object(request: ApiRequest, served: Served) -> tuple[dict[str, Any], list[str]]:
    """The object in a request's body, its types checked, and what is strictly wrong with the body.

    Raises:
        StatusError: It cannot be read, or is not of that kind.
    """
    body, problems = _decode(request, served.type.kind)
    _check_type(body, served, request.body)
    return checked(body, served), problems


def checked(body: dict[str, Any], served: Served) -> dict[str, Any]:
    """The body, with the JSON types its kind's rules rely on, and metadata.

    Raises:
        StatusError: 400, a field has another type.
    """
    if not served.is_custom:
        body = _without_nulls({**body, "kind": served.type.kind, "apiVersion": served.type.api_version})
    shapes.check_shape(strategy_of(served).shape, body, served.type.version, served.type.kind)
    if not served.is_custom:
        body = completed(type_of(served), body, zeros=False)
    body["metadata"] = body.get("metadata") or {}
    return body


def read_plain(request: ApiRequest, kind: str) -> dict[str, Any]:
    """A body that is not stored: a Scale, a Binding, an Eviction, a review."""
    return _decode(request, kind)[0]


def validate_fields(
    served: Served, body: dict[str, Any], problems: list[str], mode: str, *, patching: bool = False
) -> list[str]:
    """Prune what the schema does not know; unknown metadata is only spoken of, and never stored.

    Args:
        problems: What is strictly wrong besides.
        mode: fieldValidation: Ignore, Warn or Strict.
        patching: The body is the result of a patch, which Strict complains of in another form.

    Returns:
        Warnings; none if ignored.

    Raises:
        StatusError: It is Strict, and there is something to say.
    """
    sent = private(body) if patching else {}
    unknown = [f"metadata.{name}" for name in sorted(set(body["metadata"]) - fields.METADATA)]
    known = fields.fields_of(served)
    unknown += schema.prune(known, body) if known is not None else []
    problems = problems + [f'unknown field "{each}"' for each in unknown]
    if not problems or mode == "Ignore":
        return []
    if mode == "Warn":
        return problems
    if patching:
        listed = "strict decoding error: " + ", ".join(problems)
        raise _invalid_patch(sent, listed)
    kind = served.type.kind
    message = f'{kind} in version "{served.type.version}" cannot be handled as a {kind}: strict decoding error: '
    raise statuses.bad_request(message + ", ".join(problems))


def _decode(request: ApiRequest, kind: str) -> tuple[dict[str, Any], list[str]]:
    if len(request.body) > MAX_BODY_BYTES:
        raise statuses.too_large_entity(MAX_BODY_BYTES)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip()
    if media_type == protobuf.CONTENT_TYPE:
        return _decode_protobuf(request.body), []
    if media_type == "application/yaml":
        return _decode_yaml(request.body), []
    if media_type not in {"", "application/json"}:
        raise statuses.unsupported_media_type(_ACCEPTED)
    problems: list[str] = []
    try:
        body = msgspec.json.decode(request.body)
        if request.option("fieldValidation") != "Ignore":
            problems = duplicate_fields(request.body)
    except (ValueError, RecursionError) as error:  # msgspec.DecodeError and UnicodeDecodeError are ValueErrors
        raise _unrecognized(kind, request.body, error) from error
    if not isinstance(body, dict):
        why = "json: cannot unmarshal into Go value of type struct"
        raise _unrecognized(kind, request.body, ValueError(why))
    return body, problems


def duplicate_fields(body: bytes) -> list[str]:
    """What is strictly wrong with valid JSON: fields that come up twice."""
    found = _duplicates(json.loads(body, object_pairs_hook=_Pairs), "")
    return [f'duplicate field "{each}"' for each in found]


def _decode_protobuf(body: bytes) -> dict[str, Any]:
    try:
        return protobuf.decode_body(protobuf.CONTENT_TYPE, body)
    except protobuf.ProtobufError as error:
        raise statuses.bad_request(f"{error}") from error


def _decode_yaml(body: bytes) -> dict[str, Any]:
    try:
        decoded = yaml.safe_load(body)
        copy = private(decoded)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, TypeError, msgspec.MsgspecError) as error:
        raise statuses.bad_request(f"error decoding YAML: {error}") from error
    if not isinstance(copy, dict):
        raise statuses.bad_request("error decoding YAML: not an object")
    return copy


def _unrecognized(kind: str, body: bytes, error: Exception) -> StatusError:
    why = "unexpected end of JSON input" if not body or "truncated" in str(error) else str(error)
    shown = body.decode(errors="replace") or "<empty>"
    shown = shown if len(shown) <= 24 else f"{shown[:24]} ..."
    prefix = f"the object provided is unrecognized (must be of type {kind})"
    return statuses.bad_request(f"{prefix}: couldn't get version/kind; json parse error: {why} ({shown})")


def _check_type(body: Mapping[str, Any], served: Served, raw: bytes) -> None:
    kind, api_version = body.get("kind"), body.get("apiVersion")
    expected = served.type
    if served.is_custom and not kind:
        text = raw.decode(errors="replace")
        why = f"Object 'Kind' is missing in '{text}' ({text[:24]} ...)"
        raise statuses.bad_request(f"the object provided is unrecognized (must be of type {expected.kind}): {why}")
    if api_version and api_version != expected.api_version:
        raise statuses.bad_request(
            f"the API version in the data ({api_version}) does not match the expected API version "
            f"({expected.api_version})"
        )
    if not kind or kind == expected.kind:
        return
    if served.is_custom:
        cause = Cause("FieldValueInvalid", f'Invalid value: "{kind}": must be {expected.kind}', "kind")
        raise statuses.invalid(expected.group, str(kind), _name_in(body), [cause])
    raise statuses.bad_request(
        f'{kind} in version "{expected.version}" cannot be handled as a {expected.kind}: '
        f"converting ({expected.version}.{kind}) to ({expected.version}.{expected.kind}): unknown conversion"
    )


def _name_in(body: Mapping[str, Any]) -> str:
    metadata = body.get("metadata")
    return str(metadata.get("name") or "") if isinstance(metadata, dict) else ""


def patched(body: Any, served: Served) -> dict[str, Any]:
    """What a patch has made of an object, with the JSON types its kind's rules rely on, and metadata.

    Raises:
        StatusError: It is nothing of that kind any more; in a real server's words.
    """
    if not isinstance(body, dict):
        why = "json: cannot unmarshal array into Go value of type struct"
        raise _invalid_patch(body, f"couldn't get version/kind; json parse error: {why}")
    _check_patched_type(body, served)
    return checked(body, served)


def _check_patched_type(body: Mapping[str, Any], served: Served) -> None:
    """A patch may say again of which kind the object is, and nothing else."""
    kind, api_version = body.get("kind"), body.get("apiVersion")
    expected = served.type
    if served.is_custom:
        _check_patched_custom_type(body, served)
    elif kind is not None and (kind, api_version) != (expected.kind, expected.api_version):
        why = f'no kind "{kind}" is registered for version "{api_version}" in scheme "pkg/runtime/scheme.go:111"'
        raise _invalid_patch(body, why)


def _check_patched_custom_type(body: Mapping[str, Any], served: Served) -> None:
    kind, api_version = body.get("kind"), body.get("apiVersion")
    if not kind:
        raise _invalid_patch(body, f"Object 'Kind' is missing in '{json_text(body, sort=False)}'")
    found = {"kind": (kind, served.type.kind), "apiVersion": (api_version, served.type.api_version)}
    causes = [
        Cause("FieldValueInvalid", f'Invalid value: "{is_now or ""}": must be {must_be}', field)
        for field, (is_now, must_be) in found.items()
        if is_now != must_be
    ]
    if causes:
        group = str(api_version or "").rpartition("/")[0]
        raise statuses.invalid(group, str(kind), _name_in(body), causes)


def _invalid_patch(body: Any, why: str) -> StatusError:
    printed = quoted(json_text(body, sort=False))
    return statuses.invalid("", "", "", [Cause("FieldValueInvalid", f"Invalid value: {printed}: {why}", "patch")])


def _without_nulls(value: Any) -> Any:
    """To Go's types null is as good as absent."""
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its duplicate keys."""


def _duplicates(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, _Pairs):
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
