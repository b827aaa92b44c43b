from __future__ import annotations

import pytest

from tests.unit.apiserver.calls import DEFINITIONS, Server, definition


@pytest.fixture
def server() -> Server:
    """A server with things defined."""
    server = Server()
    server.created(DEFINITIONS, definition())
    return server
