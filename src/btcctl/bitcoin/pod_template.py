"""The pods of a network, as its StatefulSet's template has them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from btcctl.bitcoin.spec.chains import DEFAULT_PORTS, REGTEST, Ports
from btcctl.bitcoin.spec.config_lines import option_names
from btcctl.bitcoin.spec.model import NetworkSpec
from btcctl.bitcoin.spec.pod_parts import container_fields, pod_fields, pull_policy
from btcctl.bitcoin.spec.quantities import mebibytes

SYNCED_GATE: Final = "bitcoincontroller.christianb93.github.com/synced"  #: a condition of pods: the node has had it
DATA_VOLUME: Final = "data"
DATA_DIR: Final = "/home/bitcoin/.bitcoin"
PROBE_PATH: Final = "/rest/chaininfo.json"
STARTUP_SECONDS: Final = 3600
MEMORY_LIMIT_MIB: Final = 768
USER_KEY: Final = "BC_RPC_USER"
PASSWORD_KEY: Final = "BC_RPC_PASSWORD"  # noqa: S105 - a key's name
# The credentials of a network without `spec.secret`, known to everybody since the first controller.
DEFAULT_USER: Final = "user"
DEFAULT_PASSWORD: Final = "password"  # noqa: S105
NETWORK_KEY: Final = "BC_NETWORK"
CHALLENGE_KEY: Final = "BC_SIGNET_CHALLENGE"
RPC_PORT_KEY: Final = "BC_RPC_PORT"
P2P_PORT_KEY: Final = "BC_P2P_PORT"
CONFIG_KEY: Final = "BC_CONFIG"
SNAPSHOT_KEY: Final = "BC_SNAPSHOT"
UTXO_SNAPSHOT_KEY: Final = "BC_UTXO_SNAPSHOT"
SNAPSHOT_DIR: Final = "/snapshot"
RPC_BIND_KEY: Final = "BC_RPC_BIND"
IPS_KEY: Final = "BC_POD_IPS"


@dataclass(frozen=True, slots=True)
class ChildOptions:
    """What the operator's user may choose about the pods."""

    node_image: str
    rpc_port: int = 18443  #: on regtest, where a network does not say
    p2p_port: int = 18444  #: on regtest, where a network does not say
    gated: bool = False  #: pods are ready only once we have said that they have the network's chain

    def ports(self, spec: NetworkSpec) -> Ports:
        """Where the nodes of a network listen."""
        chain = Ports(self.rpc_port, self.p2p_port) if spec.network == REGTEST else DEFAULT_PORTS[spec.network]
        return Ports(spec.rpc_port or chain.rpc, spec.p2p_port or chain.p2p)

    def image(self, spec: NetworkSpec) -> str:
        return spec.image or self.node_image


def build_template(
    spec: NetworkSpec,
    options: ChildOptions,
    *,
    labels: Mapping[str, str],
    selector: Mapping[str, str],
    annotations: Mapping[str, str],
) -> dict[str, Any]:
    """`spec.template` of a StatefulSet.

    Args:
        labels: Ours; they win against those that `spec` asks for.
        selector: Those of them that no other network's pods have.
        annotations: Ours; they win, too.
    """
    metadata: dict[str, Any] = {"labels": {**spec.pod_labels, **labels}}
    if spec.pod_annotations or annotations:
        metadata["annotations"] = {**spec.pod_annotations, **annotations}
    return {"metadata": metadata, "spec": _pod_spec(spec, options, selector)}


def _pod_spec(spec: NetworkSpec, options: ChildOptions, selector: Mapping[str, str]) -> dict[str, Any]:
    volumes: list[dict[str, Any]] = [{"name": "tmp", "emptyDir": {}}]
    if spec.storage is None:
        volumes.insert(0, {"name": DATA_VOLUME, "emptyDir": {}})
    if spec.snapshot is not None:
        volumes.append(
            {"name": "snapshot", "persistentVolumeClaim": {"claimName": spec.snapshot.claim_name, "readOnly": True}}
        )
    return {
        **({"readinessGates": [{"conditionType": SYNCED_GATE}]} if options.gated else {}),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "runAsGroup": 1000,
            "fsGroup": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(spec, options)],
        "volumes": volumes,
        **pod_fields(spec, selector),
    }


