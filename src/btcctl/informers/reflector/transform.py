"""Transforms: what is done to each object before it is cached, and what becomes of one it fails on.

An object that cannot be transformed is quarantined: the cache keeps what it held of it, it is
counted, logged once, and tried again when it changes or is listed. Nothing else is held up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from btcctl import codecs
from btcctl.errors import ObjectDecodeError
from btcctl.informers.reflector.list_watch import ListerWatcher, SupportsWatchList, WatchStream
from btcctl.logging import get_logger
from btcctl.objects import BOOKMARK, DELETED, ListPage, Object, ObjectKey, WatchEvent, decode_members

logger = get_logger(__name__)

#: Returns the object to cache instead: of the same key. Must depend on nothing but the object.
Transform: TypeAlias = Callable[[Object], Object]

MAX_LOGGED = 10  #: quarantined objects at a time; more are only counted


class QuarantinedObject(Object, frozen=True, gc=False, eq=False):
    """Stands for an object that could not be transformed: its identity, and nothing else."""


def drop_managed_fields(obj: Object) -> Object:
    """A Transform: who owns which field is a third of many an object, and few readers care.

    Works on the bytes; every other member stays as it is, and in its place. An object that is
    nested too deep for the decoder stays whole.
    """
    if b'"managedFields"' not in obj.raw:
        return obj
    try:
        members = decode_members(obj.raw)
        metadata = decode_members(members["metadata"])
    except ObjectDecodeError:
        return obj
    if metadata.pop("managedFields", None) is None:
        return obj
    # Not `encode`: what it returns is allocated with room to grow, and would be kept like that.
    buffer = bytearray()
    codecs.encode_into(metadata, buffer)
    members["metadata"] = msgspec.Raw(bytes(buffer))
    codecs.encode_into(members, buffer)
    return Object(obj.meta, bytes(buffer), obj.type_meta)


def chain(*transforms: Transform) -> Transform:
    """A Transform that applies several, one after the other."""

    def apply(obj: Object) -> Object:
        for each in transforms:
            obj = each(obj)
        return obj

    return apply


class Quarantine:
    """The keys of the objects that a transform failed on. One thread changes it, any may count."""

    def __init__(self, informer: str) -> None:
        self._informer = informer
        self._keys: set[ObjectKey] = set()

    def put(self, key: ObjectKey, error: BaseException) -> None:
        if key not in self._keys and len(self._keys) < MAX_LOGGED:
            logger.error("object not transformed", informer=self._informer, key=str(key), exc_info=error)
        self._keys.add(key)

    def release(self, key: ObjectKey) -> None:
        self._keys.discard(key)

    def keep_only(self, keys: Iterable[ObjectKey]) -> None:
        """What is not in `keys` does not exist any more."""
        if self._keys:
            self._keys = self._keys.intersection(keys)

    def __len__(self) -> int:
        return len(self._keys)


class _Transformer:
    """Does a transform to whatever comes; an object that it fails on becomes an QuarantinedObject. For one reader."""

    def __init__(self, transform: Transform, quarantine: Quarantine) -> None:
        self._transform = transform
        self._quarantine = quarantine

    def page(self, page: ListPage) -> ListPage:
        return replace(page, items=[self._transformed(obj) for obj in page.items])

    @contextmanager
    def stream(self, stream: AbstractContextManager[WatchStream]) -> Iterator[WatchStream]:
        with stream as events:
            yield _TransformedStream(events, self._event)

    def _event(self, event: WatchEvent) -> WatchEvent:
        if event.type == BOOKMARK:
            return event
        transformed = WatchEvent(event.type, self._transformed(event.object))
        if event.type == DELETED:
            self._quarantine.release(event.object.key)
        return transformed

    def _transformed(self, obj: Object) -> Object:
        try:
            transformed = self._transform(obj)
            if isinstance(transformed, Object):
                transformed = transformed.of_type(obj.type_meta)
            if not isinstance(transformed, Object) or transformed.key != obj.key:
                raise TypeError(_why_not(transformed, obj))
        except BaseException as error:  # asyncio's CancelledError, SystemExit: none may end the reflector
            self._quarantine.put(obj.key, error)
            return QuarantinedObject(obj.meta, b"", obj.type_meta)
        if self._quarantine:
            self._quarantine.release(obj.key)
        if transformed.meta is obj.meta:
            return transformed
        # What it holds is the transform's to change, not which version of which object it is: a watch goes on there.
        return Object(obj.meta, transformed.raw, transformed.type_meta)


def _why_not(made: object, obj: Object) -> str:
    """Shows no more of what was made than its key: it may be a Secret's body."""
    what = f"the Object {made.key}" if isinstance(made, Object) else f"one {type(made).__name__}"
    return f"a transform made {what} of {obj.key}: it must be an Object of the same key"


class TransformingSource:
    """A ListerWatcher whose objects have been transformed, each once. For one reader."""

    def __init__(self, source: ListerWatcher, transformer: _Transformer) -> None:
        self._source = source
        self._transformer = transformer

    def list_page(self, *, resource_version: str, limit: int, continue_token: str) -> ListPage:
        page = self._source.list_page(resource_version=resource_version, limit=limit, continue_token=continue_token)
        return self._transformer.page(page)

    def watch(self, *, resource_version: str, timeout_seconds: int) -> AbstractContextManager[WatchStream]:
        return self._transformer.stream(
            self._source.watch(resource_version=resource_version, timeout_seconds=timeout_seconds)
        )

    def interrupt(self) -> None:
        self._source.interrupt()


class _StreamingTransformingSource(TransformingSource):
    """The same for a source that can also stream what exists."""

    def __init__(self, source: SupportsWatchList, transformer: _Transformer) -> None:
        super().__init__(source, transformer)
        self._streaming = source

    def watch_list(self, *, resource_version: str, timeout_seconds: int) -> AbstractContextManager[WatchStream]:
        return self._transformer.stream(
            self._streaming.watch_list(resource_version=resource_version, timeout_seconds=timeout_seconds)
        )


def transforming(source: ListerWatcher, transform: Transform, quarantine: Quarantine) -> ListerWatcher:
    """`source` with its objects transformed; it can do what `source` can."""
    transformer = _Transformer(transform, quarantine)
    if isinstance(source, SupportsWatchList):
        return _StreamingTransformingSource(source, transformer)
    return TransformingSource(source, transformer)


class _TransformedStream:
    def __init__(self, events: WatchStream, transform: Callable[[WatchEvent], WatchEvent]) -> None:
        self._events = events
        self._transform = transform

    def take(self) -> list[WatchEvent] | None:
        taken = self._events.take()
        return None if taken is None else [self._transform(event) for event in taken]
