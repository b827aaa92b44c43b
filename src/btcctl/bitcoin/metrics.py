"""What the networks' own status says, as Prometheus sees it: read from the cache when scraped."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Metric, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from btcctl.bitcoin.types import BitcoinNetwork, NetworkStatus, decode_status
from btcctl.errors import ObjectDecodeError
from btcctl.objects import Object, ObjectKey
from btcctl.version import VERSION

#: A scrape grows with each network; beyond this many only their number is shown.
MOST_NETWORKS = 1000
_KEY = ["network_namespace", "network"]  # "namespace" would be the controller's own, once scraped


class NetworkMetrics(Collector):
    """Registers with a Prometheus registry.

    A copy that waits for its Lease shows nothing of networks: they are the leader's.

    Args:
        networks: Returns those in the cache; called at each scrape.
        is_leading: Whether the networks are ours.
        most: How many networks are shown one by one. With more of them none is, and
            `btcctl_bitcoin_networks_shown` is 0.
    """

    def __init__(
        self,
        networks: Callable[[], Iterable[Object]],
        is_leading: Callable[[], bool] = lambda: True,
        most: int = MOST_NETWORKS,
    ) -> None:
        self._networks = networks
        self._is_leading = is_leading
        self._most = most

    def collect(self) -> Iterator[Metric]:
        """Called by the registry when it is scraped."""
        found = list(self._networks()) if self._is_leading() else []
        shown = found if len(found) <= self._most else []
        yield _gauge("networks", "Networks that we look after.", [((), len(found))])
        yield _gauge("networks_shown", "Those that are shown one by one.", [((), len(shown))])
        yield from _families([(each, decode_status(each)) for each in shown])


class NetworkCounter:
    """Counts something by network.

    Args:
        registry: Where it is shown; None counts nothing.
    """

    def __init__(self, registry: CollectorRegistry | None, name: str, about: str) -> None:
        self._counter = Counter(f"btcctl_bitcoin_{name}", about, _KEY, registry=registry)

    def count(self, key: ObjectKey) -> None:
        self._counter.labels(key.namespace, key.name).inc()

    def forget(self, key: ObjectKey) -> None:
        """The network is gone, and so is what was counted: one of that name is another."""
        with suppress(KeyError):  # of older versions, if nothing was counted
            self._counter.remove(key.namespace, key.name)


def register_metrics(registry: CollectorRegistry, networks: NetworkMetrics) -> None:
    """With the networks also what this process is and uses."""
    registry.register(networks)
    ProcessCollector(registry=registry)
    registry.register(_Build())


class _Build(Collector):
    def collect(self) -> Iterator[Metric]:
        labels = ["version", "python_version"]
        family = GaugeMetricFamily("btcctl_build_info", "1; what we are is in the labels.", labels=labels)
        family.add_metric([VERSION, platform.python_version()], 1)
        yield family


def _families(read: list[tuple[Object, NetworkStatus]]) -> Iterator[Metric]:
    keys = [((each.namespace, each.name), each, status) for each, status in read]
    yield _gauge("network_nodes", "Nodes that are asked for.", [(key, _wanted(each)) for key, each, _ in keys])
    yield _gauge("network_ready_nodes", "Nodes that answer.", [(key, status.ready_nodes) for key, _, status in keys])
    yield _gauge(
        "network_height", "Of the highest block that a node has.", [(key, status.height) for key, _, status in keys]
    )
    for name, about, field in (
        ("synced_nodes", "Nodes that have the highest block, or the one before.", "synced_nodes"),
        ("tips", "Ends of the branches that nodes are on.", "tips"),
        ("deepest_fork", "Blocks that nodes would give up at most for the highest chain.", "deepest_fork"),
    ):
        yield _gauge(f"network_{name}", about, [(key, getattr(status, field)) for key, _, status in keys])
    missing = [(key, _links_missing(each)) for key, each, _ in keys]
    yield _gauge("network_missing_links", "Links that ready nodes should have made, and have not.", missing)
    conditions = [
        ((*key, each.type, each.reason), 1.0 if each.is_true else 0.0)
        for key, _, status in keys
        for each in status.conditions
    ]
    yield _gauge("network_condition", "1 while it holds, 0 otherwise.", conditions, [*_KEY, "type", "reason"])


def _links_missing(network: Object) -> int:
    try:
        decoded = BitcoinNetwork.from_object(network)
    except ObjectDecodeError:
        return 0
    shape, nodes = decoded.spec.shape, decoded.status.nodes
    ready = {node.ordinal for node in nodes if node.ready}
    made = {node.ordinal: node.links_out for node in nodes if isinstance(node.links_out, int)}
    return sum(max(0, len(shape.dials(each) & ready) - made[each]) for each in ready & made.keys())


def _wanted(network: Object) -> int:
    spec = network.body().get("spec")
    nodes = spec.get("nodes") if isinstance(spec, dict) else None
    return nodes if isinstance(nodes, int) else 0


def _gauge(name: str, about: str, samples: Iterable[tuple[tuple[str, ...], float]], labels: list[str] = _KEY) -> Metric:
    family = GaugeMetricFamily(f"btcctl_bitcoin_{name}", about, labels=labels if name.startswith("network_") else [])
    for key, value in samples:
        family.add_metric(list(key), value)
    return family
