"""What a BitcoinNetwork consists of: a headless Service, a StatefulSet and a PodDisruptionBudget. Pure.

Each is built without its owner reference, which `btcctl.bitcoin.ensure` sets.
"""

from __future__ import annotations

import re
from typing import Any, Final

from btcctl.bitcoin.pod_template import DATA_VOLUME, ChildOptions, build_template
from btcctl.bitcoin.spec.from_spec import FROM_SPEC, OWN_ANNOTATION
from btcctl.bitcoin.spec.model import Expose, Storage
from btcctl.bitcoin.spec.pod_parts import names_given
from btcctl.bitcoin.types import DOMAIN, BitcoinNetwork
from btcctl.resources import POD_DISRUPTION_BUDGETS

NETWORK_LABEL: Final = f"{DOMAIN}/network"
SECRET_VERSION_ANNOTATION: Final = f"{DOMAIN}/secret-version"
# A label value holds 63 characters, and `controller-revision-hash` is "<name>-sts-" and up to 10 digits.
MAX_NAME_LENGTH: Final = 63 - len("-sts-") - 10
_DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


def service_name(network: str) -> str:
    return f"{network}-svc"


def exposed_service_name(network: str) -> str:
    return f"{network}-rpc"


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
    ports = options.ports(network.spec)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(network, service_name(network.name)),
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": selector(network),
            "ports": [
                {"name": "rpc", "port": ports.rpc, "targetPort": "rpc"},
                {"name": "p2p", "port": ports.p2p, "targetPort": "p2p"},
            ],
        },
    }


def build_exposed_service(network: BitcoinNetwork, options: ChildOptions, expose: Expose) -> dict[str, Any]:
    """The Service that leads to a ready node, and a caller always to the same one: wallets are a node's own."""
    metadata = _metadata(network, exposed_service_name(network.name))
    if expose.annotations:
        from_spec = ",".join(f"{OWN_ANNOTATION}{key}" for key in sorted(expose.annotations))
        metadata["annotations"] = {**expose.annotations, FROM_SPEC: from_spec}
    ports = options.ports(network.spec)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {
            "type": expose.type,
            "sessionAffinity": "ClientIP",
            "selector": selector(network),
            "ports": [
                {"name": "rpc", "port": ports.rpc, "targetPort": "rpc"},
                {"name": "p2p", "port": ports.p2p, "targetPort": "p2p"},
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
    spec: dict[str, Any] = {
        "replicas": network.spec.running_nodes,
        "serviceName": service_name(network.name),
        "podManagementPolicy": "Parallel",
        "selector": {"matchLabels": selector(network)},
        "template": build_template(
            network.spec, options, labels=labels(network), selector=selector(network), annotations=annotations
        ),
    }
    if network.spec.storage is not None:
        kept = network.spec.storage.when_deleted
        # What runs no more is to go on as it was.
        scaled = "Retain" if network.spec.running_nodes == 0 else kept
        spec["volumeClaimTemplates"] = [_volume_claim(network, network.spec.storage)]
        spec["persistentVolumeClaimRetentionPolicy"] = {"whenDeleted": kept, "whenScaled": scaled}
    metadata = _metadata(network, stateful_set_name(network.name))
    names = names_given(network.spec)
    if names:
        metadata["annotations"] = {FROM_SPEC: ",".join(sorted(names))}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": spec}


def _volume_claim(network: BitcoinNetwork, storage: Storage) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": str(storage.size)}},
    }
    if storage.storage_class_name is not None:
        spec["storageClassName"] = storage.storage_class_name
    return {"metadata": {"name": DATA_VOLUME, "labels": labels(network)}, "spec": spec}


def _metadata(network: BitcoinNetwork, name: str) -> dict[str, Any]:
    return {"name": name, "namespace": network.namespace, "labels": labels(network)}
