"""The two servers, one of each for the session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.conformance import servers
from tests.integration.conformance.servers import Server


@pytest.fixture(scope="session")
def real_server() -> Iterator[Server]:
    with servers.real() as server:
        yield server


@pytest.fixture(scope="session")
def embedded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with servers.embedded(tmp_path_factory.mktemp("embedded")) as server:
        yield server
