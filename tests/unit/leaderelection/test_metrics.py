"""The samples of elections that a scrape sees, under the names dashboards know."""

from __future__ import annotations

from btcctl.leaderelection.metrics import LeaderCollector
from btcctl.metrics import Metrics


def test_the_lead_is_a_gauge_under_client_gos_name():
    metrics = Metrics()
    leader = metrics.part(LeaderCollector).leader("the-lease")
    assert 'leader_election_master_status{name="the-lease"} 0.0' in metrics.text().decode()
    leader.is_leading, leader.slow_paths = True, 2
    text = metrics.text().decode()
    assert 'leader_election_master_status{name="the-lease"} 1.0' in text
    assert 'leader_election_slowpath_total{name="the-lease"} 2.0' in text
