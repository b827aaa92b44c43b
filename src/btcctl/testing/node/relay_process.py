"""Ports of a network namespace, on loopback of this one: a program in either finds a server at the same address.

`namespaces.py` runs this file as a script with `python -S -I`, so it imports the standard library only. A socket stays
in the namespace that it was made in: those that listen are made before the process enters the other one, those that
connect after. It says "ready" on stdout, and ends with its stdin.

    relay_process.py NETWORK_NAMESPACE PORT…
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import os
import socket
import sys
from pathlib import Path

ADDRESS = "127.0.0.1"
_CLONE_NEWNET = 0x40000000  # linux/sched.h
_CHUNK = 65536


def enter(namespace: str) -> None:
    """As `os.setns` does from Python 3.12 on.

    Raises:
        OSError: It cannot be entered.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(namespace).open("rb") as file:
        if libc.setns(file.fileno(), _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), namespace)


def listening(port: int) -> socket.socket:
    """Here, with room for many that come at once."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((ADDRESS, port))
    server.listen(256)
    return server


async def relay(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, both ways. If there is no server it is reset, as a refused one would be a moment earlier."""
    try:
        far_reader, far_writer = await asyncio.open_connection(ADDRESS, port)
    except OSError:
        writer.transport.abort()
        return
    await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
    for each in (writer, far_writer):
        each.close()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """To the end of what comes; a connection that breaks on one side breaks on the other."""
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()
    except OSError:
        writer.transport.abort()


async def serve(servers: dict[int, socket.socket]) -> None:
    """Until stdin ends."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, ended.set)  # nobody writes to it
    for port, server in servers.items():
        await asyncio.start_server(functools.partial(relay, port), sock=server)
    os.write(1, b"ready\n")
    await ended.wait()


def main() -> None:
    servers = {int(port): listening(int(port)) for port in sys.argv[2:]}
    enter(sys.argv[1])
    asyncio.run(serve(servers))


if __name__ == "__main__":
    main()
