"""Runs a credential plugin: for a limited time, with limited output, and leaves nothing of it behind.

A plugin has a process group of its own, which is killed when the plugin has ended, has had its time, or is not
waited for any more: what it has started ends with it, and a grandchild that keeps the pipe open is not waited for.
One that may ask a person stays in our group, or the terminal would stop it: of that only the plugin itself is killed.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from btcctl.clock import SYSTEM_CLOCK
from btcctl.errors import BtcctlError, Interrupted
from btcctl.secret import SecretBytes, hiding_frames
from btcctl.threads import Stop

MAX_OUTPUT_BYTES = 1 << 20  # a credential has a few kilobytes
MAX_WORDS_BYTES = 1 << 14
_MAX_READS = 64  # more than a pipe holds: a process that has escaped the group may write for ever
_LOOK_SECONDS = 0.05  # how often we look whether it has ended or shall end: how late a kill may come


class PluginFailed(BtcctlError):
    """The plugin could not be started, took too long, or said too much."""


class PluginMissing(PluginFailed):
    """There is no such program."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a plugin left: its exit code, its answer, and its words for people."""

    code: int
    answer: bytes = field(repr=False)
    words: bytes = field(repr=False)


_running: set[subprocess.Popen[bytes]] = set()
_guard = threading.Lock()  # guards the set


@hiding_frames
def run(
    argv: Sequence[str], environ: Mapping[str, str], *, seconds: float, stop: Stop, is_interactive: bool = False
) -> Output:
    """Start it and wait for its end. Blocks.

    Args:
        argv: The program and its arguments.
        environ: All of its environment.
        seconds: How long it may take, by the real clock.
        stop: Has it killed.
        is_interactive: It may read from our standard input; what it says to people is shown at once.

    Raises:
        PluginMissing: There is no such program.
        PluginFailed: It could not be run, took too long, or said too much.
        Interrupted: `stop` was set.
    """
    process = _started(argv, environ, is_interactive)
    with _guard:
        _running.add(process)
    try:
        return _Listening(process, is_interactive).until_end(SYSTEM_CLOCK.now() + seconds, seconds, stop)
    except OSError as error:  # no descriptor is left, for one
        raise PluginFailed(f"{argv[0]} cannot be listened to: {error.strerror}") from None
    finally:
        _end(process)
        with _guard:
            _running.discard(process)


def _started(argv: Sequence[str], environ: Mapping[str, str], is_interactive: bool) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603  the kubeconfig's owner named it
            argv,
            env={**environ},
            stdin=None if is_interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=not is_interactive,
        )
    except FileNotFoundError:
        raise PluginMissing(f"{argv[0]} is not installed") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in an argument
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise PluginFailed(f"{argv[0]} cannot be run: {reason}") from None


class _Listening:
    """Reads both outputs of a process until it has ended."""

    def __init__(self, process: subprocess.Popen[bytes], is_interactive: bool) -> None:
        self._process = process
        self._is_shown = is_interactive  # to a person, at once
        self._answer = bytearray()
        self._words = bytearray()
        self._selector = selectors.DefaultSelector()
        for stream, take in ((process.stdout, self._take_answer), (process.stderr, self._take_words)):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
                self._selector.register(stream, selectors.EVENT_READ, take)

    def until_end(self, deadline: float, seconds: float, stop: Stop) -> Output:
        with self._selector:
            while not _has_ended(self._process):
                left = deadline - SYSTEM_CLOCK.now()
                if stop.is_set():
                    raise Interrupted("stopped")
                if left <= 0:
                    raise PluginFailed(f"did not answer within {seconds:g} s")
                self._read(min(left, _LOOK_SECONDS))
            _kill(self._process)  # what it has started, while its number is still its own
            for _ in range(_MAX_READS):  # what it had written before; the end of the pipe is not waited for
                if not self._read(0):
                    break
        return Output(self._process.wait(), SecretBytes(self._answer), bytes(self._words))

    def _read(self, seconds: float) -> bool:
        """Whether anything came."""
        came = False
        for key, _ in self._selector.select(seconds):
            try:
                data = os.read(key.fd, 1 << 16)
            except BlockingIOError:
                continue
            if data:
                came = True
                key.data(data)
            else:
                self._selector.unregister(key.fileobj)
        return came

    def _take_answer(self, data: bytes) -> None:
        self._answer += data
        if len(self._answer) > MAX_OUTPUT_BYTES:
            raise PluginFailed(f"answered with more than {MAX_OUTPUT_BYTES >> 20} MiB")

    def _take_words(self, data: bytes) -> None:
        if self._is_shown:
            sys.stderr.write(data.decode(errors="replace"))
            sys.stderr.flush()
        self._words = (self._words + data)[-MAX_WORDS_BYTES:]


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Without taking note of it: until then its number, which is its group's, is given to no other process."""
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # another part of this program waits for all children
        return True


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        has_group = os.getpgid(process.pid) == process.pid
        (os.killpg if has_group else os.kill)(process.pid, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    _kill(process)
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _end_all() -> None:
    """Threads that renew are not waited for at the end of the program; what they have started ends here."""
    with _guard:
        running = tuple(_running)
    for process in running:
        _kill(process)


atexit.register(_end_all)
