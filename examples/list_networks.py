"""Print every BitcoinNetwork and the nodes it has.

    python examples/list_networks.py [NAMESPACE]

A typed informer hands out objects of your own type, with the fields that you name.
"""

from __future__ import annotations

import sys

import msgspec

from btcctl import ApiClient, BtcctlError, ResourceType, SharedInformerFactory, load_config

NETWORKS = ResourceType("bitcoincontroller.christianb93.github.com", "v1", "bitcoinnetworks", "BitcoinNetwork")


class Metadata(msgspec.Struct):
    name: str
    namespace: str


class Spec(msgspec.Struct):
    nodes: int


class Node(msgspec.Struct, rename="camel"):
    ready: bool
    dns_name: str = ""
    ip: str = ""


class Status(msgspec.Struct):
    nodes: list[Node] = []


class Network(msgspec.Struct):
    metadata: Metadata
    spec: Spec
    status: Status = msgspec.field(default_factory=Status)


def main(namespace: str = "") -> str | None:
    client = ApiClient.from_config(load_config())
    factory = SharedInformerFactory(client, namespace=namespace)
    networks = factory.informer_for(Network, NETWORKS)
    try:
        factory.start()
        factory.require_sync(30.0)
    except BtcctlError as error:
        return str(error)  # which informer, and what the server said last
    finally:
        factory.stop()
    for network in networks.lister.list():
        ready = [node for node in network.status.nodes if node.ready]
        print(f"{network.metadata.namespace}/{network.metadata.name}: {len(ready)} of {network.spec.nodes} nodes ready")
        for node in ready:
            print(f"  {node.dns_name} {node.ip}")
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
