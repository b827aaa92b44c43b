"""Every fault that a proxy can bring about, before a real API server: nothing is lost."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress

import pytest

from btcctl.errors import BtcctlError
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.shared_informer import SharedInformer
from btcctl.objects import ObjectKey
from btcctl.resources import ResourceType
from btcctl.rest.client import ApiClient
from btcctl.rest.collection.resource import Resource
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.limits import ReadLimits
from btcctl.testing.control_plane import ControlPlane
from btcctl.testing.faults import FAULTS, Fault, FaultProxy, Pace, Target
from btcctl.threads import Runner, Stop
from tests.faults.handlers import Lateness, State, Tracker
from tests.faults.report import LATE_BY
from tests.integration.api_servers import RealApiServer
from tests.integration.informers.test_on_both_servers import define, is_served
from tests.integration.support import eventually

pytestmark = pytest.mark.real_server

# Bookmarks are a minute apart, and silence is far less here: so somebody writes all the time.
SCALE = 1 / 25
PAUSE_SECONDS = 0.03
SETTLE_SECONDS = 60.0
IN_PROXY = [fault for fault in FAULTS.values() if fault.in_proxy is not None]


class Writer:
    """Changes objects, one after the other, at leisure."""

    def __init__(self, nets: Resource) -> None:
        self._nets = nets

    def run(self, stop: Stop) -> None:
        for number in itertools.count():
            if stop.wait(PAUSE_SECONDS):
                return
            key = ObjectKey(self._nets.namespace, f"n{number % 20}")
            with suppress(BtcctlError):
                self._change(key, number)

    def _change(self, key: ObjectKey, number: int) -> None:
        if number % 7 == 0:
            self._nets.delete(key)
        else:
            body = {"metadata": {"name": key.name}, "spec": {"n": number}}
            with suppress(BtcctlError):
                self._nets.create(body)
                return
            self._nets.patch(key, {"spec": {"n": number}})


@pytest.fixture(scope="module")
def nets(lone_control_plane: ControlPlane) -> Iterator[Resource]:
    """A custom kind of its own."""
    with RealApiServer(lone_control_plane) as server:
        type_ = ResourceType(f"{server.namespace}.example.org", "v1", "nets", "Net")
        define(server.client(), type_)
        resource = server.client().resource(type_, server.namespace)
        eventually(lambda: is_served(resource))
        yield resource


@pytest.fixture(scope="module")
def target(lone_control_plane: ControlPlane) -> Target:
    return Target.of(RealApiServer(lone_control_plane).config())


@pytest.mark.parametrize("fault", IN_PROXY, ids=lambda fault: fault.name)
def test_nothing_is_lost(nets: Resource, target: Target, fault: Fault) -> None:
    streaming = IN_PROXY.index(fault) % 2 == 1 or fault.name.startswith("stream-")
    tracker = Tracker()
    with (
        Lateness() as lateness,
        FaultProxy(target) as proxy,
        ApiClient.from_config(ClientConfig(proxy.url), timeout=2.0) as client,
    ):
        source = client.resource(nets.type, nets.namespace).lister_watcher(
            streaming=streaming, limits=ReadLimits().scaled(SCALE)
        )
        options = ReflectorOptions(min_watch_seconds=75.0, max_watch_seconds=150.0).scaled(SCALE)
        informer = SharedInformer(source, name="nets", options=options)
        informer.add_handler(tracker)
        with informer:
            eventually(informer.has_synced, SETTLE_SECONDS)
            eventually(proxy.open_watches, SETTLE_SECONDS)
            with Runner("writer", Writer(nets).run):
                pace = Pace(SCALE)
                fault.inject(proxy, pace)
                pace.wait(90.0 if fault.is_silent else 20.0)
            truth = listed(nets)
            eventually(lambda: truth == tracker.known == held(informer), SETTLE_SECONDS)
            relists = informer.statistics().reflector.relists
    assert (tracker.repeated, tracker.recreations_missed) == (0, 0)
    # Half a minute is 1.2 s here: a machine that has no time for us makes us deaf, or our watches late, for so long.
    is_late = lateness.worst_seconds > LATE_BY * ReadLimits().idle_seconds * SCALE
    assert fault.needs_list or relists.keys() <= ({"silent", "polled"} if is_late else set())


def listed(nets: Resource) -> dict[ObjectKey, State]:
    return {obj.key: (obj.uid, obj.resource_version) for obj in nets.list()[0]}


def held(informer: SharedInformer) -> dict[ObjectKey, State]:
    return {obj.key: (obj.uid, obj.resource_version) for obj in informer.lister.list()}
