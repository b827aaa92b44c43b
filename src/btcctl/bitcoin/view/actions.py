"""What a page may have done: by the same calls as the commands that it names.

Desired state is written into `spec`, since the controller would set back anything else; nodes are called for the rest.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from btcctl.bitcoin.children import stateful_set_name
from btcctl.bitcoin.client import spending
from btcctl.bitcoin.client.networks import Networks, Node
from btcctl.bitcoin.pod_template import PASSWORD_KEY
from btcctl.bitcoin.types import BitcoinNetwork
from btcctl.bitcoin.view.orders import Action, Order, Outcome, network_key
from btcctl.clock import SYSTEM_CLOCK
from btcctl.deadline import limited_to
from btcctl.errors import BtcctlError
from btcctl.logging import scrub
from btcctl.objects import ObjectKey
from btcctl.resources import PODS, SECRETS
from btcctl.rest.client import ApiClient

MOST_BLOCKS: Final = 1000  #: at a time, so that an answer comes while somebody looks
MOST_NODES: Final = 1000
_ACT_SECONDS = 30.0


class NotDone(BtcctlError):
    """An order that cannot be carried out; says why, and what can be."""


class Hangs(Protocol):
    """Stops and continues the processes of pods: only where they are this machine's."""

    def hang(self, pod: ObjectKey) -> list[int]:
        """Stop them (SIGSTOP); returns their numbers."""

    def release(self, pod: ObjectKey) -> list[int]:
        """Let them go on (SIGCONT)."""


ACTIONS: Final[Mapping[str, Action]] = {
    each.name: each
    for each in (
        Action("mine", "mine blocks at once", "btcctl mine {network} {count} -n {namespace}", ["count"]),
        Action(
            "scale",
            "change how many nodes there are",
            "kubectl scale bitcoinnetwork {network} --replicas={count} -n {namespace}",
            ["count"],
            True,
        ),
        Action(
            "partition",
            "split the network: only nodes of one group are connected",
            "btcctl partition {network} '{groups}' -n {namespace}",
            ["groups"],
            True,
        ),
        Action("heal", "end the partition", "btcctl heal {network} -n {namespace}"),
        Action(
            "restart",
            "restart a node: its pod is deleted, and comes back",
            "kubectl delete pod {pod} -n {namespace}",
            ["node"],
            True,
        ),
        Action("hang", "stop a node's process, as if it hung", "kill -STOP PID", ["node"], True),
        Action("release", "let a node that hangs go on", "kill -CONT PID", ["node"]),
        Action(
            "rotate",
            "give the nodes a new RPC password; they are restarted one after the other",
            'kubectl patch secret {secret} -n {namespace} --type=merge -p \'{"stringData":{"BC_RPC_PASSWORD":"NEW"}}\'',
            [],
            True,
        ),
    )
}
_ON_THIS_MACHINE: Final = frozenset({"hang", "release"})
_BY_RPC: Final = frozenset({"mine"})


