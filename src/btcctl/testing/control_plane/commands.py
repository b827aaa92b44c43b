"""The command lines of the three programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from btcctl.testing.control_plane.binaries import Binaries

ADDRESS = "127.0.0.1"
SERVICE_RANGE = "10.0.0.0/24"
SERVICE_ADDRESS = "10.0.0.1"  # of the Service `kubernetes`: the first of the range
ISSUER = "https://kubernetes.default.svc.cluster.local"

#: No endpoint slices, no node lifecycle: where no kubelet runs they only get in a test's way.
CONTROLLERS = (
    "statefulset-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "serviceaccount-controller",
    "disruption-controller",
    "root-ca-certificate-publisher-controller",
)

#: The one that makes a namespace's first ServiceAccount, and what it was called before 1.28.
ACCOUNT_CONTROLLERS = frozenset({"serviceaccount-controller", "serviceaccount", "*"})
_REPEATABLE = frozenset({"--tls-sni-cert-key", "--service-account-key-file", "--api-audiences"})


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the files of one control plane are, and its ports."""

    directory: Path
    api_server_port: int
    etcd_port: int
    peer_port: int

    @property
    def authority(self) -> Path:
        return self.directory / "ca.crt"

    @property
    def authority_key(self) -> Path:
        return self.directory / "ca.key"

    @property
    def certificate(self) -> Path:
        return self.directory / "server.crt"

    @property
    def key(self) -> Path:
        return self.directory / "server.key"

    @property
    def token_key(self) -> Path:
        return self.directory / "tokens.key"

    @property
    def token_public_key(self) -> Path:
        return self.directory / "tokens.pub"

    @property
    def etcd_url(self) -> str:
        return f"http://{ADDRESS}:{self.etcd_port}"

    @property
    def url(self) -> str:
        return f"https://{ADDRESS}:{self.api_server_port}"


def etcd_command(binaries: Binaries, layout: Layout) -> list[str]:
    """One member, whose data need not outlive the power."""
    peer = f"http://{ADDRESS}:{layout.peer_port}"
    return [
        str(binaries.etcd),
        "--name=default",
        f"--data-dir={layout.directory / 'etcd'}",
        f"--listen-client-urls={layout.etcd_url}",
        f"--advertise-client-urls={layout.etcd_url}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def api_server_command(binaries: Binaries, layout: Layout, extra: Sequence[str], *, accounts: bool) -> list[str]:
    """The API server.

    Args:
        extra: More flags. One that is there already is replaced: of a list, kube-apiserver would add the values up.
        accounts: Whether a controller makes the ServiceAccounts that the admission of Pods insists on.
    """
    ours = [
        f"--etcd-servers={layout.etcd_url}",
        f"--bind-address={ADDRESS}",
        f"--advertise-address={ADDRESS}",
        "--endpoint-reconciler-type=none",  # loopback cannot be an endpoint
        f"--secure-port={layout.api_server_port}",
        f"--cert-dir={layout.directory}",
        f"--tls-cert-file={layout.certificate}",
        f"--tls-private-key-file={layout.key}",
        f"--client-ca-file={layout.authority}",
        "--authorization-mode=RBAC",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={layout.token_public_key}",
        f"--service-account-signing-key-file={layout.token_key}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--allow-privileged=true",
        "--shutdown-watch-termination-grace-period=2s",  # without it one open watch delays the end by a minute
        *([] if accounts else ["--disable-admission-plugins=ServiceAccount"]),
    ]
    return [str(binaries.api_server), *last_of_each([*ours, *extra])]


def last_of_each(flags: Sequence[str]) -> list[str]:
    """Of flags of one name the last, but of those that are meant to be given several times all."""
    last = {_name_of(flag): place for place, flag in enumerate(flags)}
    return [flag for place, flag in enumerate(flags) if last[_name_of(flag)] == place or _name_of(flag) in _REPEATABLE]


def _name_of(flag: str) -> str:
    return flag.partition("=")[0]


def controller_manager_command(
    program: Path, layout: Layout, kubeconfig: Path, controllers: Sequence[str], extra: Sequence[str] = ()
) -> list[str]:
    """The controller manager, alone and without a port of its own.

    Args:
        extra: More flags; one that is there already is replaced.
    """
    ours = [
        f"--kubeconfig={kubeconfig}",
        f"--controllers={','.join(controllers)}",
        "--leader-elect=false",
        "--secure-port=0",
        f"--root-ca-file={layout.authority}",
        f"--service-account-private-key-file={layout.token_key}",
        f"--cluster-signing-cert-file={layout.authority}",
        f"--cluster-signing-key-file={layout.authority_key}",
        "--use-service-account-credentials=false",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--concurrent-gc-syncs=4",
    ]
    return [str(program), *last_of_each([*ours, *extra])]
