"""The data file: everything in the store, so that a restart loses nothing acknowledged.

The first line is a snapshot, each further line one change. A change is written before the client
hears of it, so kill -9 loses no acknowledged write; the operating system is trusted to keep what
it was given (no fsync), so losing power may. When the changes outweigh the snapshot, the file is
written anew beside the old one and takes its place in one step.

Measured on two busy cores: 12 µs per change of 900 bytes; writing 5,000 objects anew takes 23 ms.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from btcctl import codecs
from btcctl.apiserver.storage.collection import Change, path_of
from btcctl.apiserver.storage.store import Store, key_of
from btcctl.errors import BtcctlError, ObjectDecodeError
from btcctl.logging import get_logger
from btcctl.named_files import check_plain
from btcctl.objects import DELETED, decode_json

logger = get_logger(__name__)

FORMAT = 1
COMPACT_FROM_BYTES = 8 << 20  #: of changes; below that, writing the file anew is not worth it
_OURS_ONLY = 0o600  # Secrets are in it


class DataFileError(BtcctlError):
    """The data file cannot be used: unreadable, damaged, or another server's."""


class DataFile:
    """Keeps one store in one file.

    Args:
        path: Need not exist yet; its folder must.
        compact_from_bytes: Changes that must have gathered before the file is written anew.
    """

    def __init__(self, path: Path, *, compact_from_bytes: int = COMPACT_FROM_BYTES) -> None:
        self._path = path
        self._compact_from_bytes = compact_from_bytes
        # The store's lock guards these from `attach` on.
        self._store: Store | None = None
        self._file = -1
        self._size = 0
        self._snapshot_size = 0

    def attach(self, store: Store) -> None:
        """Fill `store` from the file, and have every change written to it from now on.

        Raises:
            DataFileError: The file is damaged, not ours to use, or in use.
        """
        self._store = store
        try:
            self._file = _open_locked(self._path)
            data = self._path.read_bytes()
            if data:
                store.restore(_replayed(data))
            self._compact(store)
        except OSError as error:
            self.close()
            raise DataFileError(f"data file {self._path}: {error.strerror or error}") from error
        except (ObjectDecodeError, ValueError, KeyError, TypeError) as error:
            self.close()
            raise DataFileError(f"data file {self._path} is damaged: {error}") from error
        store.journal = self.append

    def append(self, change: Change) -> None:
        """Write one change. The store calls this with its lock held.

        Raises:
            OSError: It could not be written; the file is as before.
        """
        if self._size - self._snapshot_size > max(self._compact_from_bytes, self._snapshot_size):
            self._try_to_compact()
        group, resource = change.collection
        head = codecs.encode({"type": change.type, "group": group, "resource": resource})
        self._write(b'%b,"object":%b}\n' % (head[:-1], change.record.raw()))

    def close(self) -> None:
        """Stop writing. Idempotent."""
        if self._store is not None:
            self._store.journal = None
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _try_to_compact(self) -> None:
        """A file that cannot be written anew still takes changes."""
        try:
            if self._store is not None:
                self._compact(self._store)
        except (OSError, DataFileError) as error:
            self._compact_from_bytes *= 2
            logger.warning("the data file cannot be written anew", path=str(self._path), error=str(error))

    def _write(self, line: bytes) -> None:
        try:
            written = os.write(self._file, line)
            if written < len(line):
                raise OSError(f"only {written} of {len(line)} bytes could be written to {self._path}")
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)  # half a line would spoil what follows
            raise
        self._size += written

    def _compact(self, store: Store) -> None:
        """Write the file anew: one snapshot and no changes."""
        fresh = self._path.with_name(f"{self._path.name}.new")
        line = codecs.encode({"format": FORMAT, "snapshot": store.snapshot()}) + b"\n"
        fresh.unlink(missing_ok=True)
        file = _open_locked(fresh)
        try:
            with os.fdopen(os.dup(file), "wb") as writer:
                writer.write(line)
                writer.flush()
                os.fsync(file)  # or the new name could lead to nothing when the machine loses power
            fresh.replace(self._path)
        except OSError:
            os.close(file)
            raise
        os.close(self._file)
        self._file = file
        self._size = self._snapshot_size = len(line)
        logger.debug("data file written anew", path=str(self._path), size_bytes=len(line))


def _open_locked(path: Path) -> int:
    """Open for appending, alone.

    Raises:
        DataFileError: Another server has it open.
        OSError: It cannot be opened.
    """
    check_plain(path)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, _OURS_ONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise DataFileError(f"data file {path} is in use by another server") from error
    return file


def _replayed(data: bytes) -> dict[str, Any]:
    """The snapshot that a file's snapshot and changes add up to.

    Raises:
        ObjectDecodeError, ValueError, KeyError, TypeError: It is damaged.
    """
    first, *changes = _lines(data)
    head = decode_json(first, dict[str, Any], lambda: "the snapshot")
    if head["format"] != FORMAT:
        raise ValueError(f"its format is {head['format']}, not {FORMAT}")
    snapshot = head["snapshot"]
    revision = int(snapshot["resourceVersion"])
    collections: dict[tuple[str, str], dict[str, Any]] = {
        (each["group"], each["resource"]): {path_of(key_of(item)): item for item in each["items"]}
        for each in snapshot["collections"]
    }
    for number, line in enumerate(changes, 2):
        change = decode_json(line, dict[str, Any], lambda number=number: f"line {number}")  # type: ignore[misc]
        items = collections.setdefault((change["group"], change["resource"]), {})
        revision = _apply(items, change)
    return {
        "resourceVersion": str(revision),
        "collections": [
            {"group": group, "resource": resource, "items": list(items.values())}
            for (group, resource), items in collections.items()
        ],
    }


def _apply(items: dict[str, Any], change: Mapping[str, Any]) -> int:
    body = change["object"]
    path = path_of(key_of(body))
    if change["type"] == DELETED:
        items.pop(path, None)
    else:
        items[path] = body
    return int(body["metadata"]["resourceVersion"])


def _lines(data: bytes) -> Iterator[bytes]:
    """Whole lines only: what follows the last newline was being written when the server died."""
    whole, _, torn = data.rpartition(b"\n")
    if torn:
        logger.warning("the data file ends in half a change; nobody was told of it", size_bytes=len(torn))
    yield from whole.split(b"\n")
