"""Fixtures for pytest.

pytest loads them by itself where `btcctl[testing]` is installed.

* `control_plane`: one real control plane for the whole session. Tests share it: work in a
  namespace of your own, and do not break it.
* `api_server_alone`: the same without controllers.
* `new_control_plane`: makes one for a single test, which may restart, kill or pause it.
* `new_node`: the same with a real node, whose pods run; see docs/node.md.
* `operator_env`: a whole operator, stepped in the test's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
import pytest

if TYPE_CHECKING:
    from btcctl.testing.bench.env import Build, OperatorEnv
    from btcctl.testing.control_plane import ControlPlane, ControlPlaneOptions
    from btcctl.testing.node import Node, NodeOptions

NewControlPlane: TypeAlias = "Callable[..., ControlPlane]"
NewNode: TypeAlias = "Callable[..., Node]"
NewOperatorEnv: TypeAlias = "Callable[..., OperatorEnv]"


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """One control plane, started when the first test asks for it."""
    from btcctl.testing.control_plane import ControlPlane  # noqa: PLC0415  only for tests that ask for it

    with ControlPlane() as running:
        yield running


@pytest.fixture(scope="session")
def api_server_alone() -> Iterator[ControlPlane]:
    """An API server without controllers, started when the first test asks for it: what they do, tests do."""
    from btcctl.testing.control_plane import ControlPlane, ControlPlaneOptions  # noqa: PLC0415

    with ControlPlane(ControlPlaneOptions(controllers=())) as running:
        yield running


@pytest.fixture
def new_control_plane() -> Iterator[NewControlPlane]:
    """`new_control_plane(ControlPlaneOptions(…))` starts one that ends with the test."""
    from btcctl.testing.control_plane import ControlPlane, ControlPlaneOptions  # noqa: PLC0415

    with ExitStack() as running:

        def start(options: ControlPlaneOptions = ControlPlaneOptions()) -> ControlPlane:
            return running.enter_context(ControlPlane(options))

        yield start


@pytest.fixture
def new_node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewNode]:
    """`new_node(NodeOptions(…))` starts one that ends with the test; needs Linux and root.

    If the test fails, objects, events and logs are left in the test's `tmp_path`, in `node-0`.
    """
    from btcctl.testing.node import Node, NodeOptions  # noqa: PLC0415  only for tests that ask for it

    before = request.session.testsfailed
    started: list[Node] = []
    with ExitStack() as running:

        def start(options: NodeOptions = NodeOptions()) -> Node:
            started.append(running.enter_context(Node(options)))
            return started[-1]

        yield start
        if request.session.testsfailed > before:
            for number, node in enumerate(started):
                node.dump(tmp_path / f"node-{number}")


@pytest.fixture(scope="session")
def operator_server(request: pytest.FixtureRequest) -> tuple[str, ControlPlane | None]:
    """On which server `operator_env` runs, and the real one. Session-wide, as are its threads."""
    name = getattr(request, "param", "fake")
    return name, request.getfixturevalue("api_server_alone") if name == "real" else None


@pytest.fixture
def operator_env(
    operator_server: tuple[str, ControlPlane | None], pytestconfig: pytest.Config
) -> Iterator[NewOperatorEnv]:
    """`operator_env(build, types=[Database], objects=[…])` runs a whole operator in the test's thread.

    Args:
        build: Makes its Manager of a client, and of a clock if it has a parameter of that name.
        types: The kinds of its own: classes of objects, or CustomResourceDefinitions.
        objects: What there is before it starts: dicts, or values of such classes.
        namespace: Where names are that say none; of a server that others use, one that nobody has used before.
        field_manager: The operator's.
        clusters: Names, for an operator that looks after several: `env.clusters["west"]` is one of them, `env` itself
            the first. Each has the types; the objects are in the first.
        options: AppOptions, of the App that a `build(app)` is given.

    Mark a test with `@pytest.mark.servers("fake", "embedded", "real")` and it runs on each of these; "fake" is what
    it runs on without.
    """
    from btcctl.testing.bench.making import make_env  # noqa: PLC0415  only for tests that ask for it

    server, plane = operator_server
    with ExitStack() as running:

        def make(build: Build, **options: Any) -> OperatorEnv:
            env = make_env(server, build, plane=plane, **options)
            for each in env.clusters.values():
                each.writes_rbac = pytestconfig.getoption("write_rbac")
            running.callback(env.close)
            return env

        yield make


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--write-rbac`."""
    parser.getgroup("btcctl").addoption(
        "--write-rbac",
        action="store_true",
        help="OperatorEnv.assert_rbac writes the rules of its manifest instead of comparing them",
    )


def pytest_pycollect_makeitem(obj: object) -> list[pytest.Item] | None:
    """Kinds may be called `TestRun`: what describes an object is no class of tests."""
    return [] if isinstance(obj, msgspec.StructMeta) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on each of the servers that its mark names."""
    if "operator_env" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker("servers")
    if mark is None:
        return
    unknown = {*mark.args} - {"fake", "embedded", "real"}
    if unknown or not mark.args:
        raise pytest.UsageError(
            f"{metafunc.definition.nodeid}: servers are fake, embedded and real, not {sorted(unknown)}"
        )
    marks = {"real": [pytest.mark.real_server]}
    names = [pytest.param(name, id=name, marks=marks.get(name, [])) for name in mark.args]
    metafunc.parametrize("operator_server", names, indirect=True, scope="session")


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marks mean."""
    config.addinivalue_line("markers", "servers(*names): run on each of these API servers: fake, embedded, real")
    config.addinivalue_line("markers", "real_server: needs a real kube-apiserver and etcd")
