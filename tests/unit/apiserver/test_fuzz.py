"""A few of the requests that `make fuzz` makes up: see `tests.fuzz`."""

from __future__ import annotations

import pytest

from tests.fuzz.__main__ import findings


@pytest.mark.parametrize("number", [0, 1])
def test_no_odd_request_makes_the_server_fail_or_costs_much(number: int) -> None:
    assert [str(each) for each in findings(number, 200)] == []
