"""The one place that turns JSON into values and values into JSON.

msgspec collects what it has to know of a type when it first sees it, and lets other threads see that before it is
complete (0.22.0, `TypeNode_get_struct_info`): two threads that use a type for the first time at once crash the process.
So a type is looked at here, under a lock, before anything is decoded to it; later calls find it complete,
and takes no lock. Nested types are looked at together with the one that holds them.

What a program of its own does with msgspec and the same types cannot be guarded here: it should have its decoders
made when its modules are imported, or use `decoder_of`.
"""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any, Final, Literal, TypeVar, overload

import msgspec

T = TypeVar("T")

#: The decoder's three families of error.
DECODE_ERRORS: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
# A program that makes types as it goes would otherwise keep all of them.
_MAX_DECODERS = 1000


def _plain(value: object) -> object:
    """The text or number that a value is, whose class is derived from one: a path's, a secret's, numpy's.

    msgspec asks only of what it does not know.
    """
    if isinstance(value, str):
        return str.__str__(value)  # and no method of the class
    if isinstance(value, int):
        return int.__pos__(value)
    if isinstance(value, float):
        return float.__pos__(value)
    raise TypeError(f"{type(value).__name__} is of no type that JSON has")


_lock = threading.Lock()  # held while msgspec looks at a type; guards what is put into the one below
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
_encoder = msgspec.json.Encoder(enc_hook=_plain)
_encode = _encoder.encode
encode_compact = _encoder.encode  #: `encode` without its options, and in half the calls
_encode_sorted = msgspec.json.Encoder(enc_hook=_plain, order="sorted").encode

Order = Literal["sorted"] | None


@overload
def decoder_of(type_: type[T]) -> msgspec.json.Decoder[T]: ...
@overload
def decoder_of(type_: Any) -> msgspec.json.Decoder[Any]: ...
def decoder_of(type_: Any) -> msgspec.json.Decoder[Any]:
    """The decoder to a type; the same one for the same type, as long as there are not very many.

    Raises:
        TypeError: msgspec does not know how to decode to it.
    """
    try:
        return _decoders[type_]
    except (KeyError, TypeError):  # TypeError: cannot be hashed
        return _make(type_)


def _make(type_: Any) -> msgspec.json.Decoder[Any]:
    with _lock:
        decoder = msgspec.json.Decoder(type_)
        if len(_decoders) >= _MAX_DECODERS:
            _decoders.clear()
        try:
            return _decoders.setdefault(type_, decoder)
        except TypeError:
            return decoder


@overload
def decode(data: bytes | str | msgspec.Raw | memoryview) -> Any: ...
@overload
def decode(data: bytes | str | msgspec.Raw | memoryview, type_: type[T]) -> T: ...
def decode(data: bytes | str | msgspec.Raw | memoryview, type_: Any = Any) -> Any:
    """Decode JSON.

    Raises:
        DECODE_ERRORS: Not JSON, not UTF-8, nested too deep, or not of that type.
    """
    return decoder_of(type_).decode(data)


def encode(value: Any, *, order: Order = None) -> bytes:
    """Compact JSON; with `order` "sorted" the members of objects are in the order of their names.

    Raises:
        TypeError: Something in it is not JSON.
    """
    return _encode(value) if order is None else _encode_sorted(value)


def indented(data: bytes) -> bytes:
    """JSON as people like to read it, indented by two spaces."""
    return msgspec.json.format(data, indent=2)


def encode_into(value: Any, buffer: bytearray) -> None:
    """Replace what is in `buffer` by compact JSON."""
    _encoder.encode_into(value, buffer)


def convert(value: Any, type_: type[T], *, strict: bool = True) -> T:
    """Plain dicts, lists and scalars as a typed value.

    Raises:
        msgspec.ValidationError: They do not fit; names the path.
    """
    decoder_of(type_)
    return msgspec.convert(value, type_, strict=strict)


def to_builtins(value: Any, *, order: Literal["deterministic"] | None = None) -> Any:
    """A typed value as plain dicts, lists and scalars; "deterministic": sets in the same order each time.

    Raises:
        ValueError: There is a time without a zone in it, which no API server takes; says where.
    """
    return _with_texts_for_times(
        msgspec.to_builtins(value, order=order, builtin_types=(datetime,), enc_hook=_plain), ""
    )


def _with_texts_for_times(value: Any, path: str) -> Any:
    if isinstance(value, dict):
        return {key: _with_texts_for_times(each, f"{path}.{key}") for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_with_texts_for_times(each, f"{path}[{number}]") for number, each in enumerate(value))
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        where = path.removeprefix(".") or "the value"
        raise ValueError(f"{where}: {value} has no time zone, which API servers ask for: .replace(tzinfo=UTC)")
    return msgspec.to_builtins(value)


decoder_of(Any)
