"""The two servers, one of each for the session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from btcctl.testing.control_plane import ControlPlane
from tests.integration.conformance import servers
from tests.integration.conformance.servers import Server
from tests.integration.hook_server import HookServer, hook_server


@pytest.fixture(scope="session")
def real_server(control_plane: ControlPlane) -> Server:
    return servers.of(control_plane)


@pytest.fixture(scope="session")
def embedded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with servers.embedded(tmp_path_factory.mktemp("embedded")) as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def hooks() -> HookServer:
    """Started before any test, since it stays."""
    return hook_server()
