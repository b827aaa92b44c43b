"""Two processes that want one lease, and what befalls the one that has it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field

from btcctl.rest.client import ApiClient
from tests.integration.leaderelection.network import Network
from tests.integration.leaderelection.oracle import Verdict, judge
from tests.integration.leaderelection.servers import USERS, Audited
from tests.integration.leaderelection.writer import Orders
from tests.integration.support import eventually

TIMING = (3.0, 1.5, 0.4)  # lease, deadline, retry: the margin of 1.5 s is for a machine that is busy
LEASE = "duel"
PATIENCE_SECONDS = 60.0
STAYS_SECONDS = 0.5  # how long a new leader works before the old one comes back


class Fighter:
    """One process, its network, and what it has said."""

    def __init__(self, orders: Orders, network: Network) -> None:
        self.network = network
        command = [sys.executable, "-m", "tests.integration.leaderelection.writer", json.dumps(asdict(orders))]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    @property
    def name(self) -> str:
        return str(self.process.pid)

    def has_seen_the_lease(self) -> bool:
        return f"{self.name}.lease" in self.network.arrived()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Wait for its end; its status, and what it said."""
        said, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, said


@dataclass
class Duel:
    """Keeps two processes alive, and does something to the leader in each round."""

    server: Audited
    namespace: str
    networks: dict[str, Network]
    admin: ApiClient
    is_fenced: bool = True
    fighters: dict[str, Fighter] = field(default_factory=dict)
    overtaken: dict[str, int] = field(default_factory=dict)
    ends: list[tuple[str, int, str]] = field(default_factory=list)  #: what was done, the status, and the last words
    revived: int = 0  #: how many ended although nothing was done to them: a busy machine let them miss their deadline

    def start(self, user: str) -> None:
        network = self.networks[user]
        orders = Orders(network.url, self.server.token(user), self.namespace, LEASE, TIMING, self.is_fenced)
        self.fighters[user] = Fighter(orders, network)

    def leader(self) -> str:
        """The user whose process wrote last, "" if that one has ended."""
        writer = self._last_writer()
        alive = (user for user, each in self.fighters.items() if each.process.poll() is None and each.name == writer)
        return next(alive, "")

    def round(self, kind: str) -> None:
        """Do `kind` to the leader, wait until the other leads, let the old one come back and end, replace it."""
        eventually(self._is_ready, PATIENCE_SECONDS)
        user = eventually(self.leader, PATIENCE_SECONDS)
        victim = self.fighters[user]
        getattr(self, f"_{kind}")(victim)
        eventually(lambda: self._revive(but=user) and self.leader() not in {"", user}, PATIENCE_SECONDS)
        threading.Event().wait(STAYS_SECONDS)
        victim.send(signal.SIGCONT)
        victim.network.mend()
        status, said = self._replace(user)
        self.ends.append((kind, status, said))

    def verdict(self) -> Verdict:
        arrived = {name: at for each in self.networks.values() for name, at in each.arrived().items()}
        return judge(self.server.audit(), arrived, self.overtaken)

    def _is_ready(self) -> bool:
        """Whether one leads and the other has seen the lease."""
        self._revive()
        return self.leader() != "" and all(each.has_seen_the_lease() for each in self.fighters.values())

    def _revive(self, but: str = "") -> bool:
        """Start those that have ended again; True."""
        for user, each in list(self.fighters.items()):
            if user != but and each.process.poll() is not None:
                self._replace(user)
                self.revived += 1
        return True

    def _replace(self, user: str) -> tuple[int, str]:
        """Wait for the end of a user's process and start another; the status of the old one, and what it said."""
        old = self.fighters[user]
        status, said = old.end()
        counted = re.search(r"overtaken (\d+)", said)
        self.overtaken[old.name] = int(counted[1]) if counted else 0
        self.start(user)
        return status, said

    def _kill(self, victim: Fighter) -> None:
        victim.send(signal.SIGKILL)

    def _pause(self, victim: Fighter) -> None:
        victim.send(signal.SIGSTOP)

    def _partition(self, victim: Fighter) -> None:
        victim.network.cut()

    def _terminate(self, victim: Fighter) -> None:
        victim.send(signal.SIGTERM)

    def _last_writer(self) -> str:
        found = self.admin.get_json(f"/api/v1/namespaces/{self.namespace}/configmaps/written-0")
        return str((found.get("data") or {}).get("writer", ""))


@contextmanager
def duel(server: Audited, namespace: str, *, is_fenced: bool = True) -> Iterator[Duel]:
    """Two processes, started; killed afterwards."""
    with ExitStack() as stack:
        networks = {user: stack.enter_context(Network(server.url)) for user in USERS}
        found = Duel(server, namespace, networks, stack.enter_context(server.client()), is_fenced)
        for user in USERS:
            found.start(user)
        try:
            yield found
        finally:
            for each in found.fighters.values():
                each.send(signal.SIGKILL)
                each.process.communicate()
