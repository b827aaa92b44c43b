"""The benchmark of the operator at scale starts what it measures: a small fleet comes up, and rests."""

from __future__ import annotations

from benchmarks.scale.fleet import fleet


def test_a_small_fleet_comes_up_and_is_asked_and_scaled() -> None:
    with fleet(2, 3) as one, one.operator(poll=0.2) as operator:
        one.wait_until(one.are_ready, "all networks ready", 60.0)
        one.forget_asked()
        one.wait_until(lambda: one.asked()[0] == 6, "all nodes asked", 60.0)
        one.scale(one.names[0], 4)
        one.wait_until(lambda: (one.names[0], 4) in one.scaled, "the change", 60.0)
        operator.require_alive()
        assert operator.writes() > 0
        assert operator.cpu() > 0.0
