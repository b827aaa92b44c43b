"""Makes a bench on one of the servers."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from btcctl.app.app import AppOptions
from btcctl.clock import SYSTEM_CLOCK
from btcctl.mistakes import check_is
from btcctl.testing.bench.clock import JumpingClock
from btcctl.testing.bench.cluster import Body
from btcctl.testing.bench.env import Build, OperatorEnv
from btcctl.testing.bench.servers import BenchServer, EmbeddedHttpServer, FakeServer, RealServer
from btcctl.testing.control_plane import ControlPlane
from btcctl.testing.seeds import plain_of
from btcctl.typed.kinds import AnyKind
from btcctl.typed.typed_object import TypedObject


def make_env(  # noqa: PLR0913  what a test may say
    server: str,
    build: Build,
    *,
    types: Iterable[AnyKind | Mapping[str, Any]] = (),
    objects: Iterable[Body] = (),
    namespace: str = "default",
    field_manager: str = "operator",
    clusters: Sequence[str] = (),
    options: AppOptions = AppOptions(),
    plane: ControlPlane | None = None,
) -> OperatorEnv:
    """See the fixture `operator_env`.

    Args:
        server: "fake", "embedded" or "real".
        clusters: Names of several clusters, the operator's home first. All have the types, the first has the objects.
        options: What the operator's user has chosen: namespaces, workers, …; for a `build(app)`.
        plane: Of "real", which is one cluster alone.

    Raises:
        TypeError: `types` or `objects` is one alone; `options` are none, or for a `build` that takes no App.
        ValueError: Several clusters were asked for on a real server; there is no such server.
    """
    # A server of its own dates what it makes; the one in this thread has the test's time.
    wall_time = datetime(2026, 1, 1, tzinfo=UTC) if server == "fake" else SYSTEM_CLOCK.wall_time()
    clock = JumpingClock(wall_time=wall_time)
    if server not in {"fake", "embedded", "real"}:
        raise ValueError(f"server is {server!r}, must be 'fake', 'embedded' or 'real'")
    if server == "real" and len(clusters) > 1:
        raise ValueError("there is one real server: several clusters are for fake and embedded")
    for what, given in (("types", types), ("objects", objects)):
        if isinstance(given, type | Mapping | TypedObject):
            raise TypeError(f"{what} is one alone, must be several: {what}=[…]")
    check_is("options", options, AppOptions, "AppOptions(namespaces=('team-a',))")
    types, bodies = [*types], [plain_of(each) for each in objects]
    with ExitStack() as failing:
        servers = {}
        for number, name in enumerate(clusters or ("",)):
            running = servers[name] = _server(server, clock, plane)
            failing.callback(running.close)
            running.prepare(types, bodies if number == 0 else [])
        about = {"namespace": namespace, "field_manager": field_manager}
        env = OperatorEnv(build, servers, clock, options=options, **about)
        failing.pop_all()
    return env


def fresh_namespace() -> str:
    """A name that no other test uses."""
    return f"test-{uuid.uuid4().hex[:8]}"


def _server(name: str, clock: JumpingClock, plane: ControlPlane | None) -> BenchServer:
    if name == "embedded":
        return EmbeddedHttpServer()
    if plane is not None:
        return RealServer(plane)
    return FakeServer(clock)
