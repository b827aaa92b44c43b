"""etcd, kube-apiserver and kube-controller-manager of one control plane, as processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from btcctl.apiserver.network.kubeconfig import write_kubeconfig
from btcctl.clock import SYSTEM_CLOCK, Clock, sleep
from btcctl.errors import BtcctlError, DeadlineExceeded, TransportError
from btcctl.logging import get_logger
from btcctl.processes.keeper import Keeper
from btcctl.resources import CUSTOM_RESOURCE_DEFINITIONS
from btcctl.rest.client import ApiClient
from btcctl.rest.loading import load_config
from btcctl.rest.retry import RetryPolicy
from btcctl.rest.served import wait_until_served
from btcctl.rest.transport.transport import Request
from btcctl.testing.control_plane import kubeconfigs
from btcctl.testing.control_plane.binaries import API_SERVER, CONTROLLER_MANAGER, ETCD, Binaries
from btcctl.testing.control_plane.commands import (
    ACCOUNT_CONTROLLERS,
    ADDRESS,
    SERVICE_ADDRESS,
    Layout,
    api_server_command,
    controller_manager_command,
    etcd_command,
)
from btcctl.testing.control_plane.errors import ControlPlaneError, PortTaken
from btcctl.testing.control_plane.kubeconfigs import Endpoint
from btcctl.testing.control_plane.pki import Authority, make_token_keys
from btcctl.testing.control_plane.ports import free_ports
from btcctl.testing.control_plane.process import Exits, Program, own_proc

logger = get_logger(__name__)

ADMIN = "admin"
MASTERS = "system:masters"
START_SECONDS = 60.0
_TERMINATE_SECONDS = 70.0  # the API server gives requests in flight up to 60 s (--request-timeout)
_POLL_SECONDS = 0.05
_KEEPER_GRACE_SECONDS = 1.0
_STOP_SECONDS = 60.0  # a node's containers and files go with the keeper
_TAKEN = "address already in use"  # EADDRINUSE, as Go prints it
_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


class Surroundings(Protocol):
    """Where the programs run, if not among those of this machine."""

    wrapper: Sequence[str]
    addresses: Sequence[str]  #: of the API server there, beside loopback

    def enter(self, servers: Servers) -> None:
        """The keeper runs, and nothing else: see to it that the API server and etcd can be reached on loopback here.

        Raises:
            ControlPlaneError: It cannot be done.
        """

    def proc(self) -> Path:
        """Where processes are shown by the ids that they have there."""

    def leave(self) -> None:
        """Everything is over. Idempotent."""


class Servers:
    """The processes of one control plane, all in one run directory. Starts once.

    Args:
        run_dir: An existing directory; removed at the end, however this process ends.
        binaries: The programs.
        controllers: What the controller manager is to run; none, and it is not started.
        flags: More flags for the API server.
        manager_flags: And for the controller manager.
        clock: Measures waiting.
        surroundings: Where the programs run.
    """

    def __init__(
        self,
        run_dir: Path,
        binaries: Binaries,
        controllers: Sequence[str],
        flags: Sequence[str],
        manager_flags: Sequence[str] = (),
        clock: Clock = SYSTEM_CLOCK,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._clock = clock
        self._surroundings = surroundings
        self._exits = Exits(clock)
        wrapper = surroundings.wrapper if surroundings else ()
        self._keeper = Keeper(run_dir, self._exits, grace_seconds=_KEEPER_GRACE_SECONDS, clock=clock, wrapper=wrapper)
        self.authority = Authority(clock)
        self.layout = Layout(run_dir, *free_ports(3))
        self.endpoint = Endpoint(self.layout.url, self.authority.certificate)
        self.admin = run_dir / "admin.kubeconfig"
        manager = binaries.controller_manager if controllers else None
        self._makes_accounts = manager is not None and not ACCOUNT_CONTROLLERS.isdisjoint(controllers)
        self.etcd = self.program(ETCD, etcd_command(binaries, self.layout))
        self.api_server = self.program(
            API_SERVER, api_server_command(binaries, self.layout, flags, accounts=self._makes_accounts)
        )
        self.controller_manager: Program | None = None
        if manager is not None:
            command = controller_manager_command(manager, self.layout, self.admin, controllers, manager_flags)
            self.controller_manager = self.program(CONTROLLER_MANAGER, command)

    def start(self, timeout: float = START_SECONDS, definitions: Sequence[Mapping[str, Any]] = ()) -> None:
        """Start everything, and wait until it serves.

        Args:
            definitions: CustomResourceDefinitions to make before the controllers start.

        Raises:
            ControlPlaneError: It does not within `timeout` seconds; carries what the programs said.
        """
        self._write_files()
        self._keeper.start()
        if self._surroundings is not None:
            self._surroundings.enter(self)
        self.etcd.start()
        self.api_server.start()
        self.wait_until_ready(timeout)
        self._define(definitions, timeout)
        if self.controller_manager is not None:
            self.controller_manager.start()
            if self._makes_accounts:  # before it has, no Pod is admitted
                self._wait_for("/api/v1/namespaces/default/serviceaccounts/default", self.controller_manager, timeout)

    def stop(self) -> None:
        """End everything at once, and remove the directory. Idempotent."""
        for program in (self.controller_manager, self.api_server, self.etcd):
            if program is not None:
                program.send(signal.SIGKILL)
        self._keeper.stop(_STOP_SECONDS)
        if self._surroundings is not None:
            self._surroundings.leave()

    @property
    def pid(self) -> int:
        """Of the keeper, or of what it is wrapped in."""
        return self._keeper.pid

    def write_token_keys(self) -> None:
        """New ones, which an API server that is started afterwards signs and checks tokens with."""
        tokens = make_token_keys()
        _write(self.layout.token_public_key, tokens.public)
        _write(self.layout.token_key, tokens.private)

    def terminate(self) -> None:
        """SIGTERM to the API server, and wait for its end."""
        self.api_server.end(signal.SIGTERM, _TERMINATE_SECONDS)

    def wait_until_ready(self, timeout: float = START_SECONDS) -> None:
        """Wait until the API server serves.

        Raises:
            ControlPlaneError: It has ended, or does not serve within `timeout` seconds.
        """
        self._wait_for("/readyz", self.api_server, timeout)

    def _define(self, definitions: Sequence[Mapping[str, Any]], timeout: float) -> None:
        with ApiClient.from_config(load_config(self.admin)) as client:
            for each in definitions:
                client.resource(CUSTOM_RESOURCE_DEFINITIONS).create(each)
            for each in definitions:
                try:
                    wait_until_served(client, each["spec"], seconds=timeout, clock=self._clock)
                except (DeadlineExceeded, TransportError) as error:
                    self._give_up_if(self.api_server, error, is_late=True)

    def _wait_for(self, path: str, program: Program, timeout: float) -> None:
        """Until a GET succeeds."""
        deadline = self._clock.now() + timeout
        with ApiClient.from_config(load_config(self.admin), retries=RetryPolicy(attempts=1), timeout=5.0) as client:
            while True:
                try:
                    client.call(Request("GET", path))
                except BtcctlError as error:
                    self._give_up_if(program, error, self._clock.now() > deadline)
                else:
                    return
                sleep(_POLL_SECONDS, self._clock)

    def _give_up_if(self, program: Program, error: BtcctlError, is_late: bool) -> None:
        for each in (self.etcd, program):
            if each.pid is None:
                kind = PortTaken if _TAKEN in each.log() else ControlPlaneError
                raise kind(f"{each.name} ended with {each.exit_code}:\n{each.log_tail()}") from error
        if is_late:
            raise ControlPlaneError(f"{program.name} is not ready: {error}\n{program.log_tail()}") from error

    def _write_files(self) -> None:
        layout = self.layout
        others = self._surroundings.addresses if self._surroundings else ()
        server = self.authority.issue_server([ADDRESS, SERVICE_ADDRESS, *others], _NAMES)
        self.write_token_keys()
        _write(layout.authority, self.authority.certificate)
        _write(layout.authority_key, self.authority.key)
        _write(layout.certificate, server.certificate)
        _write(layout.key, server.key)
        pair = self.authority.issue_client(ADMIN, [MASTERS])
        write_kubeconfig(self.admin, kubeconfigs.with_certificate(self.endpoint, ADMIN, pair))

    def program(self, name: str, argv: Sequence[str]) -> Program:
        """One that ends with the others; not started yet."""
        proc = self._surroundings.proc if self._surroundings else own_proc
        return Program(self._keeper, self._exits, name, argv, proc)


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
