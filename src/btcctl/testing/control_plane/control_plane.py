"""A control plane as a test sees it."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from btcctl import codecs
from btcctl.apiserver.network.kubeconfig import write_kubeconfig
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import ConfigError
from btcctl.named_files import read_file
from btcctl.processes.run_directory import new_run_directory
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.loading import load_config
from btcctl.rest.transport.transport import Request
from btcctl.secret import ENVIRON
from btcctl.testing.control_plane import kubeconfigs
from btcctl.testing.control_plane.binaries import Binaries, find_binaries
from btcctl.testing.control_plane.commands import CONTROLLERS
from btcctl.testing.control_plane.errors import ControlPlaneError, NotOurs, PortTaken
from btcctl.testing.control_plane.etcd import Etcd
from btcctl.testing.control_plane.kubeconfigs import Endpoint
from btcctl.testing.control_plane.process import Program
from btcctl.testing.control_plane.servers import ADMIN, MASTERS, START_SECONDS, Servers, Surroundings
from btcctl.testing.control_plane.signing import sign_client

TOKEN_SECONDS = 3600
_ATTEMPTS = 3  # a port that was free a moment ago may be taken


@dataclass(frozen=True, slots=True)
class ControlPlaneOptions:
    """What may be chosen; every default is good.

    Attributes:
        binaries: The programs; looked for if None.
        controllers: What kube-controller-manager runs, by the names its --help lists. It is
            started where it is found and something is asked for.
        api_server_flags: More flags for kube-apiserver, as --name=value; the last of a name wins.
        controller_manager_flags: Likewise for kube-controller-manager.
        definitions: CustomResourceDefinitions to make before the controllers start. Of those made
            later, the real garbage collector takes half a minute and more to notice.
        start_seconds: How long the start may take.
    """

    binaries: Binaries | None = None
    controllers: Sequence[str] = CONTROLLERS
    api_server_flags: Sequence[str] = ()
    controller_manager_flags: Sequence[str] = ()
    definitions: Sequence[Mapping[str, Any]] = ()
    start_seconds: float = START_SECONDS


class ControlPlane:
    """A real etcd and kube-apiserver on loopback, with TLS and RBAC, empty and ready in seconds.

    A context manager; starts once. Everything is gone after `stop`, and also after this process
    has died in any way. With USE_EXISTING_CLUSTER=true the cluster of the current kubeconfig is
    used as it is, and what only one of our own can do raises NotOurs.

    Args:
        options: What may be chosen.
        environ: Where programs, USE_EXISTING_CLUSTER and KUBECONFIG are looked up.
        clock: Measures waiting.
        surroundings: Where the programs run, if not here; `btcctl.testing.Node` has some.
    """

    def __init__(
        self,
        options: ControlPlaneOptions = ControlPlaneOptions(),
        *,
        environ: Mapping[str, str] = ENVIRON,
        clock: Clock = SYSTEM_CLOCK,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._options = options
        self._surroundings = surroundings
        self._environ = environ
        self._clock = clock
        self._servers: Servers | None = None
        self._given: ClientConfig | None = None
        self._kubeconfigs = Path()
        self._written = 0
        self._clients: list[ApiClient] = []

    def start(self) -> None:
        """Start everything and wait until it serves.

        Raises:
            BinariesMissing: A program was not found.
            ControlPlaneError: It does not come up; carries what the programs said.
            ConfigError: USE_EXISTING_CLUSTER is set and no cluster is configured.
        """
        if self._surroundings is None and self._environ.get("USE_EXISTING_CLUSTER", "").lower() == "true":
            self._given = load_config(environ=self._environ)
            self._kubeconfigs = Path(tempfile.mkdtemp(prefix="btcctl-kubeconfigs-"))
            return
        binaries = self._options.binaries or find_binaries(self._environ)
        # Surroundings have ports of their own.
        for _ in range(_ATTEMPTS - 1 if self._surroundings is None else 0):
            with suppress(PortTaken):
                self._start_own(binaries)
                return
        self._start_own(binaries)

    def _start_own(self, binaries: Binaries) -> None:
        options = self._options
        run_dir = new_run_directory()
        self._kubeconfigs = run_dir
        self._servers = Servers(
            run_dir,
            binaries,
            options.controllers,
            options.api_server_flags,
            options.controller_manager_flags,
            self._clock,
            self._surroundings,
        )
        with ExitStack() as if_it_fails:
            if_it_fails.callback(self.stop)
            self._servers.start(options.start_seconds, options.definitions)
            if_it_fails.pop_all()

    def stop(self) -> None:
        """End everything at once and close every client made here. Idempotent."""
        while self._clients:
            self._clients.pop().close()
        if self._servers is not None:
            self._servers.stop()
        elif self._given is not None:
            shutil.rmtree(self._kubeconfigs, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Of the API server."""
        return self._endpoint().url

    @property
    def authority(self) -> bytes:
        """The PEM certificates that the API server's is checked with."""
        return self._endpoint().authority

    @property
    def is_existing(self) -> bool:
        """Whether this is a given cluster, and not one of our own."""
        return self._given is not None

    @property
    def has_controllers(self) -> bool:
        """Whether a controller manager of our own runs."""
        return self._servers is not None and self._servers.controller_manager is not None

    @property
    def etcd(self) -> Etcd:
        """Asks etcd itself."""
        return Etcd(self._ours("look into etcd").layout.etcd_url)

    def kubeconfig(self, user: str = ADMIN, groups: Sequence[str] | None = None) -> Path:
        """Write a kubeconfig for a user, made up on the spot: RBAC says what it may do.

        Args:
            user: Its name.
            groups: The groups it is in; None puts `admin` into system:masters, and others nowhere.

        Returns:
            A file that lives as long as the control plane.

        Raises:
            ControlPlaneError: A given cluster does not sign certificates.
        """
        if self._given is None:
            wanted = ([MASTERS] if user == ADMIN else []) if groups is None else groups
            pair = self._ours("issue a certificate").authority.issue_client(user, wanted)
        elif user == ADMIN and groups is None:
            return self._given_kubeconfig()
        else:
            with self._admin_client() as client:
                pair = sign_client(client, user, groups or [], self._clock)
        return self._write(user, kubeconfigs.with_certificate(self._endpoint(), user, pair))

    def service_account_kubeconfig(self, namespace: str, name: str, *, seconds: int = TOKEN_SECONDS) -> Path:
        """Write a kubeconfig with a fresh token of a ServiceAccount, which must exist.

        Args:
            seconds: How long the token is good for; 600 at least.

        Raises:
            NotFound: There is no such ServiceAccount.
        """
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        }
        request = Request("POST", path, {}, {"Content-Type": "application/json"}, codecs.encode(body))
        with self._admin_client() as client:
            answer = codecs.decode(client.call(request).body)
        return self._write(
            f"{namespace}-{name}",
            kubeconfigs.with_token(self._endpoint(), f"{namespace}/{name}", answer["status"]["token"], namespace),
        )

    def client(self, user: str = ADMIN, groups: Sequence[str] | None = None, **options: Any) -> ApiClient:
        """A client for a user, as `kubeconfig` makes it. Closed by `stop` at the latest.

        Args:
            options: Those of ApiClient.
        """
        if self._given is not None and user == ADMIN and groups is None:
            return self._kept(ApiClient.from_config(self._given, **options))
        return self.client_from(self.kubeconfig(user, groups), **options)

    def client_from(self, kubeconfig: Path, **options: Any) -> ApiClient:
        """A client for a kubeconfig. Closed by `stop` at the latest."""
        return self._kept(ApiClient.from_config(load_config(kubeconfig), **options))

    def wait_until_ready(self, timeout: float = START_SECONDS) -> None:
        """Wait until the API server serves.

        Raises:
            ControlPlaneError: It does not.
        """
        self._ours("wait for the API server").wait_until_ready(timeout)

    def restart(self) -> None:
        """Start the API server again, on the same address and data; ends it first if it runs."""
        servers = self._ours("restart the API server")
        servers.terminate()
        servers.api_server.start()
        servers.wait_until_ready()

    def renew_token_key(self) -> None:
        """Sign tokens of ServiceAccounts with another key: all that were given out are refused from now on.

        The API server is restarted for it.
        """
        self._ours("renew its key").write_token_keys()
        self.restart()

    def terminate(self) -> None:
        """End the API server in good order (SIGTERM); `restart` brings it back."""
        self._ours("terminate the API server").terminate()

    def kill(self) -> None:
        """End the API server as a crash does (SIGKILL); `restart` brings it back."""
        self._ours("kill the API server").api_server.end(signal.SIGKILL)

    def pause(self) -> None:
        """Freeze the API server (SIGSTOP): connections stay open, and nothing is answered from when this returns."""
        self._ours("pause the API server").api_server.freeze()

    def resume(self) -> None:
        """Let it run on."""
        self._ours("resume the API server").api_server.send(signal.SIGCONT)

    def compact(self) -> int:
        """Have etcd forget every state but the newest; returns its resourceVersion.

        The API server still serves watches from its own memory, until it restarts, and lists of
        old states for up to 15 s (1.34 and newer: how often it looks what has been compacted).
        """
        return self.etcd.compact()

    def log(self, name: str = "kube-apiserver") -> str:
        """What etcd, kube-apiserver or kube-controller-manager has printed."""
        servers = self._ours("read a log")
        programs = (servers.etcd, servers.api_server, servers.controller_manager)
        return next(each.log() for each in programs if each is not None and each.name == name)

    def program(self, name: str, argv: Sequence[str]) -> Program:
        """One more that ends with the others, and can be started, frozen and killed; not started yet.

        Args:
            name: Of its log.
        """
        return self._ours("start a program").program(name, argv)

    @property
    def directory(self) -> Path:
        """Of certificates, kubeconfigs and logs: goes with the control plane."""
        return self._ours("find its files").layout.directory

    def _ours(self, wish: str) -> Servers:
        if self._servers is None:
            if self._given is None:
                raise ControlPlaneError("the control plane is not started")
            raise NotOurs(f"cannot {wish}: USE_EXISTING_CLUSTER is set ({self._given.source})")
        return self._servers

    def _endpoint(self) -> Endpoint:
        if self._given is None:
            return self._ours("find it").endpoint
        tls = self._given.tls
        authority = read_file(tls.ca_file) if tls.ca_file is not None else tls.ca_data
        return Endpoint(self._given.host, authority or b"")

    def _given_kubeconfig(self) -> Path:
        usual = Path(self._environ.get("HOME") or Path.home()) / ".kube" / "config"
        path = Path(self._environ.get("KUBECONFIG") or usual)
        if not path.is_file():
            raise NotOurs(f"cannot write a kubeconfig for {ADMIN}: give one file in KUBECONFIG")
        return path

    def _admin_client(self) -> ApiClient:
        config = self._given or load_config(self._ours("speak to it").admin)
        return ApiClient.from_config(config)

    def _kept(self, client: ApiClient) -> ApiClient:
        self._clients.append(client)
        return client

    def _write(self, name: str, config: dict[str, Any]) -> Path:
        self._written += 1
        safe = "".join(each if each.isalnum() else "-" for each in name)
        path = self._kubeconfigs / f"{self._written}-{safe}.kubeconfig"
        try:
            write_kubeconfig(path, config)
        except OSError as error:
            raise ConfigError(f"cannot write a kubeconfig: {error}") from error
        return path
