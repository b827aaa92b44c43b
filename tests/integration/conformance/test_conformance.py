"""The embedded server answers as the real one does."""

from __future__ import annotations

import pytest

from tests.integration.conformance.comparison import compare, load_cases
from tests.integration.conformance.harness import Case
from tests.integration.conformance.servers import Server

pytestmark = pytest.mark.real_server


@pytest.mark.parametrize("case", load_cases(), ids=lambda case: case.id)
def test_both_servers_say_the_same(case: Case, real_server: Server, embedded_server: Server):
    outcome = compare(case, real_server, embedded_server)
    assert outcome.verdict != "differ", f"\n{outcome.why}"
