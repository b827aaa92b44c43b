"""The bench itself: what a test of an operator holds in its hands."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import yaml

from btcctl import codecs
from btcctl.app.app import App, AppOptions, built
from btcctl.controller.controller import Controller
from btcctl.objects import Object, ObjectKey
from btcctl.rbac.rights import difference, least_rules, rules_in, with_least_rules
from btcctl.resources import EVENTS, EVENTS_V1, LEASES, PODS
from btcctl.testing.bench.calls import Call, ObservedTransport
from btcctl.testing.bench.client import SteppedClient
from btcctl.testing.bench.clock import JumpingClock
from btcctl.testing.bench.faults import Faults
from btcctl.testing.bench.hooks import Admitted, Question, Serving, ask
from btcctl.testing.bench.servers import BenchServer
from btcctl.testing.bench.stepping import SteppedManager
from btcctl.testing.bench.workloads import Pods
from btcctl.typed.kinds import AnyKind, type_of
from btcctl.typed.typed_object import TypedObject
from btcctl.typed.values import body_of, decoded
from btcctl.webhooks.webhooks import OWN_CONTROLLERS, Webhooks

#: What an operator is made of: `build(app)` adds to an App, `build(client, clock)` returns a Manager.
Build: TypeAlias = Callable[..., Any]
K = TypeVar("K", bound=TypedObject)
Body: TypeAlias = Mapping[str, Any] | TypedObject

_UNOBSERVED = (EVENTS, EVENTS_V1, LEASES)  # no effects of a reconcile


@dataclass(frozen=True, slots=True)
class KeyView:
    """How it stands with one key of a controller.

    Attributes:
        next_try: At which instant it comes back, in seconds of the clock; None: it rests.
        result: Of its last reconcile, as metrics call it: "success", "error", …; "" if there was none.
        error: What that raised; "" for nothing.
        failures: How often in a row it has failed.
    """

    next_try: float | None
    result: str
    error: str
    failures: int


class OperatorEnv(Faults):
    """A whole operator on an API server, in this thread. Made by the fixture `operator_env`.

    Args:
        build: Makes its manager.
        server: What it runs on; prepared.
        clock: Its time, which only this moves.
        namespace: Where keys and names are that say none.
        field_manager: Of what the operator writes, if `build` names none.

    Attributes:
        client: What the operator was given.
        admin: For the test: what it writes is not recorded.
        clock: The operator's time.
        writes_rbac: `assert_rbac` writes what it would compare with.
    """

    def __init__(
        self, build: Build, server: BenchServer, clock: JumpingClock, *, namespace: str, field_manager: str = "operator"
    ) -> None:
        transport = ObservedTransport(server.transport)
        super().__init__(transport, SteppedClient(transport, clock, field_manager=field_manager), clock)
        self.admin = server.admin
        self.namespace = namespace
        self.writes_rbac = False
        self._build = build
        self._server = server
        self._webhooks: Webhooks | None = None
        self._serving = Serving(server.local_hooks, namespace)
        self._life = self._begin()
        self.settle()

    # What happens.

    def advance(self, seconds: float) -> None:
        """Let time go by, from one instant at which something is due to the next, settling at each."""
        until = self.clock.now() + seconds
        while (due := self._life.next_due()) <= until:
            self.clock.advance(max(0.0, due - self.clock.now()))
            self.settle()
        self.clock.advance(max(0.0, until - self.clock.now()))
        self.settle()

    def restart(self) -> None:
        """End the operator as a kill does, and start another one: with empty caches, and nothing in mind."""
        self._life.close()
        self._serving.end()
        self.client.drop_watches()
        self._life = self._begin()
        self.settle()

    # What is there.

    def create(self, *bodies: Body) -> None:
        """Create objects, as a user does, and settle."""
        for body in bodies:
            plain = self._plain(body)
            self._resource(plain).create(plain)
        self.settle()

    def update(self, kind: AnyKind, key: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Change an object's body, as a user does, and settle."""
        resource = self.admin.resource(type_of(kind))
        body = resource.get(self._key(kind, key)).body()
        change(body)
        resource.update(body)
        self.settle()

    def delete(self, kind: AnyKind, key: str) -> None:
        """Ask for an object's deletion, as a user does, and settle."""
        self.admin.resource(type_of(kind)).delete(self._key(kind, key))
        self.settle()

    def get(self, kind: Any, key: str) -> Any:
        """An object as the server has it: of a class of objects a value, of a type an Object.

        Raises:
            NotFound: There is none.
        """
        obj = self.admin.resource(type_of(kind)).get(self._key(kind, key))
        return decoded(obj, kind) if isinstance(kind, type) else obj

    def names(self, kind: AnyKind) -> list[str]:
        """Of all objects of a kind in this test's namespace, or cluster."""
        type_ = type_of(kind)
        objects, _ = self.admin.resource(type_, self.namespace if type_.namespaced else "").list()
        return sorted(each.name for each in objects)

    def admit(
        self,
        obj: Body,
        old: Body | None = None,
        *,
        operation: str = "",
        user: str = "somebody",
        groups: Sequence[str] = (),
        dry_run: bool = False,
        subresource: str = "",
    ) -> Admitted:
        """What the operator's hooks say of a request. Nothing is stored.

        Their match conditions and selectors are not looked at.

        Args:
            obj: As it is to become; of a DELETE, what is to go.
            old: As it was.
            operation: "CREATE", "UPDATE" or "DELETE"; an update if there is an `old`, else a creation.
            user: Who asks.

        Raises:
            AssertionError: A hook failed, which is no refusal; or there are no hooks.
        """
        body = self._plain(obj)
        question = Question(
            body,
            None if old is None else self._plain(old),
            operation or ("CREATE" if old is None else "UPDATE"),
            user,
            groups,
            dry_run,
            subresource,
        )
        hooks = self._hooks
        return ask(hooks.admission, hooks.reviews, question, type(obj) if isinstance(obj, TypedObject) else None)

    def convert(self, obj: TypedObject, model: type[K]) -> K:
        """An object as the operator's converters make it of another version.

        Raises:
            BtcctlError: There is no converter for it.
        """
        body = self._plain(obj)
        made = self._hooks.reviews.conversions.convert(codecs.encode(body), type_of(model).api_version)
        return decoded(Object.from_nameless(codecs.encode(made)), model)

    def pods(self, workload: str) -> Pods:
        """Stand in for the kubelets of a StatefulSet's or Deployment's pods."""
        return Pods(self.admin, self._key(PODS, workload), self.settle)

    # What it did.

    @property
    def calls(self) -> list[Call]:
        """Every request of the operator so far, in order."""
        return [*self._transport.calls]

    def writes(self, kind: AnyKind | None = None) -> list[str]:
        """Its writes so far, as "patch default/a" and "update default/a/status"; not those of events and leases."""
        return [str(each) for each in self._effects() if kind is None or each.is_of(type_of(kind))]

    def bodies(self, kind: AnyKind) -> list[Any]:
        """What it sent with these writes."""
        return [each.body for each in self._effects() if each.is_of(type_of(kind))]

    def clear(self) -> None:
        """Forget the calls so far."""
        self._transport.calls.clear()

    def events(self, name: str = "") -> list[str]:
        """The reasons of the events about objects of this name, or of all, in the order of when each first happened."""
        objects, _ = self.admin.resource(EVENTS).list()
        events = [each.body() for each in sorted(objects, key=_age)]
        return [each["reason"] for each in events if not name or each["involvedObject"].get("name") == name]

    def key(self, key: str, controller: str = "") -> KeyView:
        """How it stands with a key of a controller; of the only one, if none is named.

        Raises:
            AssertionError: There is no such controller, or more than one.
        """
        of, wanted = self._controller(controller), self._key(PODS, key)
        state, last = of.queue.state_of(wanted), of.journal.last(wanted)
        due = None if state.due_seconds is None else self.clock.now() + state.due_seconds
        result, error = ("", "") if last is None else (last.result, last.error)
        return KeyView(due, result, error, of.queue.num_requeues(wanted))

    def rbac(self) -> list[dict[str, list[str]]]:
        """The least rules of a Role for all that the operator did so far."""
        return least_rules(each.right for each in self._transport.uses)

    def assert_rbac(self, manifest: str | Path, *, beside: Iterable[AnyKind] = ()) -> None:
        """The Roles and ClusterRoles in a file of YAML grant what the operator did so far, and nothing else.

        With `pytest --write-rbac` the rules of the only role in it are written instead: all but comments at the
        file's beginning is written anew.

        Args:
            manifest: The file.
            beside: Kinds that are used where no test looks, such as LEASES: what is granted of them is right.

        Raises:
            AssertionError: They do not; says which right is missing, and which superfluous.
            ValueError: Rules are to be written, and there is not exactly one role in the file.
        """
        text = Path(manifest).read_text()
        objects = [each for each in yaml.safe_load_all(text) if each]
        elsewhere = [(type_of(each).group, type_of(each).plural) for each in beside]
        if self.writes_rbac:
            made = with_least_rules(objects, self._transport.uses, beside=elsewhere)
            Path(manifest).write_text(_comments_before(text) + yaml.safe_dump_all(made, sort_keys=False))
            return
        found = difference(self._transport.uses, rules_in(objects), beside=elsewhere)
        if found:
            raise AssertionError(f"{manifest}: {found}")

    def assert_quiescent(self) -> None:
        """Another operator, which looks at everything anew, changes nothing, and fails nowhere.

        Raises:
            AssertionError: It does; says what.
        """
        before, events = len(self._effects()), self.events()
        self.restart()
        after, new_events = self.writes()[before:], self.events()[len(events) :]
        if after or new_events:
            raise AssertionError(f"another look at everything writes {after} and says {new_events}")
        failing = [text for each in self._life.manager.controllers for text in _failing(each)]
        if failing:
            raise AssertionError(f"keys fail: {'; '.join(failing)}")

    def close(self) -> None:
        """End the operator and the server."""
        self._life.close()
        self._serving.end()
        if self._webhooks is not None:
            self._serving.take_back(self.admin, self.client.field_manager)
        self.client.drop_watches()
        self.client.close()
        self._server.close()

    @property
    def _hooks(self) -> Webhooks:
        if self._webhooks is None:
            raise AssertionError("the operator has no hooks: app.webhooks(…) in a build(app)")
        return self._webhooks

    def _begin(self) -> SteppedManager:
        parameters = inspect.signature(self._build).parameters
        self._webhooks = None
        if "app" in parameters:
            options = AppOptions(webhooks=self._serving.options)
            app = App(self.client, self.client.field_manager, clock=self.clock, options=options)
            manager = built(self._build, app)
            self._webhooks = app.served_webhooks
            self._serving.serve(self._webhooks)
        elif "clock" in parameters:
            manager = self._build(self.client, clock=self.clock)
        else:
            manager = self._build(self.client)
        return SteppedManager(manager, self.clock, is_immediate=self._server.is_immediate)

    def _effects(self) -> list[Call]:
        return [
            each
            for each in self._transport.calls
            if each.is_write and not any(each.is_of(type_) for type_ in _UNOBSERVED)
        ]

    def _controller(self, name: str) -> Controller:
        of_author = [each for each in self._life.manager.controllers if each.name not in OWN_CONTROLLERS]
        found = [each for each in of_author if name in {"", each.name}]
        if len(found) != 1:
            names = ", ".join(each.name for each in of_author)
            raise AssertionError(f"which controller? There are: {names}")
        return found[0]

    def _key(self, kind: AnyKind, key: str) -> ObjectKey:
        namespace, _, name = key.rpartition("/")
        return ObjectKey((namespace or self.namespace) if type_of(kind).namespaced else "", name)

    def _plain(self, body: Body) -> dict[str, Any]:
        if not isinstance(body, TypedObject):
            plain = {**body}
        else:
            type_ = type_of(type(body))
            plain = {"apiVersion": type_.api_version, "kind": type_.kind, **body_of(body)}
        return plain

    def _resource(self, body: Mapping[str, Any]) -> Any:
        type_ = self.admin.type_of(str(body.get("apiVersion")), str(body.get("kind")))
        return self.admin.resource(type_, self.namespace if type_.namespaced and not _namespace(body) else "")


def _comments_before(text: str) -> str:
    return "".join(itertools.takewhile(lambda line: line.startswith("#"), text.splitlines(keepends=True)))


def _namespace(body: Mapping[str, Any]) -> str:
    return str((body.get("metadata") or {}).get("namespace") or "")


def _age(event: Object) -> tuple[str, int]:
    version = event.resource_version
    return str(event.body().get("firstTimestamp") or ""), int(version) if version.isdecimal() else 0


def _failing(controller: Controller) -> list[str]:
    states = ((key, controller.journal.last(key)) for key in controller.queue.keys())  # noqa: SIM118  no dict
    return [f"{controller.name} {key}: {last.error}" for key, last in states if last is not None and last.error]
