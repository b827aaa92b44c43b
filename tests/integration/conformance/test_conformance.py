"""The embedded server answers as the real one does."""

from __future__ import annotations

import pytest

from tests.integration.conformance.comparison import Outcome, compare_all, load_cases
from tests.integration.conformance.harness import Case
from tests.integration.conformance.servers import Server

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(900)]


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest, real_server: Server, embedded_server: Server) -> dict[str, Outcome]:
    """Of the cases that were selected, run together."""
    calls = (getattr(item, "callspec", None) for item in request.session.items)
    cases = [call.params["case"] for call in calls if call is not None and "case" in call.params]
    chosen = [each for each in cases if isinstance(each, Case)]
    return {each.case.id: each for each in compare_all(chosen, real_server, embedded_server)}


@pytest.mark.parametrize("case", load_cases(), ids=lambda case: case.id)
def test_both_servers_say_the_same(case: Case, outcomes: dict[str, Outcome]):
    outcome = outcomes[case.id]
    assert outcome.verdict != "differ", f"\n{outcome.why}"
