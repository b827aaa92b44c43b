"""Only a real API server asks webhooks."""

from __future__ import annotations

import pytest

from btcctl.testing.control_plane import ControlPlane


@pytest.fixture(scope="session", params=[pytest.param("real", marks=pytest.mark.real_server)])
def real_one(request: pytest.FixtureRequest) -> ControlPlane | None:
    found: ControlPlane = request.getfixturevalue("lone_control_plane")
    return found
