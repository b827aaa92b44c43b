"""Signals as calls, without a race between the handler and the code it interrupts."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence

from btcctl.threads import Runner

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def catching_signals(handle: Callable[[int], None], signals: Sequence[signal.Signals] = SIGNALS) -> Iterator[None]:
    """Call `handle` in a thread of its own for each signal that arrives while in the block.

    The interpreter writes the signal's number to a socket the moment it arrives, whatever the
    main thread is doing: nothing can be missed between a check and a wait.

    Raises:
        RuntimeError: Not called in the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("signals can only be caught in the main thread")
    inbox, outbox = socket.socketpair()
    outbox.setblocking(False)
    reader = Runner("signals", lambda stop: _read_signals(inbox, handle, {int(each) for each in signals}))
    with inbox, outbox:
        previous_fd = signal.set_wakeup_fd(outbox.fileno(), warn_on_full_buffer=False)
        previous = {each: signal.signal(each, lambda *_: None) for each in signals}
        try:
            reader.start()
            yield
        finally:
            for each, handler in previous.items():
                signal.signal(each, signal.SIG_DFL if handler is None else handler)
            signal.set_wakeup_fd(previous_fd)
            outbox.shutdown(socket.SHUT_RDWR)
            reader.stop()


def _read_signals(inbox: socket.socket, handle: Callable[[int], None], wanted: set[int]) -> None:
    """Ends when the other end is shut down."""
    while data := inbox.recv(64):
        for number in data:
            if number in wanted:
                handle(number)
