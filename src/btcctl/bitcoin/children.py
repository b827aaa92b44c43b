"""What a BitcoinNetwork consists of: a headless Service, a StatefulSet and a PodDisruptionBudget. Pure.

Each is built without its owner reference, which `btcctl.bitcoin.ensure` sets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from btcctl.bitcoin.types import DOMAIN, BitcoinNetwork, Storage
from btcctl.resources import POD_DISRUPTION_BUDGETS

NETWORK_LABEL: Final = f"{DOMAIN}/network"
SYNCED_GATE: Final = f"{DOMAIN}/synced"  #: a condition of pods: the node has had the network's chain
SECRET_VERSION_ANNOTATION: Final = f"{DOMAIN}/secret-version"
USER_KEY: Final = "BC_RPC_USER"
PASSWORD_KEY: Final = "BC_RPC_PASSWORD"  # noqa: S105 - a key's name
# The credentials of a network without `spec.secret`, known to everybody since the first controller.
DEFAULT_USER: Final = "user"
DEFAULT_PASSWORD: Final = "password"  # noqa: S105
DATA_DIR: Final = "/home/bitcoin/.bitcoin"
PROBE_PATH: Final = "/rest/chaininfo.json"
STARTUP_SECONDS: Final = 3600
MEMORY_LIMIT_MIB: Final = 768
# A label value holds 63 characters, and `controller-revision-hash` is "<name>-sts-" and up to 10 digits.
MAX_NAME_LENGTH: Final = 63 - len("-sts-") - 10
_DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class ChildOptions:
    """What the operator's user may choose about the pods."""

    node_image: str
    rpc_port: int = 18443
    p2p_port: int = 18444
    gated: bool = False  #: pods are ready only once we have said that they have the network's chain


def service_name(network: str) -> str:
    return f"{network}-svc"


def stateful_set_name(network: str) -> str:
    return f"{network}-sts"


def disruption_budget_name(network: str) -> str:
    return f"{network}-pdb"


def pod_dns_name(network: BitcoinNetwork, pod: str) -> str:
    """As it resolves in any namespace of the cluster, whatever the cluster's domain."""
    return f"{pod}.{service_name(network.name)}.{network.namespace}.svc"


def name_problem(name: str) -> str | None:
    """Why children cannot be named after this network, or None."""
    if len(name) > MAX_NAME_LENGTH:
        return f"the name has {len(name)} characters; its pods' labels leave room for {MAX_NAME_LENGTH}"
    if not _DNS_1035.fullmatch(name):
        return "its Service's name would be no DNS label: use lower-case letters, digits and hyphens, a letter first"
    return None


def selector(network: BitcoinNetwork) -> dict[str, str]:
    """The labels that this network's pods have and no others."""
    return {NETWORK_LABEL: network.name}


def labels(network: BitcoinNetwork) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "bitcoind",
        "app.kubernetes.io/instance": network.name,
        "app.kubernetes.io/managed-by": "btcctl",
        **selector(network),
    }


def build_service(network: BitcoinNetwork, options: ChildOptions) -> dict[str, Any]:
    """The headless Service that gives the pods their DNS names, whether ready or not."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(network, service_name(network.name)),
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": selector(network),
            "ports": [
                {"name": "rpc", "port": options.rpc_port, "targetPort": "rpc"},
                {"name": "p2p", "port": options.p2p_port, "targetPort": "p2p"},
            ],
        },
    }


def build_disruption_budget(network: BitcoinNetwork) -> dict[str, Any]:
    """What makes drains take one node at a time, and the next only once the one before is ready again."""
    return {
        "apiVersion": POD_DISRUPTION_BUDGETS.api_version,
        "kind": POD_DISRUPTION_BUDGETS.kind,
        "metadata": _metadata(network, disruption_budget_name(network.name)),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector(network)}},
    }


def build_stateful_set(network: BitcoinNetwork, options: ChildOptions, secret_version: str = "") -> dict[str, Any]:
    """The StatefulSet of the nodes.

    Args:
        secret_version: The version of the Secret at which the pods were last replaced for the sake of new
            credentials; another one replaces them again. "" if there is none, or it could not be read.
    """
    annotations = {SECRET_VERSION_ANNOTATION: secret_version} if secret_version else {}
    template_metadata: dict[str, Any] = {"labels": labels(network)}
    if annotations:
        template_metadata["annotations"] = annotations
    spec: dict[str, Any] = {
        "replicas": network.spec.nodes,
        "serviceName": service_name(network.name),
        "podManagementPolicy": "Parallel",
        "selector": {"matchLabels": selector(network)},
        "template": {"metadata": template_metadata, "spec": _pod_spec(network, options)},
    }
    if network.spec.storage is not None:
        kept = network.spec.storage.when_deleted
        spec["volumeClaimTemplates"] = [_volume_claim(network, network.spec.storage)]
        spec["persistentVolumeClaimRetentionPolicy"] = {"whenDeleted": kept, "whenScaled": kept}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": _metadata(network, stateful_set_name(network.name)),
        "spec": spec,
    }


def _volume_claim(network: BitcoinNetwork, storage: Storage) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": str(storage.size)}},
    }
    if storage.storage_class_name is not None:
        spec["storageClassName"] = storage.storage_class_name
    return {"metadata": {"name": "data", "labels": labels(network)}, "spec": spec}


def _metadata(network: BitcoinNetwork, name: str) -> dict[str, Any]:
    return {"name": name, "namespace": network.namespace, "labels": labels(network)}


def _pod_spec(network: BitcoinNetwork, options: ChildOptions) -> dict[str, Any]:
    volumes: list[dict[str, Any]] = [{"name": "tmp", "emptyDir": {}}]
    if network.spec.storage is None:
        volumes.insert(0, {"name": "data", "emptyDir": {}})
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
        "containers": [_container(network, options)],
        "volumes": volumes,
    }


def _container(network: BitcoinNetwork, options: ChildOptions) -> dict[str, Any]:
    return {
        "name": "bitcoind",
        "image": options.node_image,
        "args": memory_arguments(MEMORY_LIMIT_MIB),
        "ports": [
            {"name": "rpc", "containerPort": options.rpc_port},
            {"name": "p2p", "containerPort": options.p2p_port},
        ],
        "env": _credentials_env(network.spec.secret),
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
        "volumeMounts": [{"name": "data", "mountPath": DATA_DIR}, {"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
    }


def memory_arguments(limit_mib: int) -> list[str]:
    """bitcoind's caches for a container of that size.

    Its defaults, 450 MiB for the database and 300 MB for the mempool (which may borrow what is left of
    the former), are sized for a machine of its own: both full, it would be killed for its memory. A third and
    a sixth leave half for all else, within the least that Core takes (4 MiB, and 5 MB for the mempool).
    """
    return [f"-dbcache={max(4, limit_mib // 3)}", f"-maxmempool={max(5, limit_mib // 6)}"]


def _credentials_env(secret: str | None) -> list[dict[str, Any]]:
    if secret is None:
        return [{"name": USER_KEY, "value": DEFAULT_USER}, {"name": PASSWORD_KEY, "value": DEFAULT_PASSWORD}]
    return [
        {"name": key, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}} for key in (USER_KEY, PASSWORD_KEY)
    ]
