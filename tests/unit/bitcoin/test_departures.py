from __future__ import annotations

from collections.abc import Callable

from btcctl.bitcoin.departures import Departures
from btcctl.objects import ObjectKey
from btcctl.testing import capture_logs

ONE, TWO = ObjectKey("blue", "one"), ObjectKey("blue", "two")


def with_two() -> Departures:
    departures = Departures()
    departures.arrived(ONE)
    departures.arrived(TWO)
    return departures


def told(*steps: Callable[[], None]) -> list[str]:
    """What was said at level info."""
    with capture_logs() as logs:
        for step in steps:
            step()
    return [str(each["event"]) for each in logs if each["log_level"] == "info"]


def test_of_several_networks_of_a_namespace_the_last_one_that_goes_is_a_line() -> None:
    departures = with_two()
    assert told(lambda: departures.gone(ONE)) == []
    assert told(lambda: departures.gone(TWO)) == ["the last network of a namespace is gone"]


def test_a_namespace_that_is_deleted_is_one_line_however_many_networks_it_had() -> None:
    departures = with_two()
    said = told(
        lambda: departures.leave(ONE, "1"),
        lambda: departures.leave(TWO, "2"),
        lambda: departures.gone(ONE),
        lambda: departures.gone(TWO),
    )
    assert said == ["a namespace is being deleted: nothing is done for its networks"]


def test_a_network_made_anew_in_a_namespace_of_that_name_is_another() -> None:
    departures = with_two()
    departures.leave(ONE, "1")
    assert departures.is_leaving(ONE, "1")
    assert not departures.is_leaving(ONE, "2")
