"""API objects that are nested too deep for the decoder."""

from __future__ import annotations

from btcctl.errors import ObjectDecodeError
from btcctl.metadata import SCALARS, TypeMeta
from btcctl.nesting import is_too_deep, metadata_of
from btcctl.objects import Object


def read_object(raw: bytes, type_meta: TypeMeta | None = None) -> Object:
    """An API object, however deep; decoding its body later fails, and only that.

    Raises:
        ObjectDecodeError: It has no usable metadata.
    """
    return Object(Object.from_raw(metadata_of(raw, SCALARS)).meta, raw, type_meta)


def object_from(raw: bytes, type_meta: TypeMeta | None = None) -> Object:
    """`Object.from_raw`, for objects of any depth."""
    try:
        return Object.from_raw(raw, type_meta)
    except ObjectDecodeError as error:
        if not is_too_deep(error):
            raise
        return read_object(raw, type_meta)
