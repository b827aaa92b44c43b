"""What the API server would hold, and nodes that answer from memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from btcctl.bitcoin.children import NETWORK_LABEL
from btcctl.bitcoin.rpc import Call, RpcError, RpcUnavailable
from btcctl.bitcoin.view.looking.nodes import PodFacts
from btcctl.objects import Object
from tests.unit.bitcoin.builders import network_body, pod_body


def network_object(name: str = "net", nodes: Any = 3, status: dict[str, Any] | None = None, **spec: Any) -> Object:
    body = network_body(name, nodes, **spec)
    body["metadata"] |= {"uid": f"{name}-uid", "generation": 2, "creationTimestamp": "2026-11-23T15:27:18Z"}
    return Object.from_body({**body, "status": status or {}})


def condition(type_: str, status: str, reason: str = "Because", message: str = "so it is") -> dict[str, Any]:
    times = {"lastTransitionTime": "2026-11-23T15:27:18Z", "observedGeneration": 1}
    return {"type": type_, "status": status, "reason": reason, "message": message, **times}


def pod_object(ordinal: int, *, ip: str = "", uid: str = "u", running: bool = True, **more: Any) -> Object:
    state: dict[str, Any] = {"running": {}} if running else {"waiting": {"reason": "ContainerCreating"}}
    ready = more.pop("ready", running and bool(ip))
    container = {"name": "bitcoind", "image": "core:29", "ports": [{"name": "rpc", "containerPort": 18443}]}
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"net-sts-{ordinal}", "namespace": "default", "uid": uid, **more},
        "spec": {"containers": [container]},
        "status": {
            "phase": "Running" if running else "Pending",
            "podIP": ip,
            "startTime": "2026-11-23T15:27:18Z",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [{"name": "bitcoind", "restartCount": 2, "state": state, "ready": ready}],
        },
    }
    return Object.from_body(body)


def facts(ordinal: int, **more: Any) -> PodFacts:
    found: dict[str, Any] = {"address": f"10.0.0.{ordinal + 1}", "is_ready": True, "is_running": True, **more}
    return PodFacts(f"net-sts-{ordinal}", found.pop("uid", "u"), **found)


class Node:
    """Has the chain whose block at height i is `chain[:i + 1]`; knows of others, too."""

    def __init__(self, chain: str, *others: str) -> None:
        self.chain = chain
        self.others = others
        self.asked: list[str] = []

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        self.asked += [method for method, _ in calls]
        found = [self._answer(method, *params) for method, params in calls]
        error = next((each for each in found if isinstance(each, RpcError)), None)
        if error is not None:
            raise error
        return found

    def _answer(self, method: str, *params: Any) -> Any:
        if method == "getblockhash":
            if params[0] >= len(self.chain):
                return RpcError("Block height out of range", -8)
            return self.chain[: params[0] + 1]
        if method == "getblockheader":
            hash_ = params[0]
            parent = {"previousblockhash": hash_[:-1]} if len(hash_) > 1 else {}
            return {"hash": hash_, "height": len(hash_) - 1, "time": 1000 + len(hash_), "nTx": 1, **parent}
        assert method == "getchaintips"
        return [self._tip(self.chain, "active"), *(self._tip(each, "valid-fork") for each in self.others)]

    def _tip(self, chain: str, status: str) -> dict[str, Any]:
        common = next((n for n in range(len(chain), 0, -1) if self.chain.startswith(chain[:n])), 0)
        return {"height": len(chain) - 1, "hash": chain, "branchlen": len(chain) - common, "status": status}


class Silent:
    """Answers nothing."""

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        raise RpcUnavailable("nobody there")


def loose_pod_body(ordinal: int) -> dict[str, Any]:
    """A pod of the network `net`; its owner is not there, and would take it along."""
    labels = {NETWORK_LABEL: "net"}
    metadata = {"name": "net-sts", "namespace": "default", "uid": "sts"}
    owner = {"metadata": metadata, "spec": {"template": {"metadata": {"labels": labels}}}}
    body = pod_body(owner, ordinal, f"10.0.0.{ordinal + 1}")
    del body["metadata"]["ownerReferences"]
    return body
