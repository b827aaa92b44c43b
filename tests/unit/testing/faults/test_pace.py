from __future__ import annotations

import pytest

from btcctl.testing.faults.pace import Pace
from tests.unit.informers.support import SteppingClock


def test_durations_are_scaled():
    clock = SteppingClock()
    Pace(1 / 50, clock=clock).wait(70.0)
    assert clock.now() == pytest.approx(1.4)


def test_waiting_for_something_ends_with_it_or_in_time():
    clock = SteppingClock()
    pace = Pace(0.5, clock=clock)
    assert pace.wait_for(lambda: clock.now() >= 1.0, 10.0)
    assert clock.now() < 1.1
    assert not pace.wait_for(lambda: False, 10.0)
    assert 5.9 < clock.now() < 6.1
