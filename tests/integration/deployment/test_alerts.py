"""Each alert fires when it should, and is over when it should, by Prometheus' own reading of the rules."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.deployment.charts import CHART, ROOT
from tests.integration.programs import PROMTOOL

pytestmark = pytest.mark.promtool

ALERTS = CHART / "files/alerts.yaml"
RUNBOOKS = ROOT / "docs/runbooks.md"
NETWORK = {"network_namespace": "default", "network": "mine"}
LEADER = 'leader_election_master_status{name="bitcoin-controller",pod="a"}'
TOTAL = 'controller_runtime_reconcile_total{controller="bitcoin-networks",result="success"}'
ERRORS = 'controller_runtime_reconcile_errors_total{controller="bitcoin-networks"}'


def condition(type_: str, reason: str) -> str:
    labels = {**NETWORK, "type": type_, "reason": reason}
    return f"btcctl_bitcoin_network_condition{{{','.join(f'{key}={value!r}' for key, value in labels.items())}}}"


def of_namespace(name: str) -> str:
    return LEADER.replace("{", f'{{namespace="{name}",')


@dataclass(frozen=True)
class Story:
    """What is measured each minute, and when the alert is there and when not.

    Attributes:
        series: Prometheus' short form: "0x5" is six times 0, "0+60x5" six numbers with 60 between them.
        fires: Minutes at which it does.
        quiet: Minutes at which it does not.
        labels: Of the alert, beside its severity.
    """

    series: dict[str, str]
    fires: tuple[int, ...]
    quiet: tuple[int, ...]
    labels: dict[str, str]


STORIES = {
    "BtcctlNoLeader": Story({LEADER: "1x4 0x10 1x10"}, (7, 14), (3, 5, 17), {}),
    "BtcctlLeaderFlapping": Story({LEADER: "1x20 0 1 0 1 0 1 1x40"}, (27,), (20, 60), {}),
    "BtcctlReconcileErrors": Story(
        {TOTAL: "0+10x20 200+10x20 400+10x40", ERRORS: "0x20 0+5x20 100x40"}, (34,), (19, 25, 60), {}
    ),
    "BtcctlWorkerStuck": Story(
        {'workqueue_longest_running_processor_seconds{name="bitcoin-networks"}': "0+60x5 0x5"},
        (5,),
        (2, 8),
        {"name": "bitcoin-networks"},
    ),
    "BtcctlCacheSilent": Story(
        {'reflector_silence_seconds{name="pods"}': "0+60x9 3x5"}, (9,), (5, 12), {"name": "pods"}
    ),
    "BtcctlNetworkNotReady": Story(
        {condition("Ready", "NodesNotReady"): "0x20 _x20", condition("Ready", "Connected"): "_x21 1x20"},
        (16, 20),
        (14, 25),
        NETWORK,
    ),
    "BtcctlTipsDiffer": Story(
        {
            condition("Synced", "NodesBehind"): "0x5 _x20",
            condition("Synced", "TipsDiffer"): "_x6 0x6 _x9",
            condition("Synced", "OneTip"): "_x13 1x9",
        },
        (11,),
        (9, 19),
        NETWORK,
    ),
    "BtcctlChainShrank": Story({condition("ChainIntact", "ChainShrank"): "1x2 0x5 1x5"}, (3, 8), (2, 10), NETWORK),
    "BtcctlRpcFailing": Story(
        {condition("MeshReady", "NodesUnreachable"): "0x8 _x9", condition("MeshReady", "Connected"): "_x9 1x9"},
        (6,),
        (4, 15),
        NETWORK,
    ),
    "BtcctlSecretMissing": Story(
        {
            condition("CredentialsReady", "SecretNotFound"): "0x5 _x9",
            condition("CredentialsReady", "SecretFound"): "_x6 1x9",
        },
        (3, 5),
        (1, 12),
        NETWORK,
    ),
    "BtcctlForbidden": Story(
        {condition("Forbidden", "MissingRights"): "1x5 _x9", condition("Forbidden", "Allowed"): "_x6 0x9"},
        (3, 5),
        (1, 12),
        NETWORK,
    ),
}


def groups() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return found


def rules() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for group in groups() for rule in group["rules"]}


def promtool(*arguments: str | Path) -> None:
    assert PROMTOOL
    done = subprocess.run([PROMTOOL, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_reads_the_rules() -> None:
    promtool("check", "rules", ALERTS)


def test_every_alert_has_a_story() -> None:
    assert rules().keys() == STORIES.keys()


def test_every_alert_fires_and_clears_in_its_story(tmp_path: Path) -> None:
    check(STORIES.items(), tmp_path)


def _test(alert: str, story: Story, labels: dict[str, str]) -> dict[str, Any]:
    firing = [{"exp_labels": {**labels, **story.labels}}]
    times = [(minute, firing) for minute in story.fires] + [(minute, []) for minute in story.quiet]
    return {
        "name": alert,
        "interval": "1m",
        "input_series": [{"series": series, "values": values} for series, values in story.series.items()],
        "alert_rule_test": [
            {"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": expected} for minute, expected in times
        ],
    }


QUIET = {
    "a network that is suspended": ("BtcctlNetworkNotReady", {condition("Ready", "Suspended"): "0x60"}),
    "a network of no nodes": ("BtcctlNetworkNotReady", {condition("Ready", "NoNodes"): "0x60"}),
    "nodes of which none says what chain it has": (
        "BtcctlTipsDiffer",
        {condition("Synced", "NodesNotAnswering"): "0x60"},
    ),
    "two installations, each of whose leaders changed twice": (
        "BtcctlLeaderFlapping",
        {of_namespace("one"): "1 0 1 0 1x20", of_namespace("two"): "1 0 1 0 1x20"},
    ),
}


@pytest.mark.parametrize("name", QUIET)
def test_nobody_is_called_for(name: str, tmp_path: Path) -> None:
    alert, series = QUIET[name]
    check([(alert, Story(series, (), (5, 14, 20), {}))], tmp_path)


def test_an_installation_without_a_leader_is_not_hidden_by_another_that_has_one(tmp_path: Path) -> None:
    series = {of_namespace("one"): "1x20", of_namespace("two"): "1x4 0x16"}
    check([("BtcctlNoLeader", Story(series, (7, 14), (3,), {"namespace": "two"}))], tmp_path)


def check(stories: Iterable[tuple[str, Story]], folder: Path) -> None:
    bare = copy.deepcopy(groups())
    for rule in (rule for group in bare for rule in group["rules"]):
        del rule["annotations"]  # what they say is another test
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": bare}))
    tests = [_test(alert, story, rules()[alert]["labels"]) for alert, story in stories]
    (folder / "tests.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": tests}))
    promtool("test", "rules", folder / "tests.yaml")


def test_an_alert_names_the_network(tmp_path: Path) -> None:
    said = {
        "summary": "Bitcoin network default/mine has no usable Secret",
        "description": "Its Secret is missing, lacks a key, holds what cannot be used, or may not be read.",
    }
    test = _test("BtcctlSecretMissing", STORIES["BtcctlSecretMissing"], {"severity": "warning"})
    for each in test["alert_rule_test"]:
        for alert in each["exp_alerts"]:
            alert["exp_annotations"] = said
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "tests": [test]}))
    promtool("test", "rules", tmp_path / "tests.yaml")


def test_every_alert_has_a_paragraph_in_the_runbooks() -> None:
    headings = [
        line.removeprefix("## ") for line in RUNBOOKS.read_text(encoding="utf-8").splitlines() if line[:3] == "## "
    ]
    assert headings == list(rules())
