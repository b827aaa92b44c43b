"""What a sandbox keeps from one run to the next, in a directory that one sandbox uses at a time.

    lock           who uses it
    state.json     the format, the API server's port, certificate and tokens: secrets
    objects        what the API server has
    volumes/       what claims have, by namespace and name: the chains
    pods/          what pods have beside, and their logs
    kubeconfig     for people

The two files are each replaced, or added to, in one step: a sandbox that ends at any moment leaves what can be read.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import json
import os
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from btcctl.apiserver.storage.persistence import DataFile
from btcctl.apiserver.storage.store import Store
from btcctl.clock import SYSTEM_CLOCK, Clock, sleep
from btcctl.errors import BtcctlError, ConfigError
from btcctl.processes.run_directory import process_name
from btcctl.sandbox.cluster.keys import ClusterKeys

FORMAT = 1
#: A keeper that outlives its sandbox ends its processes within its grace, and lets go of the directory then.
HANDOVER_SECONDS = 10.0
_POLL_SECONDS = 0.05
_LOCK, _STATE, _OBJECTS, _FRESH = "lock", "state.json", "objects", "state.json.new"


class StateDamaged(BtcctlError):
    """What was kept cannot be read, or a part of it is gone."""


@dataclass(frozen=True, slots=True)
class _Record:
    """What is in `state.json`.

    Attributes:
        id: Of the cluster, for ever.
        port: The API server's; 0 before its first start.
        nodes: What the nodes of networks are; "" until what every new sandbox begins with was made.
    """

    id: str
    keys: ClusterKeys
    port: int = 0
    nodes: str = ""


class State:
    """Opened by one sandbox at a time; a context manager that closes it.

    Args:
        directory: Made if it does not exist; what is in it must be a sandbox's, or nothing.

    Raises:
        ConfigError: It cannot be used: another sandbox does, it is another version's, it holds something else, or
            the system refuses.
        StateDamaged: It cannot be read. Nothing was changed.
    """

    def __init__(self, directory: Path, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.directory = directory
        self._lock = -1
        self._objects: DataFile | None = None
        try:
            self._open(clock)
        except OSError as error:
            self.close()
            raise ConfigError(f"cannot use {error.filename or directory}: {error.strerror or error}") from error
        except BtcctlError:
            self.close()
            raise

    @property
    def keys(self) -> ClusterKeys:
        return self._record.keys

    @property
    def id(self) -> str:
        return self._record.id

    @property
    def port(self) -> int:
        """Where the API server listened; 0 if it never did."""
        return self._record.port

    @property
    def nodes(self) -> str:
        """What the nodes are, whose chains are kept, as `remember_furnished` was told; "" before that."""
        return self._record.nodes

    @property
    def lock(self) -> int:
        """A descriptor; a process that inherits it holds the directory until it ends."""
        return self._lock

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    def attach(self, store: Store) -> None:
        """Fill a store with the objects, and keep every change of it from now on.

        Raises:
            StateDamaged: They cannot be read, or are gone.
        """
        path = self.directory / _OBJECTS
        if self.port and not (path.exists() and path.stat().st_size):
            raise StateDamaged(f"{path} is gone, or empty: the objects were in it. Bring it back, or remove all of it")
        objects = DataFile(path)
        try:
            objects.attach(store)
        except BtcctlError as error:
            raise StateDamaged(f"{error}. Nothing was changed") from error
        self._objects = objects

    def remember_port(self, port: int) -> None:
        """
        Raises:
            ConfigError: It cannot be written.
        """
        self._write(replace(self._record, port=port))

    def remember_furnished(self, nodes: str) -> None:
        """What every new sandbox begins with was made: from now on all is as people leave it.

        Args:
            nodes: What the nodes are: another program could not read their chains.

        Raises:
            ConfigError: It cannot be written.
        """
        self._write(replace(self._record, nodes=nodes))

    def close(self) -> None:
        """Let others use it. Idempotent."""
        if self._objects is not None:
            self._objects.close()
            self._objects = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _open(self, clock: Clock) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.directory / _STATE
        if not path.exists() and {each.name for each in self.directory.iterdir()} - {_LOCK, _FRESH}:
            raise ConfigError(f"{self.directory} holds something that is not a sandbox's: name a directory of its own")
        if self.directory.stat().st_uid != os.geteuid():
            raise ConfigError(f"{self.directory} belongs to another user")
        self._lock = _locked(self.directory / _LOCK, clock)
        self.directory.chmod(0o700)  # keys are in it
        if path.exists():
            self._record = _read(path)
        else:
            self._write(_Record(str(uuid.uuid4()), ClusterKeys.make(clock)))

    def _write(self, record: _Record) -> None:
        data = {
            "format": FORMAT,
            "writtenBy": importlib.metadata.version("btcctl"),
            "id": record.id,
            "port": record.port,
            "nodes": record.nodes,
            "keys": record.keys.data(),
        }
        fresh = self.directory / _FRESH
        try:
            fresh.unlink(missing_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(data, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.directory / _STATE)
        except OSError as error:
            raise ConfigError(f"cannot write {fresh}: {error.strerror or error}") from error
        self._record = record


def _locked(path: Path, clock: Clock) -> int:
    """The descriptor of a locked file, in which its holder is named.

    Raises:
        ConfigError: Another process holds it.
        OSError: It cannot be opened.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(os.close, file)
        until = clock.now() + HANDOVER_SECONDS
        while not _try_to_lock(file):
            holder = os.pread(file, 100, 0).decode("ascii", "replace")
            pid = holder.partition("-")[0]
            if clock.now() >= until or (pid.isdecimal() and process_name(int(pid)) == holder):
                by = f"process {pid}" if pid else "another one"
                raise ConfigError(f"{path.parent} is in use by another sandbox, {by}")
            sleep(_POLL_SECONDS)
        os.ftruncate(file, 0)
        os.pwrite(file, process_name(os.getpid()).encode(), 0)
        on_failure.pop_all()
    return file


def _try_to_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(path: Path) -> _Record:
    """
    Raises:
        ConfigError: Another version has written it.
        StateDamaged: It is not what we write.
    """
    try:
        data: dict[str, Any] = json.loads(path.read_bytes())
        if data["format"] != FORMAT:
            by = f"btcctl {data.get('writtenBy', 'of another version')}"
            raise ConfigError(
                f"{path.parent} was written by {by}, in format {data['format']}; this is btcctl "
                f"{importlib.metadata.version('btcctl')}, which reads format {FORMAT}: use that version, or another "
                "directory"
            )
        return _Record(data["id"], ClusterKeys.read(data["keys"]), int(data["port"]), str(data["nodes"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StateDamaged(f"{path} is damaged: {type(error).__name__}: {error}. Nothing was changed") from error
