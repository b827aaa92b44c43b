"""What Prometheus sees of networks."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry

from btcctl.bitcoin.metrics import NetworkCounter, NetworkMetrics, register_metrics
from btcctl.objects import Object, ObjectKey

KEY = {"network_namespace": "default", "network": "mine"}


def network(name: str = "mine", **status: Any) -> Object:
    body = {
        "apiVersion": "bitcoincontroller.christianb93.github.com/v1",
        "kind": "BitcoinNetwork",
        "metadata": {"name": name, "namespace": "default", "uid": "1", "resourceVersion": "1"},
        "spec": {"nodes": 3},
        "status": status,
    }
    return Object.from_body(body)


def scraped(collector: NetworkMetrics) -> CollectorRegistry:
    registry = CollectorRegistry()
    register_metrics(registry, collector)
    return registry


def condition(type_: str, status: str, reason: str) -> dict[str, str]:
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": "",
        "lastTransitionTime": "2020-01-01T00:00:00Z",
    }


def test_nodes_and_height_are_those_of_spec_and_status() -> None:
    registry = scraped(NetworkMetrics(lambda: [network(readyNodes=2, height=101)]))
    names = ("nodes", "ready_nodes", "height")
    assert [registry.get_sample_value(f"btcctl_bitcoin_network_{each}", KEY) for each in names] == [3, 2, 101]


def test_forks_and_missing_links_are_those_of_the_status() -> None:
    nodes = [{"ordinal": n, "ready": n < 2, "linksOut": 1 if n else 0} for n in range(3)]
    shown = network(syncedNodes=2, tips=2, deepestFork=5, nodes=nodes)
    registry = scraped(NetworkMetrics(lambda: [shown]))
    names = ("synced_nodes", "tips", "deepest_fork", "missing_links")
    assert [registry.get_sample_value(f"btcctl_bitcoin_network_{each}", KEY) for each in names] == [2, 2, 5, 1]


def test_a_condition_is_1_while_it_holds_and_says_its_reason() -> None:
    conditions = [condition("Ready", "False", "SecretNotFound"), condition("ChainIntact", "True", "Kept")]
    registry = scraped(NetworkMetrics(lambda: [network(conditions=conditions)]))
    name = "btcctl_bitcoin_network_condition"
    assert registry.get_sample_value(name, {**KEY, "type": "Ready", "reason": "SecretNotFound"}) == 0
    assert registry.get_sample_value(name, {**KEY, "type": "ChainIntact", "reason": "Kept"}) == 1


def test_a_copy_that_does_not_lead_shows_no_network() -> None:
    registry = scraped(NetworkMetrics(lambda: [network()], is_leading=lambda: False))
    assert registry.get_sample_value("btcctl_bitcoin_networks") == 0
    assert registry.get_sample_value("btcctl_bitcoin_network_nodes", KEY) is None


def test_of_too_many_networks_only_the_number_is_shown() -> None:
    registry = scraped(NetworkMetrics(lambda: [network("a"), network("b")], most=1))
    assert registry.get_sample_value("btcctl_bitcoin_networks") == 2
    assert registry.get_sample_value("btcctl_bitcoin_networks_shown") == 0
    assert registry.get_sample_value("btcctl_bitcoin_network_nodes", {**KEY, "network": "a"}) is None


def test_a_network_that_does_not_fit_its_schema_is_no_failure_of_the_scrape() -> None:
    odd = Object.from_body({**network().body(), "spec": "none", "status": []})
    registry = scraped(NetworkMetrics(lambda: [odd]))
    assert registry.get_sample_value("btcctl_bitcoin_network_nodes", KEY) == 0


def test_the_version_and_the_use_of_memory_are_shown() -> None:
    registry = scraped(NetworkMetrics(list))
    assert registry.get_sample_value("process_resident_memory_bytes")
    (build,) = [each for each in registry.collect() if each.name == "btcctl_build_info"]
    assert build.samples[0].labels["version"]


def test_what_was_counted_for_a_network_goes_with_it() -> None:
    registry = CollectorRegistry()
    counter, labels = (
        NetworkCounter(registry, "chain_shrunk", "about"),
        {"network_namespace": "default", "network": "mine"},
    )
    counter.forget(ObjectKey("default", "mine"))
    counter.count(ObjectKey("default", "mine"))
    counter.count(ObjectKey("default", "other"))
    assert registry.get_sample_value("btcctl_bitcoin_chain_shrunk_total", labels) == 1
    counter.forget(ObjectKey("default", "mine"))
    assert registry.get_sample_value("btcctl_bitcoin_chain_shrunk_total", labels) is None
    assert registry.get_sample_value("btcctl_bitcoin_chain_shrunk_total", {**labels, "network": "other"}) == 1
