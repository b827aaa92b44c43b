"""From the bytes of a request to an object that is of the kind the path says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from btcctl import codecs
from btcctl.apiserver.gotypes import (
    TYPE_META,
    Misfit,
    Pairs,
    convert,
    decode,
    json_name,
    protobuf,
    syntax_problem,
    type_of_kind,
    yaml_text,
)
from btcctl.apiserver.kinds.built_in.kind import BuiltInKind
from btcctl.apiserver.machinery import errors as statuses
from btcctl.apiserver.machinery.errors import Cause, StatusError
from btcctl.apiserver.machinery.gofmt import json_text, quoted
from btcctl.apiserver.requests.context import RequestContext
from btcctl.apiserver.requests.messages import ApiRequest
from btcctl.apiserver.requests.options import WriteOptions
from btcctl.apiserver.served.registry import Served
from btcctl.apiserver.storage.collection import Body
from btcctl.resources import ResourceType

MAX_BODY_BYTES = 3 * 1024 * 1024  # kube-apiserver's MaxRequestBodyBytes
_TYPE_NAMES = ("apiVersion", "kind")
_YAML = "application/yaml"
_ACCEPTED = ("application/json", _YAML, protobuf.CONTENT_TYPE)
_MOST_DUPLICATES = 100  # that a strict decoder keeps
#: A real server has no such limit: a hundred paths may have a megabyte each.
_MOST_DUPLICATE_CHARACTERS = 1_000_000
_NO_KIND = "couldn't get version/kind; json parse error"


def private(value: Any) -> Any:
    """A deep copy, made by way of JSON, which is what everything here is."""
    return codecs.decode(codecs.encode(value))


def read_object(context: RequestContext, served: Served, known: Body | None = None) -> tuple[dict[str, Any], list[str]]:
    """The object in a request's body, as its kind's types have it, and what is strictly wrong with it.

    Args:
        served: What is sent: to some subresources it is another kind than their path has.
        known: How the object is in the store; parts of it may come back.

    Raises:
        StatusError: It cannot be read, or is not of that kind.
    """
    request, kind = context.request, served.kind
    body, duplicates = _decode(request, served.type.kind)
    kind.check_sent(body, request.body, request.option("fieldValidation"), context.warn)
    if duplicates and kind.decoder_finds_duplicates and request.media_type != _YAML:
        body, duplicates = json.loads(readable(request.body), object_pairs_hook=Pairs), []
    try:
        found, problems = kind.typed(body, known=known)
    except Misfit as error:
        expected = served.type
        raise statuses.unhandled(expected.kind, expected.version, expected.kind, str(error)) from error
    return found, duplicates + problems


def read_plain(request: ApiRequest, api_version: str, kind: str) -> dict[str, Any]:
    """A body that is not stored: a Scale, a Binding, an Eviction, a review.

    Raises:
        StatusError: It cannot be read.
    """
    sent = _decode(request, kind)[0]
    group, _, version = api_version.rpartition("/")
    expected = ResourceType(group, version, "", kind)
    BuiltInKind(expected, expected).check_sent(sent, request.body, "", lambda _: None)
    body = {"metadata": {}, **sent, "kind": kind, "apiVersion": api_version}
    try:
        type_ = type_of_kind(api_version, kind)
        return body if type_ is None else decode(type_, body)[0]
    except Misfit as error:
        raise statuses.unhandled(kind, version, kind, str(error)) from error


def validate_fields(
    served: Served, body: dict[str, Any], problems: Iterable[str], options: WriteOptions, patch: Patched | None = None
) -> None:
    """Prune what the kind's schema does not know, and say what is strictly wrong, if the client wants to know.

    Args:
        problems: What is known to be strictly wrong.
        patch: What has made the body; Strict complains of it in another form.

    Raises:
        StatusError: fieldValidation is Strict, and there is something to say.
    """
    problems = [
        *problems,
        *(f'unknown field "{each}"' for each in served.kind.prune(body, keeps_nulls=options.is_apply)),
    ]
    if not problems or options.field_validation == "Ignore":
        return
    if options.field_validation == "Warn":
        for each in problems:
            options.warn(each)
        return
    listed = "strict decoding error: " + ", ".join(problems)
    if patch is not None:
        raise _invalid_patch(patch, listed)
    kind = served.type.kind
    raise statuses.unhandled(kind, served.type.version, kind, listed)


def _decode(request: ApiRequest, kind: str) -> tuple[dict[str, Any], list[str]]:
    if len(request.body) > MAX_BODY_BYTES:
        raise statuses.too_large_entity(MAX_BODY_BYTES)
    media_type = request.media_type
    if media_type == protobuf.CONTENT_TYPE:
        return _decode_protobuf(request.body), []
    if media_type == _YAML:
        body, repeated = _decode_yaml(request.body, kind)
        if repeated and request.option("fieldValidation") == "Strict":  # one complaint of several lines
            repeated = ["\n  ".join(["yaml: unmarshal errors:", *repeated])]
        return body, repeated
    if media_type not in {"", "application/json"}:
        raise statuses.unsupported_media_type(_ACCEPTED)
    problems: list[str] = []
    try:
        text = readable(request.body)
        body = codecs.decode(text)
        if request.option("fieldValidation") != "Ignore":
            problems = duplicate_fields(text, body)
    except (ValueError, RecursionError) as error:  # msgspec.DecodeError and UnicodeDecodeError are ValueErrors
        why = syntax_problem(request.body) or shown_failure(error)
        raise statuses.unrecognized(kind, f"{_NO_KIND}: {why}", request.body) from error
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


def duplicate_fields(body: bytes, value: Any) -> list[str]:
    """What is strictly wrong with valid JSON: fields that come up twice.

    Args:
        value: What it is decoded to; if as many colons are in that as in the body, no key came twice.
    """
    if b"\\u" not in body and body.count(b":") == codecs.encode(value).count(b":"):
        return []
    found: list[str] = []
    characters = 0
    for path in islice(_duplicates(json.loads(body, object_pairs_hook=Pairs), ()), _MOST_DUPLICATES):
        found.append(f'duplicate field "{"".join(path).removeprefix(".")}"')
        characters += len(found[-1])
        if characters > _MOST_DUPLICATE_CHARACTERS:
            break
    return found


def _decode_protobuf(body: bytes) -> dict[str, Any]:
    try:
        return protobuf.decode_body(protobuf.CONTENT_TYPE, body)
    except protobuf.ProtobufError as error:
        raise statuses.bad_request(f"{error}") from error


def _decode_yaml(body: bytes, kind: str) -> tuple[dict[str, Any], list[str]]:
    try:
        decoded, repeated = yaml_text.read(body)
    except yaml_text.YamlError as error:
        raise statuses.unrecognized(kind, str(error), body) from error
    return _with_type(decoded, kind, body), repeated


def _with_type(body: Any, kind: str, raw: bytes) -> dict[str, Any]:
    """The body, if it is an object and the names of its type are texts."""
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise statuses.unrecognized(kind, f"{_NO_KIND}: json: cannot unmarshal {json_name(body)} into {TYPE_META}", raw)
    for name in body:
        if name in _TYPE_NAMES and not isinstance(body[name], str | None):
            why = f"json: cannot unmarshal {json_name(body[name])} into Go struct field .{name} of type string"
            raise statuses.unrecognized(kind, f"{_NO_KIND}: {why}", raw)
    if (body.get("apiVersion") or "").count("/") > 1:
        raise statuses.unrecognized(kind, f"unexpected GroupVersion string: {body['apiVersion']}", raw)
    return body


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
    try:
        problem = served.kind.check_patched(body, is_strategic=bool(patch.shown))
        if problem:
            raise _invalid_patch(patch, problem)
        return served.kind.typed(body, convert if patch.shown else decode, patch.known)
    except Misfit as error:
        raise _invalid_patch(patch, str(error)) from error


def _invalid_patch(patch: Patched, why: str) -> StatusError:
    printed = quoted(patch.shown or json_text(patch.body, sort=False))
    return statuses.invalid("", "", "", [Cause("FieldValueInvalid", f"Invalid value: {printed}: {why}", "patch")])


def _duplicates(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(value, Pairs):
        counts: dict[str, int] = {}
        for key, each in value:
            counts[key] = counts.get(key, 0) + 1
            here = (*path, ".", key)
            if counts[key] == 2:  # a third one has no words of its own
                yield here
            if isinstance(each, list):
                yield from _duplicates(each, here)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            if isinstance(each, list):
                yield from _duplicates(each, (*path, f"[{index}]"))
