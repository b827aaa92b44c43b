"""The programs of a node, and whether a node can be started here at all."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from btcctl.secret import ENVIRON
from btcctl.testing.control_plane.binaries import find_binary
from btcctl.testing.control_plane.errors import BinariesMissing

KUBELET = "kubelet"
SCHEDULER = "kube-scheduler"
PROXY = "kube-proxy"
DNS = "coredns"
#: What `make controlplane` builds; kubelet, scheduler and proxy are to be of the API server's version.
BUILT = (KUBELET, SCHEDULER, PROXY)
#: What a distribution has; by program the package that Debian has it in.
INSTALLED = {
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "nft": "nftables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "catatonit": "catatonit",
}
PLUGINS = ("bridge", "host-local", "loopback")
_PLUGIN_FOLDERS = ("/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni")
_SYSTEM_PATH = ("/usr/sbin", "/sbin")
_PLUGIN_PACKAGE = "containernetworking-plugins"


@dataclass(frozen=True, slots=True)
class NodePrograms:
    """Where they are.

    Attributes:
        dns: None where there is no CoreDNS: then names of Services do not resolve.
        plugins: The folder of the CNI plugins.
        pause: A static program that waits; what a pod's sandbox runs.
    """

    kubelet: Path
    scheduler: Path
    proxy: Path
    dns: Path | None
    containerd: Path
    ctr: Path
    runc: Path
    pause: Path
    plugins: Path


def find_node_programs(environ: Mapping[str, str] = ENVIRON) -> NodePrograms:
    """kubelet, kube-scheduler, kube-proxy and coredns where a control plane's programs are, the others on PATH.

    Raises:
        BinariesMissing: Some are not there; names all of them.
    """
    missing = list(_missing_programs(environ))
    if missing:
        raise BinariesMissing("; ".join(missing))
    built = {name: find_binary(name, environ) for name in (*BUILT, DNS)}
    found = {name: Path(_on_path(name, environ) or "") for name in INSTALLED}
    folder = _plugin_folder()
    kubelet, scheduler, proxy = (built[name] for name in BUILT)
    assert kubelet and scheduler and proxy and folder  # noqa: S101, PT018
    return NodePrograms(
        kubelet=kubelet,
        scheduler=scheduler,
        proxy=proxy,
        dns=built[DNS],
        containerd=found["containerd"],
        ctr=found["ctr"],
        runc=found["runc"],
        pause=found["catatonit"],
        plugins=folder,
    )


def why_no_node(environ: Mapping[str, str] = ENVIRON) -> str:
    """Why a node cannot be started here, in one line; "" if it can, as far as can be seen."""
    if sys.platform != "linux":
        return "a node needs Linux"
    if os.geteuid() != 0:
        return "a node needs root"
    return "; ".join(_missing_programs(environ))


def _missing_programs(environ: Mapping[str, str]) -> Iterator[str]:
    built = [name for name in BUILT if find_binary(name, environ) is None]
    if built:
        yield f"no {', '.join(built)}: build them once with `make controlplane`"
    installed = [name for name in INSTALLED if _on_path(name, environ) is None]
    packages = {INSTALLED[name] for name in installed}
    if _plugin_folder() is None:
        installed.append("CNI plugins")
        packages.add(_PLUGIN_PACKAGE)
    if installed:
        yield f"no {', '.join(installed)}: apt-get install {' '.join(sorted(packages))}"


def _on_path(name: str, environ: Mapping[str, str]) -> str | None:
    return shutil.which(name, path=":".join((environ.get("PATH", ""), *_SYSTEM_PATH)))


def _plugin_folder() -> Path | None:
    for folder in map(Path, _PLUGIN_FOLDERS):
        if all(os.access(folder / each, os.X_OK) for each in PLUGINS):
            return folder
    return None
