"""The whole informer, with all its threads, against the collections it reflects."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from msgspec.structs import replace

from btcctl.errors import Gone, TransportError
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.sharing.filters import FilteringHandler
from btcctl.informers.sharing.notifications import Deleted
from btcctl.informers.sharing.registration import Registration
from btcctl.objects import Object, ObjectKey
from btcctl.testing import capture_logs
from tests.properties import effort
from tests.unit.informers.support import AT_ONCE, LiveSource, Recorder, key

HURRIED = replace(AT_ONCE, short_watch_seconds=0.0)
NAMES = st.sampled_from("abc")
NAMESPACES = ("one", "two")
IN = st.sampled_from(NAMESPACES)


def no_poison(obj: Object) -> Object:
    if obj.body().get("poison"):
        raise ValueError("poison")
    return obj


def is_not_c(obj: Object) -> bool:
    return obj.name != "c"


def letter(obj: Object) -> list[str]:
    if obj.name == "b":
        raise ValueError("no index takes this")
    return [obj.name, "any"]


class Gated(Recorder):
    """A handler that is slow: it waits at a gate before each call."""

    def __init__(self, gate: threading.Event) -> None:
        super().__init__()
        self._gate = gate

    def on_add(self, obj: Object, in_initial_list: bool) -> None:
        self._gate.wait(60.0)
        super().on_add(obj, in_initial_list)

    def on_update(self, old: Object, new: Object) -> None:
        self._gate.wait(60.0)
        super().on_update(old, new)

    def on_delete(self, deleted: Deleted) -> None:
        self._gate.wait(60.0)
        super().on_delete(deleted)


class InformerModel(RuleBasedStateMachine):
    """Two namespaces change, forget and break off; handlers, slow ones too, come and go; in the end all agree."""

    def __init__(self) -> None:
        super().__init__()
        self.exit = contextlib.ExitStack()
        self.exit.enter_context(capture_logs())
        self.exit.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(1e-6)
        self.sources = {namespace: LiveSource() for namespace in NAMESPACES}
        self.informer = SharedInformer(
            self.sources, name="pods", transform=no_poison, indexers={"early": letter}, options=HURRIED
        )
        self.exit.callback(self.informer.stop)
        self.indices = {"early"}
        self.gate = threading.Event()
        self.gate.set()
        self.handlers: list[tuple[Registration, Recorder, Callable[[Object], bool]]] = []
        self.births = 0

    @rule()
    def start(self) -> None:
        self.informer.start()

    @rule(name=NAMES, namespace=IN, poison=st.integers(0, 4).map(lambda number: number == 0))
    def put(self, name: str, namespace: str, poison: bool) -> None:
        self.births += 1
        existing = self.sources[namespace].objects().get(key(name, namespace))
        uid = existing.uid if existing else f"{name}-{self.births}"
        self.sources[namespace].put(name, uid=uid, namespace=namespace, poison=poison)

    @rule(name=NAMES, namespace=IN, silently=st.booleans())
    def delete(self, name: str, namespace: str, silently: bool) -> None:
        if key(name, namespace) in self.sources[namespace].objects():
            self.sources[namespace].delete(name, namespace=namespace, silently=silently)

    @rule(namespace=IN, error=st.sampled_from([Gone(410, "Expired"), TransportError("reset")]))
    def break_off(self, namespace: str, error: Exception) -> None:
        self.sources[namespace].fail(error)

    @precondition(lambda self: len(self.handlers) < 4)
    @rule(slow=st.booleans(), filtered=st.booleans(), resync=st.sampled_from([0.0, 3600.0]))
    def add_handler(self, slow: bool, filtered: bool, resync: float) -> None:
        recorder = Gated(self.gate) if slow else Recorder()
        handler = FilteringHandler(recorder, is_not_c) if filtered else recorder
        registration = self.informer.add_handler(handler, resync_seconds=resync)
        self.handlers.append((registration, recorder, is_not_c if filtered else lambda _: True))

    @precondition(lambda self: self.handlers and self.gate.is_set())
    @rule(number=st.integers(0, 3))
    def remove_handler(self, number: int) -> None:
        registration, recorder, _ = self.handlers.pop(number % len(self.handlers))
        registration.remove()
        told = len(recorder.told)
        assert registration.listener.statistics().failures == 0
        assert len(recorder.told) == told

    @rule(is_open=st.booleans())
    def move_the_gate(self, is_open: bool) -> None:
        self.gate.set() if is_open else self.gate.clear()

    @rule(name=st.sampled_from(["late", "later"]))
    def add_index(self, name: str) -> None:
        self.informer.add_index(name, letter)
        self.indices.add(name)

    @rule(namespace=IN)
    def read(self, namespace: str) -> None:
        listed = self.informer.lister.list(namespace)
        assert len({obj.key for obj in listed}) == len(listed)
        assert all(obj.namespace == namespace and not obj.body().get("poison") for obj in listed)

    def teardown(self) -> None:
        with self.exit:
            self.start()
            self.gate.set()
            self.add_handler(slow=False, filtered=False, resync=0.0)
            truth = self.heal()
            for registration, recorder, keep in self.handlers:
                recorder.wait_until_knows({each: obj for each, obj in truth.items() if keep(obj)})
                assert registration.wait_for_sync(10.0)
                assert registration.listener.statistics().failures == 0
            self.check_cache(truth)

    def heal(self) -> dict[ObjectKey, Object]:
        """Everything can be used again. Returns all there is: who knows it has seen a list of each namespace."""
        truth: dict[ObjectKey, Object] = {}
        for namespace, source in self.sources.items():
            for obj in source.objects().values():
                source.put(obj.name, uid=obj.uid, namespace=namespace)
            source.fail(Gone(410, "Expired"))
            source.put("last", namespace=namespace)
            truth |= source.objects()
        return truth

    def check_cache(self, truth: dict[ObjectKey, Object]) -> None:
        versions = {each: obj.resource_version for each, obj in truth.items()}
        assert {obj.key: obj.resource_version for obj in self.informer.lister.list()} == versions
        indexed = sorted(each for each in truth if each.name != "b")
        for name in self.indices:
            assert sorted(obj.key for obj in self.informer.lister.by_index(name, "any")) == indexed
        assert self.informer.statistics().quarantined == len(self.indices) * (len(truth) - len(indexed))


TestInformerModel = InformerModel.TestCase
TestInformerModel.settings = effort(25, steps=40)
