"""Faults that only a server can have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from btcctl.testing.faults.pace import Pace
from btcctl.testing.faults.refusing import TURN_SECONDS
from btcctl.testing.faults.server import FaultServer
from btcctl.testing.faults.spoiling import DroppedLines, is_bookmark
from btcctl.testing.faults.streams import End

InServer: TypeAlias = Callable[[FaultServer, Pace], None]

_UNSAVED = 20


def restart(server: FaultServer, _: Pace) -> None:
    server.restart()


def restart_from_backup(server: FaultServer, pace: Pace) -> None:
    """What came after the backup is gone, and versions are behind: nothing is written until that is found out."""
    with server.calm():
        backup = server.snapshot()
        with server.store() as store:
            for number in range(_UNSAVED):
                store.create((server.types[0].group, server.types[0].plural), _unsaved(server, number))
        pace.wait(10.0)
        server.restart(at=backup)
        pace.wait(4 * 70.0)


def change_definition(server: FaultServer, pace: Pace) -> None:
    server.define(server.types[0], f"C{pace.random.randrange(1_000_000)}")


def delete_definition(server: FaultServer, pace: Pace) -> None:
    with server.calm():
        server.undefine(server.types[0])
        pace.wait(30.0)
        server.define(server.types[0])


def expire_credentials(server: FaultServer, pace: Pace) -> None:
    with server.proxy.rule(server.expire_token()):
        server.proxy.end_watches(End.CLEAN)
        pace.wait(20.0)
        server.renew_token()
        pace.wait_for(lambda: server.proxy.open_watches() > 0, TURN_SECONDS)


def stay_quiet(server: FaultServer, pace: Pace) -> None:
    """Nothing is written, and no bookmark says so, as of a server whose watch cache is off."""
    with server.calm(), server.proxy.rule(DroppedLines(is_bookmark)):
        server.proxy.end_watches(End.CLEAN)
        pace.wait(6 * 70.0)


def _unsaved(server: FaultServer, number: int) -> dict[str, Any]:
    type_ = server.types[0]
    metadata = {"name": f"unsaved-{number}", "namespace": "default", "uid": f"unsaved-{number}"}
    return {"apiVersion": type_.api_version, "kind": type_.kind, "metadata": metadata, "spec": {"n": -number}}
