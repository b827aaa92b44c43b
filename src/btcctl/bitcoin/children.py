"""What a BitcoinNetwork consists of: a headless Service and a StatefulSet. Pure.

Only what is set here is compared with what stands in the cluster: the API server fills in
defaults, and users add annotations of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from btcctl.bitcoin.types import BITCOIN_NETWORKS, DOMAIN, BitcoinNetwork

NETWORK_LABEL: Final = f"{DOMAIN}/network"
SECRET_VERSION_ANNOTATION: Final = f"{DOMAIN}/secret-version"
USER_KEY: Final = "BC_RPC_USER"
PASSWORD_KEY: Final = "BC_RPC_PASSWORD"  # noqa: S105 - a key's name
# The credentials of a network without `spec.secret`, known to everybody since the first controller.
DEFAULT_USER: Final = "user"
DEFAULT_PASSWORD: Final = "password"  # noqa: S105
DATA_DIR: Final = "/home/bitcoin/.bitcoin"
PROBE_PATH: Final = "/rest/chaininfo.json"
# A label value holds 63 characters, and `controller-revision-hash` is "<name>-sts-" and up to 10 digits.
MAX_NAME_LENGTH: Final = 63 - len("-sts-") - 10
_DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
# The API server refuses a change of these (apps/v1 validation of StatefulSet updates).
_IMMUTABLE_STATEFUL_SET = ("selector", "serviceName", "podManagementPolicy")


@dataclass(frozen=True, slots=True)
class ChildOptions:
    """What the operator's user may choose about the pods."""

    node_image: str
    rpc_port: int = 18443
    p2p_port: int = 18444


def service_name(network: str) -> str:
    return f"{network}-svc"


def stateful_set_name(network: str) -> str:
    return f"{network}-sts"


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
        "app": network.name,
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


def build_stateful_set(network: BitcoinNetwork, options: ChildOptions, secret_version: str = "") -> dict[str, Any]:
    """The StatefulSet of the nodes.

    Args:
        secret_version: Changes when the Secret does, so that the pods are replaced and get the
            new credentials; "" if there is none, or it could not be read.
    """
    annotations = {SECRET_VERSION_ANNOTATION: secret_version} if secret_version else {}
    template_metadata: dict[str, Any] = {"labels": labels(network)}
    if annotations:
        template_metadata["annotations"] = annotations
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": _metadata(network, stateful_set_name(network.name)),
        "spec": {
            "replicas": network.spec.nodes,
            "serviceName": service_name(network.name),
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": selector(network)},
            "template": {"metadata": template_metadata, "spec": _pod_spec(network, options)},
        },
    }


def _metadata(network: BitcoinNetwork, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": network.namespace,
        "labels": labels(network),
        "ownerReferences": [
            {
                "apiVersion": BITCOIN_NETWORKS.api_version,
                "kind": BITCOIN_NETWORKS.kind,
                "name": network.name,
                "uid": network.metadata.uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }


def _pod_spec(network: BitcoinNetwork, options: ChildOptions) -> dict[str, Any]:
    return {
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
        "volumes": [{"name": "data", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
    }


def _container(network: BitcoinNetwork, options: ChildOptions) -> dict[str, Any]:
    return {
        "name": "bitcoind",
        "image": options.node_image,
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
        # Open during warm-up already, however long that takes.
        "livenessProbe": {
            "tcpSocket": {"port": "rpc"},
            "initialDelaySeconds": 30,
            "periodSeconds": 20,
            "timeoutSeconds": 5,
            "failureThreshold": 6,
        },
        # A node on regtest was measured at 51-53 MiB; its database cache grows with the chain.
        "resources": {"requests": {"cpu": "25m", "memory": "96Mi"}, "limits": {"memory": "768Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "data", "mountPath": DATA_DIR}, {"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
    }


def _credentials_env(secret: str | None) -> list[dict[str, Any]]:
    if secret is None:
        return [{"name": USER_KEY, "value": DEFAULT_USER}, {"name": PASSWORD_KEY, "value": DEFAULT_PASSWORD}]
    return [
        {"name": key, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}} for key in (USER_KEY, PASSWORD_KEY)
    ]


@dataclass(frozen=True, slots=True)
class Repair:
    """How a child differs from what it should be."""

    body: dict[str, Any] | None  #: what to write, or None: nothing that can be mended differs
    immutable: tuple[str, ...] = ()  #: fields of the spec that differ and that the API never lets change


def plan_repair(desired: Mapping[str, Any], observed: Mapping[str, Any]) -> Repair:
    """Compare a child with what it should be.

    Args:
        desired: From `build_service` or `build_stateful_set`.
        observed: The child's body; it is not changed.
    """
    immutable = _immutable_differences(desired, observed)
    mutable = {**desired, "spec": {key: value for key, value in desired["spec"].items() if key not in immutable}}
    if set(immutable) & {"selector"} and "template" in mutable["spec"]:
        mutable["spec"]["template"] = _selected_by(observed["spec"]["selector"], mutable["spec"]["template"])
    wanted = _without_owner_references(mutable)
    if _covers(wanted, observed):
        return Repair(None, immutable)
    return Repair(_overlay(wanted, observed), immutable)


def _immutable_differences(desired: Mapping[str, Any], observed: Mapping[str, Any]) -> tuple[str, ...]:
    fields = _IMMUTABLE_STATEFUL_SET if desired["kind"] == "StatefulSet" else ("clusterIP",)
    return tuple(field for field in fields if desired["spec"][field] != observed["spec"].get(field))


def _selected_by(old_selector: Mapping[str, Any], template: Mapping[str, Any]) -> dict[str, Any]:
    """The template with the labels that a selector we cannot change asks for."""
    template_labels = {**template["metadata"]["labels"], **(old_selector.get("matchLabels") or {})}
    return {**template, "metadata": {**template["metadata"], "labels": template_labels}}


def _without_owner_references(body: Mapping[str, Any]) -> dict[str, Any]:
    """They are checked, never repaired: without ours the child is somebody else's."""
    metadata = {key: value for key, value in body["metadata"].items() if key != "ownerReferences"}
    return {**body, "metadata": metadata}


def _covers(desired: Any, observed: Any, field: str = "") -> bool:
    """Whether everything in `desired` stands in `observed`, which may hold more."""
    if isinstance(desired, Mapping):
        if not isinstance(observed, Mapping) or (field == "selector" and desired.keys() != observed.keys()):
            return False
        return all(key in observed and _covers(value, observed[key], key) for key, value in desired.items())
    if isinstance(desired, list):
        return (
            isinstance(observed, list)
            and len(desired) == len(observed)
            and all(_covers(ours, theirs) for ours, theirs in zip(desired, observed, strict=True))
        )
    return bool(desired == observed)


def _overlay(desired: Any, observed: Any, field: str = "") -> Any:
    """`observed` with everything in `desired` put over it; a list that differs is replaced whole.

    Merging inside a list could join two alternatives, such as `value` and `valueFrom`.
    """
    if _covers(desired, observed, field):
        return observed
    if isinstance(desired, Mapping) and isinstance(observed, Mapping) and field != "selector":
        return {**observed, **{key: _overlay(value, observed.get(key), key) for key, value in desired.items()}}
    return desired
