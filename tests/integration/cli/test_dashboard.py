"""The queries of the dashboard and of the alerts ask for what a running operator exports."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import urllib3
import yaml
from prometheus_client.parser import text_string_to_metric_families

from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.rest.client import ApiClient
from btcctl.sandbox.demonstration.manifests import Applier
from btcctl.sandbox.session import network_manifest
from tests.integration.cli.test_commands import Operator, client, config, server  # noqa: F401  fixtures
from tests.integration.support import eventually

FILES = Path(__file__).parents[3] / "helm/btcctl/files"
SELECTOR = re.compile(r"\b([a-z]+(?:_[a-z]+)+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'([a-z_]+)\s*(=~|=)\s*"([^"]*)"')
#: Words of PromQL, and labels, that look like metrics.
NO_METRIC = {"histogram_quantile", "network_namespace", "label_values", "group_left", "group_right"}
Samples = dict[str, list[dict[str, str]]]


def queries() -> list[str]:
    dashboard = json.loads((FILES / "dashboard.json").read_text(encoding="utf-8"))
    groups = yaml.safe_load((FILES / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    found = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return found + [rule["expr"] for group in groups for rule in group["rules"]]


@pytest.fixture
def exported(config: Path, client: ApiClient) -> Iterator[Callable[[], Samples]]:  # noqa: F811
    """Every sample of an operator that leads and has a network, with its labels; more come while it works."""
    Applier(client).apply(load_crd())
    client.resource(BITCOIN_NETWORKS).create(network_manifest(2))
    running = Operator(
        config, "--leader-elect", "--leader-elect-resource-namespace=default", "--metrics-bind-address", "127.0.0.1:0"
    )
    try:
        eventually(lambda: running.said("status written"))
        serving = eventually(lambda: running.said("serving metrics and health"))
        yield lambda: scraped(serving["port"])
    finally:
        running.process.kill()
        running.process.wait()


def scraped(port: int) -> Samples:
    text = urllib3.request("GET", f"http://127.0.0.1:{port}/metrics", timeout=60.0).data.decode()
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        if not family.samples:  # a counter that has not counted yet, and whose labels nobody knows before it does
            found[f"{family.name}_total"] = []
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


def test_every_metric_and_label_of_every_query_is_exported(exported: Callable[[], Samples]) -> None:
    def nothing_is_missing() -> bool:
        assert missing_from(exported()) == set()
        return True

    eventually(nothing_is_missing)


def missing_from(exported: Samples) -> set[str]:
    missing = set()
    for query in queries():
        without_strings = re.sub(r"\b(?:by|without)\s*\([^)]*\)", "", query)
        for name, matchers in SELECTOR.findall(without_strings):
            if name in NO_METRIC:
                continue
            wanted = MATCHER.findall(matchers)
            samples = exported.get(name)
            if samples is None or (samples and not any(fits(labels, wanted) for labels in samples)):
                missing.add(f"{name}{{{matchers}}}")
    return missing


def fits(labels: dict[str, str], wanted: list[tuple[str, str, str]]) -> bool:
    """Whether all labels are there; those that do not say which network or condition with their values."""
    for label, operator, value in wanted:
        if label not in labels:
            return False
        if operator == "=" and label != "type" and labels[label] != value:
            return False
    return True


def test_grouping_is_by_labels_that_are_there_or_that_a_scrape_adds(exported: Callable[[], Samples]) -> None:
    added = {"namespace", "pod", "le"}
    grouped = {
        each.strip() for query in queries() for each in ",".join(re.findall(r"by \(([^)]*)\)", query)).split(",")
    }

    def all_are_there() -> bool:
        known = {"reason"} | {label for samples in exported().values() for labels in samples for label in labels}
        assert grouped - {""} - added <= known
        return True

    eventually(all_are_there)
