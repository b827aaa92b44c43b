"""Tests that need a real program are left out, with one printed line, where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from btcctl.testing.control_plane import ControlPlane, ControlPlaneOptions
from tests.integration.api_servers import ApiServer, EmbeddedApiServer, EmbeddedProcess, RealApiServer
from tests.integration.audit import AuditLog
from tests.integration.kubectl import Kubectl
from tests.integration.programs import KUBECTL, PROGRAMS, find_program, required, what_is_missing

REAL_SECONDS = 300  # for a test, and the start of the control plane if it is the first that wants one
_LEFT_OUT = pytest.StashKey[dict[str, int]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = config.stash.setdefault(_LEFT_OUT, {})
    for marker, program in PROGRAMS.items():
        found = find_program(program)
        needing = [] if found else [item for item in items if item.get_closest_marker(marker)]
        if needing and marker in required():
            raise pytest.UsageError(what_is_missing(program))
        left_out[marker] = len(needing)
        if needing:
            left = {id(item) for item in needing}
            items[:] = [item for item in items if id(item) not in left]
            config.hook.pytest_deselected(items=needing)
    for item in items:
        if item.get_closest_marker("real_server") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(REAL_SECONDS))


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    counts = config.stash.get(_LEFT_OUT, {})
    return [f"{what_is_missing(PROGRAMS[marker])}: {count} tests left out" for marker, count in counts.items() if count]


@pytest.fixture
def kubectl(tmp_path: Path) -> Kubectl:
    """The real kubectl, with an empty home: nothing is cached, and nobody's cluster is touched."""
    assert KUBECTL
    return Kubectl(KUBECTL, tmp_path / "home")


@pytest.fixture(scope="session")
def audit_log(tmp_path_factory: pytest.TempPathFactory) -> AuditLog:
    """What `lone_control_plane` writes down of the requests of ServiceAccounts."""
    return AuditLog(tmp_path_factory.mktemp("audit"))


@pytest.fixture(scope="session")
def lone_control_plane(audit_log: AuditLog) -> Iterator[ControlPlane]:
    """A real API server without controllers, which tests may end and start again."""
    with ControlPlane(ControlPlaneOptions(controllers=(), api_server_flags=audit_log.flags)) as running:
        yield running


@pytest.fixture(scope="session", params=["embedded", pytest.param("real", marks=pytest.mark.real_server)])
def real_one(request: pytest.FixtureRequest) -> ControlPlane | None:
    """First None, for the embedded server, then a real one. Session-wide, as are the threads of the latter."""
    return None if request.param == "embedded" else request.getfixturevalue("lone_control_plane")


@pytest.fixture
def api_server(real_one: ControlPlane | None) -> Iterator[ApiServer]:
    """Two servers, one after the other, that can be told what people may do: also `Refusing`."""
    with RealApiServer(real_one) if real_one else EmbeddedApiServer() as server:
        yield server


@pytest.fixture
def lasting_api_server(real_one: ControlPlane | None, tmp_path: Path) -> Iterator[ApiServer]:
    """Two servers, one after the other, that can end and come back: also `Lasting`."""
    with RealApiServer(real_one) if real_one else EmbeddedProcess(tmp_path) as server:
        yield server