def _container(spec: NetworkSpec, options: ChildOptions) -> dict[str, Any]:
    image, ports = options.image(spec), options.ports(spec)
    return {
        "name": "bitcoind",
        "image": image,
        "imagePullPolicy": pull_policy(spec, image),
        "args": _arguments(spec),
        "ports": [
            {"name": "rpc", "containerPort": ports.rpc},
            {"name": "p2p", "containerPort": ports.p2p},
        ],
        "env": [*_credentials_env(spec.secret), *_BIND_ENV, *_settings_env(spec)],
        # Answers 503 in warm-up and needs no credentials.
        "readinessProbe": {
            "httpGet": {"path": PROBE_PATH, "port": "rpc"},
            "periodSeconds": 2,
            "timeoutSeconds": 2,
            "failureThreshold": 3,
        },
        # A chain of any length may be loaded, or verified after a crash: an hour, then Kubernetes tries again.
        "startupProbe": {
            "httpGet": {"path": PROBE_PATH, "port": "rpc"},
            "periodSeconds": 2,
            "timeoutSeconds": 2,
            "failureThreshold": STARTUP_SECONDS // 2,
        },
        # By HTTP, because the kernel accepts connections for a process that hangs. Two minutes, because an
        # overloaded node answers 503, too, and is not helped by being killed.
        "livenessProbe": {
            "httpGet": {"path": PROBE_PATH, "port": "rpc"},
            "periodSeconds": 20,
            "timeoutSeconds": 10,
            "failureThreshold": 6,
        },
        # What the node said last, in the pod's status if it crashes.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        # A node on regtest was measured at 51-53 MiB; its database cache grows with the chain.
        "resources": {"requests": {"cpu": "25m", "memory": "96Mi"}, "limits": {"memory": f"{MEMORY_LIMIT_MIB}Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": _mounts(spec),
        **container_fields(spec),
    }


def _mounts(spec: NetworkSpec) -> list[dict[str, Any]]:
    mounts: list[dict[str, Any]] = [
        {"name": DATA_VOLUME, "mountPath": DATA_DIR},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
    ]
    if spec.snapshot is not None:
        mounts.append({"name": "snapshot", "mountPath": SNAPSHOT_DIR, "readOnly": True})
    return mounts


def _arguments(spec: NetworkSpec) -> list[str]:
    """bitcoind's; what `spec.config` sets itself is left to it, because an argument would win."""
    arguments = memory_arguments(_memory_limit(spec))
    chosen = option_names([*spec.config, *(line for each in spec.node_overrides for line in each.config)])
    return [each for each in arguments if each.partition("=")[0].removeprefix("-") not in chosen]


def _memory_limit(spec: NetworkSpec) -> int:
    limit = None if spec.resources is None else spec.resources.limits.get("memory")
    return MEMORY_LIMIT_MIB if limit is None else mebibytes(limit)


def memory_arguments(limit_mib: int) -> list[str]:
    """bitcoind's caches for a container of that size.

    Its defaults, 450 MiB for the database and 300 MB for the mempool (which may borrow what is left of
    the former), are sized for a machine of its own: both full, it would be killed for its memory. A third and
    a sixth leave half for all else, within the least that Core takes (4 MiB, and 5 MB for the mempool).
    """
    return [f"-dbcache={max(4, limit_mib // 3)}", f"-maxmempool={max(5, limit_mib // 6)}"]


# RPC listens on the pod's addresses, of whichever IP families they are, and within the pod: `bitcoin-cli` and
# `kubectl port-forward` come over loopback. In an IPv6 cluster the image's default, 0.0.0.0, would reach nobody.
_BIND_ENV = (
    {"name": IPS_KEY, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIPs"}}},
    {"name": RPC_BIND_KEY, "value": f"$({IPS_KEY}),127.0.0.1"},
)


def _credentials_env(secret: str | None) -> list[dict[str, Any]]:
    if secret is None:
        return [{"name": USER_KEY, "value": DEFAULT_USER}, {"name": PASSWORD_KEY, "value": DEFAULT_PASSWORD}]
    return [
        {"name": key, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}} for key in (USER_KEY, PASSWORD_KEY)
    ]


def _settings_env(spec: NetworkSpec) -> list[dict[str, Any]]:
    """What the start-up script of the node image writes into bitcoin.conf; nothing for what is as it is by default."""
    chosen = {
        NETWORK_KEY: spec.network if spec.network != REGTEST else None,
        CHALLENGE_KEY: spec.signet_challenge,
        RPC_PORT_KEY: spec.rpc_port,
        P2P_PORT_KEY: spec.p2p_port,
        UTXO_SNAPSHOT_KEY if spec.has_utxo_snapshot else SNAPSHOT_KEY: (
            f"{SNAPSHOT_DIR}/{spec.snapshot.path}" if spec.snapshot else None
        ),
        CONFIG_KEY: "\n".join(spec.config) or None,
        **{f"{CONFIG_KEY}_{each.ordinal}": "\n".join(each.config) or None for each in spec.node_overrides},
    }
    # A kubelet takes `$(NAME)` for a variable of the container, the password among them, and `$$` for one `$`.
    return [
        {"name": name, "value": str(value).replace("$", "$$")} for name, value in chosen.items() if value is not None
    ]
