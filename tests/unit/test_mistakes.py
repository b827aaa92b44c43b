"""What the author of a program does wrong is told at once: by type, in words that say what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest

import btcctl
from btcctl import (
    ApiClient,
    App,
    ClientConfig,
    Condition,
    Controller,
    Elector,
    EventRecorder,
    Fence,
    HandlerFuncs,
    LeaseLock,
    Manager,
    Object,
    ObjectKey,
    ObjectReference,
    PatchKind,
    ResourceType,
    Result,
    SharedInformerFactory,
    StatusServer,
    add_finalizer,
    create_or_update,
    merge_conditions,
    remove_finalizer,
    retry_on_conflict,
    set_controller,
    write_status,
)
from btcctl.app.app import AppOptions
from btcctl.controller.lives.daemons import Daemons
from btcctl.controller.lives.timers import Timer, timed
from btcctl.controller.options import ControllerOptions
from btcctl.errors import CacheSyncError, ConfigError, NotFound
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.sharing.filters import FilteringHandler, PredicateHandler
from btcctl.leaderelection.election import Timing
from btcctl.resources import CLUSTER_ROLES, CONFIG_MAPS, NODES, PODS
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient
from btcctl.threads import Stop

WIDGETS = ResourceType("example.org", "v1", "widgets", "Widget")
MISSPELT = ResourceType("example.org", "v1", "widgetz", "Widget")
KEY = ObjectKey("default", "a")
CONFIG = ClientConfig("http://127.0.0.1:9")
CLIENT = FakeClient(types=[WIDGETS], field_manager="me")
MAPS = CLIENT.resource(CONFIG_MAPS, "default")
A_MAP = Object.from_body({"metadata": {"name": "a", "namespace": "default"}})
REFERENCE = ObjectReference.of(CONFIG_MAPS, A_MAP)
AN_OWNER = Object.from_body({"metadata": {"name": "w", "namespace": "default", "uid": "u"}})


class Status(msgspec.Struct):
    ready: bool = True


def reconcile(_: ObjectKey) -> Result:
    return Result()


def factory() -> SharedInformerFactory:
    return SharedInformerFactory(FakeClient(types=[WIDGETS]))


def controller() -> Controller:
    return Controller("net", reconcile)


def unsynced(type_: ResourceType) -> None:
    made = factory()
    made.informer(type_)
    made.start()
    try:
        made.require_sync(0.2)
    finally:
        made.stop()


def never_started() -> None:
    waiting = Controller("net", reconcile, options=ControllerOptions(cache_sync_timeout=0.0), clock=FakeClock())
    waiting.watch(factory().informer(CONFIG_MAPS))
    waiting.run(Stop())


def started_again() -> None:
    made = factory()
    made.start()
    made.stop()
    made.start()


def add_handler(handler: HandlerFuncs) -> None:
    factory().informer(PODS).add_handler(handler)


async def waits(*_: object) -> None:
    """What is a coroutine function where a plain one is called."""


def timed_by_a_lambda() -> None:
    class Always:
        def get(self, key: ObjectKey) -> Object:
            return AN_OWNER

    timed(lambda key: waits(key), Timer(1.0, Always(), FakeClock()))(KEY)  # noqa: PLW0108  it is the mistake


def event(reference: object, message: object = "m", **how: object) -> None:
    EventRecorder(CLIENT, "net").event(reference, "Normal", "Created", message, **how)


def ensure(mutate: Callable[[dict], object], **how: object) -> None:
    create_or_update(MAPS, KEY, mutate, **how)


def of_two(one: object, two: object) -> Result:
    return Result()


def nothing() -> Result:
    return Result()


WRONG_FUNCTIONS = [
    (lambda: Controller("net", of_two), TypeError, r"reconcile is called with key, which of_two\(one.* does not take"),
    (lambda: Controller("net", nothing), TypeError, "reconcile is called with key"),
    (lambda: Daemons("net", reconcile, None, FakeClock()), TypeError, "net: a daemon is called with key, stop"),
    (lambda: timed(of_two, None), TypeError, "a timer's function is called with key"),
    (lambda: Controller.for_(PODS).watches(PODS, KEY), TypeError, "a mapping is a function"),
    (lambda: Controller.for_(PODS).watches(PODS, of_two), TypeError, "a mapping is called with obj"),
    (lambda: Controller.for_(PODS, reconcile), TypeError, "a predicate is called with old, new"),
    (lambda: factory().informer(PODS).add_index("node", of_two), TypeError, "index 'node' is called with obj"),
    (lambda: add_handler(HandlerFuncs(on_add=reconcile)), TypeError, "on_add of a handler is called with obj, in_init"),
    (
        lambda: SharedInformerFactory(CLIENT, transform=of_two).informer(PODS),
        TypeError,
        "a transform is called with obj",
    ),
    (lambda: MAPS.wait_until(KEY, "Ready", timeout=1.0), TypeError, "a condition must be a function"),
    (lambda: MAPS.wait_until(KEY, waits, timeout=1.0), TypeError, "a condition is called, and not awaited"),
    (lambda: retry_on_conflict(A_MAP), TypeError, "what is to be repeated must be a function"),
    (lambda: ensure({"data": {}}), TypeError, "mutate is of type dict, must be a function that changes"),
    (lambda: StatusServer(":0", None, {"vault": "ok"}, {}), TypeError, "the check 'vault' must be a function"),
    (lambda: StatusServer(":0", None, {}, {"vault": waits}), TypeError, "the check 'vault' is called, and not awaited"),
]
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001  it is the mistake
NOW = "2026-01-31T12:00:00Z"
WRONG_PARTS = [
    (
        lambda: Controller("net", reconcile, options={"workers": 4}),
        TypeError,
        r"must be ControllerOptions\(workers=4\)",
    ),
    (lambda: controller().watch(CONFIG_MAPS), TypeError, "the informer is of type ResourceType, must be one that"),
    (lambda: Manager(factory(), controller()), TypeError, r"must be a list: \[controller\]"),
    (lambda: Manager(factory(), [Controller.for_(PODS)]), TypeError, "must be a Controller, which `build` makes"),
    (lambda: Manager(CLIENT, [controller()]), TypeError, "must be a SharedInformerFactory, or Clusters"),
    (lambda: SharedInformerFactory(CONFIG), TypeError, "the client is of type ClientConfig, must be an ApiClient"),
    (lambda: SharedInformerFactory(CLIENT, options={}), TypeError, r"must be ReflectorOptions\("),
    (lambda: SharedInformerFactory(CLIENT, namespace="Team A"), ValueError, "no namespace is called 'Team A'"),
    (lambda: SharedInformerFactory(CLIENT, namespace=None), TypeError, "namespace is of type NoneType, must be a text"),
    (
        lambda: factory().informer(PODS).lister.list(KEY),
        TypeError,
        "the namespace is of type ObjectKey, must be a text",
    ),
    (lambda: ApiClient(CONFIG), TypeError, r"must be HttpTransport\(config\)"),
    (lambda: ApiClient.from_config("config"), TypeError, r"is of type str, must be what load_config\(\) returns"),
    (lambda: ApiClient.from_config(CONFIG, retries=3), TypeError, r"must be RetryPolicy\(attempts=3\)"),
    (lambda: create_or_update(KEY, MAPS, print), TypeError, "the resource is of type ObjectKey"),
    (lambda: LeaseLock(CLIENT, "default/net"), TypeError, r"the key of a Lease is of type str, must be ObjectKey\("),
    (lambda: LeaseLock(CLIENT, ObjectKey("", "net")), ValueError, "needs a namespace"),
    (lambda: Elector(KEY, Fence()), TypeError, r"the lock is of type ObjectKey, must be a LeaseLock\("),
    (lambda: Elector(LeaseLock(CLIENT, KEY), Fence), TypeError, r"the fence is the class Fence, must be the Fence\(\)"),
    (lambda: Elector(LeaseLock(CLIENT, KEY), Fence(), (15, 10, 2)), TypeError, r"must be a Timing\(15, 10, 2\)"),
    (lambda: merge_conditions([], [Condition("Ready", "True", "R")], now=NAIVE), ValueError, "without a time zone"),
    (lambda: merge_conditions([], [], now=5.0), TypeError, "now is of type float, must be a datetime"),
    (
        lambda: merge_conditions([], [Condition("Ready", True, "R")], now=NOW),
        ValueError,
        "its status is True, must be",
    ),
    (lambda: merge_conditions([], [], now="2026-01-31T12:00:00"), ValueError, "must be a time with a zone"),
    (lambda: merge_conditions([], [], now="now"), ValueError, "must be a time with a zone"),
]


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (lambda: Controller("net", None), TypeError, "must be a function of a key"),
        (lambda: Controller("", reconcile), ValueError, "needs a name"),
        (lambda: Controller(None, reconcile), ValueError, "needs a name"),
        (lambda: Controller("x" * 64, reconcile), ValueError, "a controller is named with 63 letters"),
        (lambda: Controller("net\udc80", reconcile), ValueError, "a controller is named with 63 letters"),
        (lambda: Controller("net", reconcile, workers=0), ValueError, "workers is 0, must be 1 or more"),
        (never_started, CacheSyncError, "not started: start its factory, which a Manager does"),
        (started_again, RuntimeError, "the informer factory is stopped"),
        (lambda: Manager(factory(), [controller(), controller()]), ValueError, "two controllers are called net"),
        (lambda: controller().watch(factory().informer(PODS), "app"), TypeError, "a mapping is a function"),
        (lambda: controller().watch(factory().informer(PODS), predicate=True), TypeError, "a predicate one of its old"),
        (lambda: controller().queue.add(["default", "a"]), TypeError, "unhashable"),
        (lambda: factory().informer(PODS).add_handler(print), TypeError, r"has the methods on_add.*pass HandlerFuncs"),
        (lambda: factory().informer(PODS).add_handler(HandlerFuncs), TypeError, "pass an object of it"),
        (lambda: add_handler(HandlerFuncs(on_add=waits)), TypeError, "on_add of a handler is called, and not awaited"),
        (lambda: FilteringHandler(HandlerFuncs(), waits), TypeError, "a filter is called, and not awaited"),
        (lambda: PredicateHandler(HandlerFuncs(), waits), TypeError, "a predicate is called, and not awaited"),
        (
            lambda: controller().watch(factory().informer(PODS), waits),
            TypeError,
            "a mapping is called, and not awaited",
        ),
        (lambda: controller().watch(factory().informer(PODS), predicate=waits), TypeError, "a predicate is called"),
        (lambda: Daemons("net", waits, None, FakeClock()), TypeError, "net: a daemon is called, and not awaited"),
        (timed_by_a_lambda, TypeError, "a timer's function returned a coroutine"),
        (lambda: event(A_MAP), TypeError, r"about one Object.*ObjectReference\.of\(type, obj\)"),
        (lambda: event(REFERENCE, related="a"), TypeError, "about one str"),
        (lambda: event(REFERENCE, ValueError("x")), TypeError, "the message of an event is of type ValueError"),
        (
            lambda: SharedInformerFactory(CLIENT, transform=5).informer(PODS),
            TypeError,
            "a transform must be a function",
        ),
        (
            lambda: SharedInformerFactory(CLIENT, transform=waits).informer(PODS),
            TypeError,
            "a transform is called, and",
        ),
        (lambda: factory().informer(PODS, label_selector={"a": "b"}), TypeError, "a label selector is text like"),
        (lambda: factory().informer(PODS).lister.list(selector={"a": "b"}), TypeError, "a label selector is text like"),
        (
            lambda: factory().informer(PODS).lister.get("default/a"),
            TypeError,
            r"a key is an ObjectKey\(namespace, name\)",
        ),
        (lambda: MAPS.list(label_selector={"a": "b"}), TypeError, "a selector is text like 'app=web"),
        (
            lambda: Controller("net", reconcile, rate_limiter=5),
            TypeError,
            "a rate limiter is an object with the methods",
        ),
        (lambda: Manager(factory(), [], services=[print]), TypeError, r"a service is an object with the methods start"),
        (lambda: AppOptions(namespaces="team-a"), TypeError, "namespaces is 'team-a', must be several texts"),
        (lambda: factory().informer(PODS).add_index("node", "spec.nodeName"), TypeError, "a function of an object"),
        (lambda: factory().informer(PODS).lister.by_index("node", "n"), KeyError, "has no index 'node'"),
        (lambda: factory().informer(PODS).lister.list(selector="a in (b"), ValueError, "is no label selector"),
        (lambda: factory().informer(PODS, label_selector="a in (b"), ValueError, "is no label selector"),
        (lambda: factory().informer(NODES, namespace="default"), ValueError, "is cluster-scoped"),
        (lambda: SharedInformerFactory(CLIENT, namespace="a/b"), ValueError, "no namespace is called 'a/b'"),
        (lambda: unsynced(MISSPELT), CacheSyncError, "no widgetz in example.org/v1: is the CRD installed"),
        (lambda: CLIENT.resource(MISSPELT).list(), NotFound, "are version and plural right"),
        (lambda: CLIENT.resource(MISSPELT).get(KEY), NotFound, "are version and plural right"),
        (lambda: CLIENT.resource(MISSPELT).create(A_MAP.body()), NotFound, "are version and plural right"),
        (lambda: CLIENT.resource(CONFIG_MAPS, "a/b"), ValueError, "'a/b' cannot be part"),
        (lambda: CLIENT.resource(NODES, "default"), ValueError, "cluster-scoped"),
        (lambda: MAPS.get(ObjectKey("other", "a")), ValueError, "other/a is not in namespace default"),
        (lambda: MAPS.delete(ObjectKey("other", "a")), ValueError, "client.resource.type. has all"),
        (lambda: MAPS.get("default/a"), TypeError, r"a key is an ObjectKey\(namespace, name\), not of type str"),
        (lambda: MAPS.get(("default", "a")), TypeError, "not of type tuple"),
        (lambda: CLIENT.resource(CONFIG_MAPS).get(ObjectKey("", "a")), ValueError, "needs a namespace"),
        (lambda: CLIENT.resource(NODES).get(ObjectKey("default", "a")), ValueError, "cluster-scoped"),
        (lambda: MAPS.create("a"), TypeError, "a manifest is a dict"),
        (lambda: MAPS.update({"metadata": "a"}), TypeError, "a manifest is a dict"),
        (lambda: MAPS.patch(KEY, '{"data":{}}'), TypeError, "a patch is a dict.*not of type str"),
        (lambda: MAPS.patch(KEY, {}, force=True), ValueError, "only an apply can be forced"),
        (lambda: MAPS.create({"metadata": {"name": "a"}, "data": {1: "x"}}), TypeError, "data has the key 1"),
        (lambda: MAPS.patch(KEY, {"data": {"x": float("nan")}}), ValueError, r"data\.x is nan"),
        (
            lambda: MAPS.patch(KEY, ({"op": "add", "path": "/data", "value": {"x": (1,)}},), kind=PatchKind.JSON),
            TypeError,
            r"\[0\]\.value\.x is of type tuple",
        ),
        (
            lambda: MAPS.apply({"metadata": {"name": "a"}, "data": {"at": datetime.now(UTC)}}),
            TypeError,
            r"data\.at is of type datetime",
        ),
        (lambda: ensure(lambda body: {**body, "data": {}}), TypeError, "mutate returned dict"),
        (lambda: ensure(lambda body: body["metadata"].update(name="b")), ValueError, "cannot change which object"),
        (lambda: ensure(lambda body: body["metadata"].update(namespace="b")), ValueError, "made b/a of default/a"),
        (lambda: ensure(lambda body: body.update(metadata=None)), TypeError, "replaced the metadata"),
        (lambda: ensure(lambda body: body.update(data={"x": {1}})), TypeError, r"data\.x is of type set"),
        (lambda: ensure(lambda body: None, cached=KEY), TypeError, "cached is what a lister has"),
        (lambda: write_status(MAPS, A_MAP, "Ready"), TypeError, "a status is a dict or a msgspec Struct"),
        (lambda: write_status(MAPS, A_MAP, [Status()]), TypeError, "a dict or a msgspec Struct, not of type list"),
        (lambda: write_status(MAPS, A_MAP, {"load": float("inf")}), ValueError, r"status\.load is inf"),
        (lambda: add_finalizer(MAPS, A_MAP, "cleanup"), ValueError, "called like example.org/cleanup"),
        (lambda: add_finalizer(MAPS, A_MAP, None), ValueError, "called like example.org/cleanup"),
        (lambda: add_finalizer(MAPS, A_MAP, "example..org/x"), ValueError, "called like example.org/cleanup"),
        (lambda: add_finalizer(MAPS, A_MAP, "example.org/" + "x" * 64), ValueError, "called like example.org/cleanup"),
        (lambda: set_controller({"metadata": {"name": "a"}}, WIDGETS, A_MAP), ValueError, "has no uid"),
        (
            lambda: create_or_update(
                CLIENT.resource(CLUSTER_ROLES), ObjectKey("", "r"), lambda body: set_controller(body, WIDGETS, AN_OWNER)
            ),
            ValueError,
            "cannot own a cluster-scoped object: only a cluster-scoped owner can",
        ),
        (lambda: Result(float("nan")), ValueError, "requeue_after is nan"),
        *WRONG_FUNCTIONS,
        *WRONG_PARTS,
        (lambda: ReflectorOptions(min_watch_seconds=900.0), ValueError, "at most max_watch_seconds"),
        (lambda: Timing(10.0, 10.0, 2.0), ConfigError, "must be longer than the next"),
    ],
)
def test_a_mistake_is_told_at_once(wrong, error, words):
    with pytest.raises(error, match=words):
        wrong()


GONE = [
    (lambda: set_controller({}, CONFIG_MAPS, None), "the owner is of type NoneType"),
    (lambda: add_finalizer(MAPS, None, "example.org/a"), "what is to be kept is of type NoneType"),
    (lambda: remove_finalizer(MAPS, {}, "example.org/a"), "what is to be let go is of type dict"),
    (lambda: write_status(MAPS, None, {}), "what has the status is of type NoneType"),
    (lambda: set_controller({}, CONFIG_MAPS, Object), "the owner is the class Object"),
]


@pytest.mark.parametrize(("mistake", "words"), GONE)
def test_an_object_that_a_lister_had_no_more_is_told_by_whom_it_is_given_to(mistake, words):
    with pytest.raises(TypeError, match=f"{words}, must be an object that was read; a lister returns None"):
        mistake()


OF_APPS = [
    (lambda: App(None, "x"), TypeError, "the client is of type NoneType, must be an ApiClient"),
    (lambda: App(CLIENT, "x", clusters=[CLIENT]), TypeError, "clusters is of type list, must be clients by the names"),
    (lambda: App(CLIENT, "x").service(print), TypeError, r"a service is .*, must be an object with start\(\) and stop"),
    (lambda: AppOptions(workers=0), ValueError, "workers is 0, must be 1 or more"),
    (lambda: AppOptions(workers="4"), TypeError, "workers is of type str"),
]


@pytest.mark.parametrize(("mistake", "error", "words"), OF_APPS)
def test_what_an_app_cannot_be_made_of_is_told_there(mistake, error, words):
    with pytest.raises(error, match=words):
        mistake()


def test_an_event_after_the_end_of_its_recorder_is_said_to_be_late():
    recorder = EventRecorder(CLIENT, "net")
    recorder.stop()
    with capture_logs() as logs:
        recorder.event(REFERENCE, "Normal", "Created", "m")
    assert [each["event"] for each in logs] == ["an event came after the end of its recorder: dropped and counted"]


def test_each_public_name_is_there_once():
    assert sorted({*dir(btcctl)}) == dir(btcctl)