class Actions:
    """Carries out orders. Thread-safe: each has connections of its own.

    Args:
        client: The cluster.
        networks: Makes what calls nodes.
        hangs: Stops processes; None: the pods are elsewhere.
        calls_nodes: Whether nodes may be called, for which Secrets are read.
    """

    def __init__(
        self,
        client: ApiClient,
        networks: Callable[[], Networks],
        hangs: Hangs | None = None,
        *,
        calls_nodes: bool = True,
    ) -> None:
        self._client = client
        self._without = frozenset() if hangs is not None else _ON_THIS_MACHINE
        if not calls_nodes:
            self._without |= _BY_RPC
        self._networks = networks
        self._hangs = hangs
        self._does: Mapping[str, Callable[[Networks, BitcoinNetwork, Order], tuple[str, str]]] = {
            "mine": self._mine,
            "scale": self._scale,
            "partition": self._partition,
            "heal": self._heal,
            "restart": self._restart,
            "hang": self._hang,
            "release": self._release,
            "rotate": self._rotate,
        }

    def available(self) -> list[Action]:
        """What can be done here."""
        return [each for each in ACTIONS.values() if each.name not in self._without]

    def act(self, name: str, order: Order) -> Outcome:
        """Do it; what is wrong is said, and not raised."""
        if name not in {each.name for each in self.available()}:
            return Outcome(False, f"there is no action {name!r} here")
        key = network_key(order.network)
        if key is None:
            return Outcome(False, "say which network: NAMESPACE/NAME")
        try:
            with limited_to(_ACT_SECONDS, SYSTEM_CLOCK), self._networks() as networks:
                network = networks.get(key)
                said, command = self._does[name](networks, network, order)
        except BtcctlError as error:
            return Outcome(False, str(scrub(str(error))), _filled(name, order, key))
        return Outcome(True, said, command)

    def _mine(self, networks: Networks, network: BitcoinNetwork, order: Order) -> tuple[str, str]:
        count = _within("blocks", order.count if order.count is not None else 1, 1, MOST_BLOCKS)
        node = self._node(networks, network, order.node)
        rpc = node.client()
        hashes = spending.mine_blocks(rpc, count, spending.mining_address(rpc))
        height = rpc.call("getblockcount")
        blocks = "block" if len(hashes) == 1 else "blocks"
        return (
            f"node {node.ordinal} mined {len(hashes)} {blocks}: height {height}",
            f"btcctl mine {network.name} {count} --on {node.ordinal} -n {network.namespace}",
        )

    def _scale(self, networks: Networks, network: BitcoinNetwork, order: Order) -> tuple[str, str]:
        count = _within("nodes", order.count, 0, MOST_NODES)
        networks.patch_spec(_key(network), {"nodes": count})
        return (
            f"{network.name} is to have {count} nodes",
            f"kubectl scale bitcoinnetwork {network.name} --replicas={count} -n {network.namespace}",
        )

    def _partition(self, networks: Networks, network: BitcoinNetwork, order: Order) -> tuple[str, str]:
        groups = _checked_groups(order.groups, network.spec.nodes)
        networks.patch_spec(_key(network), {"partition": groups})
        shown = "|".join(",".join(map(str, group)) for group in groups)
        return (
            f"{network.name} is to be split: {shown}",
            f"btcctl partition {network.name} '{shown}' -n {network.namespace}",
        )

    def _heal(self, networks: Networks, network: BitcoinNetwork, order: Order) -> tuple[str, str]:
        networks.patch_spec(_key(network), {"partition": None})
        return f"{network.name} is to be whole again", f"btcctl heal {network.name} -n {network.namespace}"

    def _restart(self, networks: Networks, network: BitcoinNetwork, order: Order) -> tuple[str, str]:
        node = networks.node(network, _given(order.node), to_call=False)
        self._client.resource(PODS, node.pod.namespace).delete(node.pod)
        return f"pod {node.pod.name} is deleted, and comes back", (
            f"kubectl delete pod {node.pod.name} -n {node.pod.namespace}"
        )

    def _hang(self, networks: Networks, network: BitcoinNetwork, order: Order) -> tuple[str, str]:
        node, hangs = networks.node(network, _given(order.node), to_call=False), self._here()
        pids = " ".join(map(str, hangs.hang(node.pod)))
        return f"node {node.ordinal} hangs, until it is released or its pod is replaced", f"kill -STOP {pids}"

    def _release(self, networks: Networks, network: BitcoinNetwork, order: Order) -> tuple[str, str]:
        node, hangs = networks.node(network, _given(order.node), to_call=False), self._here()
        pids = " ".join(map(str, hangs.release(node.pod)))
        return f"node {node.ordinal} goes on", f"kill -CONT {pids}"

    def _rotate(self, networks: Networks, network: BitcoinNetwork, order: Order) -> tuple[str, str]:
        name = network.spec.secret
        if name is None:
            raise NotDone(
                f"{network.name} has no Secret: spec.secret is not set, and its nodes take the default password"
            )
        patch = {"stringData": {PASSWORD_KEY: secrets.token_urlsafe(24)}}
        self._client.resource(SECRETS, network.namespace).patch(ObjectKey(network.namespace, name), patch)
        shown = json.dumps({"stringData": {PASSWORD_KEY: "NEW"}}, separators=(",", ":"))
        return (
            f"Secret {name} has a new password: the nodes are restarted one after the other",
            f"kubectl patch secret {name} -n {network.namespace} --type=merge -p '{shown}'",
        )

    def _node(self, networks: Networks, network: BitcoinNetwork, ordinal: int | None) -> Node:
        """The given one, or the first that is ready."""
        if ordinal is not None:
            return networks.node(network, ordinal)
        nodes = [node for node in networks.nodes(network) if node.rpc is not None]
        found = next((node for node in nodes if node.is_ready), next(iter(nodes), None))
        if found is None:
            raise NotDone(f"no node of {network.name} runs: btcctl status {network.name} says why")
        return found

    def _here(self) -> Hangs:
        if self._hangs is None:
            raise NotDone("the nodes run elsewhere: only the sandbox can stop their processes")
        return self._hangs


def _key(network: BitcoinNetwork) -> ObjectKey:
    return ObjectKey(network.namespace, network.name)


def _within(what: str, number: int | None, low: int, high: int) -> int:
    if number is None or not low <= number <= high:
        raise NotDone(f"say how many {what}: {low} to {high}")
    return number


def _given(ordinal: int | None) -> int:
    if ordinal is None:
        raise NotDone("say which node, by its ordinal")
    return ordinal


def _checked_groups(groups: list[list[int]] | None, nodes: int) -> list[list[int]]:
    everything = [each for group in groups or () for each in group]
    if not groups or not all(groups):
        raise NotDone("say which nodes are to be apart: groups of ordinals, none of them empty")
    beyond = next((each for each in everything if not 0 <= each < nodes), None)
    if beyond is not None:
        raise NotDone(f"there is no node {beyond}: there are {nodes}, from 0")
    twice = next((each for each in everything if everything.count(each) > 1), None)
    if twice is not None:
        raise NotDone(f"node {twice} is in two groups")
    return [sorted(group) for group in groups]


def _filled(name: str, order: Order, network: ObjectKey) -> str:
    """The command, as far as the order says what stands in it."""
    if name == "rotate" or name in _ON_THIS_MACHINE:
        return ""
    node = "" if order.node is None else str(order.node)
    words = {
        "network": network.name,
        "namespace": network.namespace,
        "count": "1" if order.count is None else str(order.count),
        "pod": f"{stateful_set_name(network.name)}-{node}",
        "groups": "|".join(",".join(map(str, group)) for group in order.groups or ()),
    }
    command = ACTIONS[name].command
    for word, value in words.items():
        command = command.replace(f"{{{word}}}", value)
    return command
