"""What a node's programs read, and their command lines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from btcctl.testing.node.networks import Family
from btcctl.testing.node.pause import PAUSE_IMAGE
from btcctl.testing.node.programs import NodePrograms

SOCKET = "/run/containerd/containerd.sock"
CLUSTER_DOMAIN = "cluster.local"
_OPEN_FILES = 20_000  # kubelet's default of a million is more than root may have in a virtual machine's session
_CNI_VERSION = "0.4.0"


@dataclass(frozen=True, slots=True)
class Place:
    """Of one node.

    Attributes:
        name: Of the node.
        files: A folder for configurations.
        data: A folder on the real file system, for images and pods.
        cgroup: Under which pods are put.
        authority: Of the control plane.
    """

    name: str
    files: Path
    data: Path
    cgroup: str
    authority: Path
    families: Sequence[Family]


def containerd_command(programs: NodePrograms, place: Place) -> list[str]:
    """containerd. Its configuration is of version 2, which 1.6 has and 2.x still reads."""
    config = f"""\
version = 2
root = "{place.data}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", \
"io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
[grpc]
address = "{SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{programs.plugins}"
conf_dir = "{place.files}/cni"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = "{programs.runc}"
SystemdCgroup = false
"""
    return [str(programs.containerd), "--config", str(_write(place.files / "containerd.toml", config))]


def write_network(place: Place, ranges: Mapping[str, Any] | None = None) -> None:
    """The network of pods: a bridge; containerd reads it again when it changes.

    Args:
        ranges: More of the first family's range of addresses: `rangeStart`, `rangeEnd`.
    """
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "isDefaultGateway": True,
        "hairpinMode": True,
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "dataDir": "/run/cni",  # else addresses would leak over restarts
            "ranges": [
                [{"subnet": each.pods, **((ranges or {}) if number == 0 else {})}]
                for number, each in enumerate(place.families)
            ],
        },
    }
    config = {"cniVersion": _CNI_VERSION, "name": "pods", "plugins": [bridge]}
    # Within the folder: of one that comes from elsewhere containerd hears that it was made, and reads nothing.
    fresh = _write(place.files / "cni" / "10-pods.new", json.dumps(config, indent=1))
    fresh.rename(place.files / "cni" / "10-pods.conflist")


def kubelet_command(
    programs: NodePrograms, place: Place, kubeconfig: Path, extra: Mapping[str, Any], *, dns: bool
) -> list[str]:
    """The kubelet, which may be asked by anybody: it is alone in its network.

    Args:
        extra: More of its configuration; wins.
        dns: Whether there is a DNS server on the node.
    """
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": place.cgroup,
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "authentication": {
            "anonymous": {"enabled": True},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": str(place.authority)},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "failSwapOn": False,
        "protectKernelDefaults": True,
        "clusterDNS": [place.families[0].node] if dns else [],
        "clusterDomain": CLUSTER_DOMAIN,
        "resolvConf": "",
        "maxOpenFiles": _OPEN_FILES,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "2%", "imagefs.available": "2%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "volumePluginDir": f"{place.data}/volume-plugins",
        **extra,
    }
    return [
        str(programs.kubelet),
        f"--config={_write(place.files / 'kubelet.yaml', yaml.safe_dump(config))}",
        f"--kubeconfig={kubeconfig}",
        f"--root-dir={place.data}/kubelet",
        f"--cert-dir={place.files}/kubelet-certificates",
        f"--node-ip={','.join(each.node for each in place.families)}",
        f"--hostname-override={place.name}",
    ]


def proxy_command(programs: NodePrograms, place: Place, kubeconfig: Path) -> list[str]:
    """kube-proxy, by nftables. What it would set of conntrack is the whole machine's."""
    config = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "mode": "nftables",
        "clusterCIDR": ",".join(each.pods for each in place.families),
        "hostnameOverride": place.name,
        "conntrack": {"maxPerCore": 0, "min": 0},
        "nftables": {"minSyncPeriod": "100ms"},
    }
    return [str(programs.proxy), f"--config={_write(place.files / 'proxy.yaml', yaml.safe_dump(config))}"]


def scheduler_command(programs: NodePrograms, kubeconfig: Path) -> list[str]:
    """kube-scheduler, alone and without a port."""
    flags = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    return [
        str(programs.scheduler),
        *(f"--{each}={kubeconfig}" for each in flags),
        "--leader-elect=false",
        "--secure-port=0",
    ]


def dns_command(program: Path, place: Place, kubeconfig: Path) -> list[str]:
    """CoreDNS, as a process of the node's."""
    config = f"""\
.:53 {{
    bind {" ".join(each.node for each in place.families)}
    errors
    ready 127.0.0.1:8181
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {{
        kubeconfig {kubeconfig}
    }}
}}
"""
    return [str(program), "-conf", str(_write(place.files / "Corefile", config))]


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
