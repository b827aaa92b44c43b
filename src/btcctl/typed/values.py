"""Objects as values of a type, and back.

What is None because it was never set is not sent: a field whose default is None is left out, to an API server null is
another value. Where null is to be sent, the field has no default, or the default `msgspec.UNSET`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, is_typeddict

import msgspec

from btcctl import codecs
from btcctl.errors import ObjectDecodeError, is_of_program
from btcctl.metadata import without_nulls_in
from btcctl.objects import Object
from btcctl.typed.typed_object import TypedObject

T = TypeVar("T")


def decoded(obj: Object, model: type[T]) -> T:
    """`obj` as a value of `model`, made anew on each call.

    Raises:
        ObjectDecodeError: It does not fit; says which object, where, and why.
    """
    try:
        value = obj.decode(model)
    except ObjectDecodeError as error:
        value = _with_nulls_as_missing(obj, model, error)
    if isinstance(value, TypedObject):
        value.remember(obj)
    return value


def body_of(value: object) -> dict[str, Any]:
    """A value as the body of an object.

    Raises:
        TypeError: Something in it is of another type than it is declared to be, or breaks a bound; says where.
        ValueError: A time in it has no zone.
    """
    return _checked_body(value, type(value), type(value).__name__)


def body_of_part(value: object, what: str) -> dict[str, Any]:
    """The same of a part, such as a status.

    Args:
        what: Names it in the error.
    """
    if isinstance(value, Mapping):
        return dict(value)
    return _checked_body(value, type(value), what)


def require_class(value: object, model: Any, what: str) -> None:
    """Raises TypeError if `value` is of another class, even of one with the same fields; only a class can say."""
    _require_one_of(value, _classes_in(model), what)


def require_status(status: object, model: type[Any], what: str) -> None:
    """
    Raises:
        TypeError: `status` is neither a mapping nor of the class of the model's status, or is not written by itself.
    """
    if not isinstance(model, type) or not issubclass(model, msgspec.Struct):
        return
    wanted = next((each.type for each in msgspec.structs.fields(model) if each.name == "status"), Any)
    if {wanted, *get_args(wanted)} <= {None, type(None)}:
        raise TypeError(f"{what}: {model.__name__} has no status")
    definition = getattr(model, "__definition__", None)
    if definition is not None and not definition.status_subresource:
        raise TypeError(
            f"{what}: {model.__name__} has no status subresource: its status is written by update, with the rest"
        )
    if not isinstance(status, Mapping):
        _require_one_of(status, _classes_in(wanted), what)


def _require_one_of(value: object, classes: tuple[type, ...], what: str) -> None:
    if classes and not isinstance(value, classes):
        names = " or ".join(each.__name__ for each in classes)
        raise TypeError(f"{what} is of type {type(value).__name__}, must be {names}")


def _classes_in(type_: Any) -> tuple[type, ...]:
    """The classes of which a value of a type may be; () if it is not for classes to say."""
    origin = get_origin(type_)
    if origin is Annotated:
        return _classes_in(get_args(type_)[0])
    if origin in (Union, UnionType):
        parts = [_classes_in(each) for each in get_args(type_) if each is not type(None)]
        return tuple(each for part in parts for each in part) if all(parts) else ()
    found = origin or type_
    return (found,) if isinstance(found, type) and not is_typeddict(found) and not issubclass(found, Mapping) else ()


def _checked_body(value: object, model: type[Any], what: str) -> dict[str, Any]:
    try:
        body = with_lists(codecs.to_builtins(value, order="deterministic"))
        if not isinstance(body, dict):
            raise TypeError(f"{what} is of type {type(value).__name__}, must be what an object is made of")
        _drop_unsaid(value, body)
        codecs.convert(body, model)
    except msgspec.ValidationError as error:
        raise TypeError(f"{_name_of(value, what)}: {with_path_first(str(error))}") from None
    except ValueError as error:
        raise ValueError(f"{_name_of(value, what)}: {error}") from None
    return body


def with_path_first(complaint: str) -> str:
    """msgspec's words, in the order of the others here: `spec.size: Expected …`."""
    text, found, path = complaint.rpartition(" - at `")
    if not found:
        return complaint
    return f"{path.rstrip('`').removeprefix('$').removeprefix('.') or 'the object'}: {text}"


def _name_of(value: object, what: str) -> str:
    return f"{what} {value.key}" if isinstance(value, TypedObject) else what


def _with_nulls_as_missing(obj: Object, model: type[T], error: ObjectDecodeError) -> T:
    """As Go reads null in metadata; of what is wrong otherwise, `error` is raised."""
    body, metadata = dict[str, Any](), None
    try:
        body = obj.body()
        metadata = body.get("metadata")
        if isinstance(metadata, dict):
            return codecs.convert({**body, "metadata": without_nulls_in(metadata)}, model)
    except BaseException as raised:  # of codecs.DECODE_ERRORS, or what the class itself raises
        if is_of_program(raised):
            raise
    del body, metadata  # a traceback with the values of variables would show them
    raise error


def with_lists(value: Any) -> Any:
    """With lists for tuples, which msgspec lets be; JSON has but lists."""
    if isinstance(value, dict):
        return {key: with_lists(each) for key, each in value.items()}
    return [with_lists(each) for each in value] if isinstance(value, list | tuple) else value


def _drop_unsaid(value: object, encoded: Any) -> None:
    """Take out of `encoded` each null that stands for a field that was left alone."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            if isinstance(encoded, dict) and key in encoded:
                _drop_unsaid(each, encoded[key])
    elif isinstance(value, list | tuple):
        for each, inner in zip(value, encoded, strict=False):
            _drop_unsaid(each, inner)
    elif isinstance(encoded, dict):
        model: Any = type(value)
        for name, encoded_name, is_optional in _fields(model):
            each = getattr(value, name, None)
            if each is None and is_optional:
                encoded.pop(encoded_name, None)
            elif encoded_name in encoded:
                _drop_unsaid(each, encoded[encoded_name])


@lru_cache(maxsize=1000)
def _fields(model: Any) -> tuple[tuple[str, str, bool], ...]:
    """Name, name in JSON, and whether its default is None, of each field."""
    if issubclass(model, msgspec.Struct):
        return tuple((each.name, each.encode_name, each.default is None) for each in msgspec.structs.fields(model))
    if dataclasses.is_dataclass(model):
        return tuple((each.name, each.name, each.default is None) for each in dataclasses.fields(model))
    of_attrs = getattr(model, "__attrs_attrs__", ())
    return tuple((each.name, each.name, each.default is None) for each in of_attrs)
