"""Objects as the API server would hold them."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from btcctl.bitcoin.spec.model import NetworkSpec
from btcctl.bitcoin.types import BITCOIN_NETWORKS, BitcoinNetwork, NetworkMeta, NetworkStatus

NAMESPACE = "default"


def network(name: str = "net", nodes: int = 3, secret: str | None = None, **status: Any) -> BitcoinNetwork:
    meta = NetworkMeta(name, NAMESPACE, uid=f"{name}-uid", generation=1)
    return BitcoinNetwork(meta, NetworkSpec(nodes, secret), NetworkStatus(**status))


def network_body(name: str = "net", nodes: Any = 3, secret: str | None = None, **spec: Any) -> dict[str, Any]:
    """`spec` as in YAML: `rpcPort=18332`."""
    spec |= {"nodes": nodes} if secret is None else {"nodes": nodes, "secret": secret}
    return {
        "apiVersion": BITCOIN_NETWORKS.api_version,
        "kind": BITCOIN_NETWORKS.kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": spec,
    }


def secret_body(name: str, **data: str) -> dict[str, Any]:
    encoded = {key: b64encode(value.encode()).decode() for key, value in data.items()}
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded}


def pod_body(
    stateful_set: dict[str, Any], ordinal: int, ip: str = "", *, ready: bool = False, uid: str = ""
) -> dict[str, Any]:
    """A pod as the StatefulSet controller would make it, with what a kubelet reports."""
    meta = stateful_set["metadata"]
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": meta["name"], "uid": meta["uid"]}
    gates = stateful_set["spec"]["template"].get("spec", {}).get("readinessGates") or []
    conditions = [
        {"type": "ContainersReady", "status": "True" if ready else "False"},
        {"type": "Ready", "status": "True" if ready and not gates else "False"},
    ]
    annotations = stateful_set["spec"]["template"]["metadata"].get("annotations") or {}
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{meta['name']}-{ordinal}",
            "namespace": meta["namespace"],
            "labels": stateful_set["spec"]["template"]["metadata"]["labels"],
            **({"annotations": annotations} if annotations else {}),
            "ownerReferences": [{**owner, "controller": True}],
        },
        "spec": {
            "nodeName": "machine",
            "containers": [{"name": "bitcoind", "image": "bitcoind"}],
            **({"readinessGates": gates} if gates else {}),
        },
        "status": {"podIP": ip, "conditions": conditions} if ip else {},
    }
    if uid:
        body["metadata"]["uid"] = uid
    return body
