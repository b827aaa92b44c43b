"""How much property tests try: little by default, BTCCTL_TEST_EFFORT times as much when asked."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

EFFORT = int(os.environ.get("BTCCTL_TEST_EFFORT", "1"))


def effort(examples: int, steps: int = 30) -> settings:
    """Settings for so many examples, and steps of a state machine in each.

    Slowness is no failure: the machine may be busy with something else.
    """
    return settings(
        max_examples=examples * EFFORT,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
