"""Files that somebody has named: in a configuration, in the environment, on a command line.

What a name leads to may be anything. To open a pipe that nobody writes into, or to read a device, would be to wait for
ever, or to fill the memory; so here it is decided what is read, and how much of it. All errors are OSErrors with a
`strerror` that a person can be told.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from typing import TypeAlias

from btcctl.clock import SYSTEM_CLOCK
from btcctl.secret import SecretBytes

Name: TypeAlias = str | PathLike[str]

MAX_BYTES = 16 << 20  # far above any token, certificate or kubeconfig
PIPE_SECONDS = 10.0  # for which the program that writes into a pipe may be silent
_READ_BYTES = 1 << 20
_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NOTHING = os.makedev(1, 3)  # /dev/null is an empty file to whoever names it
_WHAT = {
    stat.S_IFDIR: (errno.EISDIR, "Is a directory"),
    stat.S_IFIFO: (errno.EINVAL, "it is a pipe, and must be a file: it is read more than once"),
    stat.S_IFSOCK: (errno.ENXIO, "it is a socket, not a file"),
    stat.S_IFCHR: (errno.EINVAL, "it is a device, not a file"),
    stat.S_IFBLK: (errno.EINVAL, "it is a device, not a file"),
}


def read_file(path: Name, most_bytes: int = MAX_BYTES) -> bytes:
    """What is in a file that is read again later, as tokens and certificates are: no pipe.

    Raises:
        OSError: It cannot be read, is no file, or is too large.
    """
    return _read(path, most_bytes, may_be_pipe=False)


def read_once(path: Name, most_bytes: int = MAX_BYTES) -> bytes:
    """What is in a file, or comes out of a pipe, as a shell's `<(…)` is one; PIPE_SECONDS without a byte are too many.

    Raises:
        OSError: As `read_file`; or nobody writes into the pipe.
    """
    return _read(path, most_bytes, may_be_pipe=True)


def check_file(path: Name) -> None:
    """Raise OSError if a library that opens it by its name could not read it, or would wait for it."""
    os.close(_opened(path, may_be_pipe=False))


def check_plain(path: Name) -> None:
    """Raise OSError if it is there and no file that could be replaced by another: /dev/null must stay what it is."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return
    if not stat.S_ISREG(status.st_mode):
        raise _refusal(status)


@contextmanager
def in_memory(data: bytes) -> Iterator[str]:
    """A name by which a library that only reads files finds `data`, a key for one, which touches no disk.

    A container may have no place for a file either. Where the system has no such memory it is a file of ours alone.

    Raises:
        OSError: Neither can be had.
    """
    file = _memory()
    if file is None:
        with tempfile.NamedTemporaryFile(prefix="btcctl-") as named:
            named.write(data)
            named.flush()
            yield named.name
        return
    with os.fdopen(file, "wb") as memory:
        memory.write(data)
        memory.flush()
        yield f"/proc/self/fd/{file}"


def _memory() -> int | None:
    try:
        return os.memfd_create("btcctl", os.MFD_CLOEXEC)
    except AttributeError:  # not on Linux
        return None
    except OSError as error:
        if error.errno not in {errno.ENOSYS, errno.EPERM}:
            raise
        return None


def shown_name(path: Name) -> str:
    """Of a file, for messages: what cannot be printed is escaped."""
    text = os.fspath(path)
    return text if text.isprintable() else ascii(text)


def _read(path: Name, most_bytes: int, *, may_be_pipe: bool) -> bytes:
    file = _opened(path, may_be_pipe=may_be_pipe)
    try:
        is_pipe = stat.S_ISFIFO(os.fstat(file).st_mode)
        parts: list[SecretBytes] = []
        size = 0
        while part := _next_part(file, is_pipe=is_pipe):
            parts.append(part)
            size += len(part)
            if size > most_bytes:
                raise OSError(errno.EFBIG, f"it has more than {_size(most_bytes)}: is it the right file?")
        return SecretBytes(b"".join(parts))
    finally:
        os.close(file)


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count} bytes"


def _next_part(file: int, *, is_pipe: bool) -> SecretBytes:
    """b"" at the end. A pipe into which nobody has written yet has no end, but nothing to read either."""
    if is_pipe:
        _wait_for_writer(file)
    return SecretBytes(os.read(file, _READ_BYTES))


def _wait_for_writer(file: int) -> None:
    poll = select.poll()
    poll.register(file, select.POLLIN)
    until = SYSTEM_CLOCK.now() + PIPE_SECONDS
    while (left := until - SYSTEM_CLOCK.now()) > 0:
        if poll.poll(left * 1000):
            return
    raise TimeoutError(errno.ETIMEDOUT, f"it is a pipe into which nothing was written for {PIPE_SECONDS:g} s")


def _opened(path: Name, *, may_be_pipe: bool) -> int:
    try:
        _check_kind(os.stat(path), may_be_pipe=may_be_pipe)  # noqa: PTH116  first: to open a device may do something
        file = os.open(path, _OPEN)
    except ValueError:  # a null character, or half of a surrogate pair
        raise OSError(errno.EINVAL, "it is no name of a file") from None
    try:
        _check_kind(os.fstat(file), may_be_pipe=may_be_pipe)
    except OSError:
        os.close(file)
        raise
    return file


def _check_kind(status: os.stat_result, *, may_be_pipe: bool) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFREG or (kind == stat.S_IFIFO and may_be_pipe):
        return
    if kind == stat.S_IFCHR and status.st_rdev == _NOTHING:
        return
    raise _refusal(status)


def _refusal(status: os.stat_result) -> OSError:
    return OSError(*_WHAT.get(stat.S_IFMT(status.st_mode), (errno.EINVAL, "it is no file")))
