"""One cluster of a bench: what is there, what the operator did there, what goes wrong on the way."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, overload

import yaml

from btcctl.controller.controller import Controller
from btcctl.errors import NotFound
from btcctl.objects import Object, ObjectKey
from btcctl.rbac.rights import ELECTION, Right, Use, cluster_role, difference, least_rules, rules_in, with_least_rules
from btcctl.resources import EVENTS, EVENTS_V1, LEASES, PODS, ResourceType
from btcctl.testing.bench.calls import Call, ObservedTransport
from btcctl.testing.bench.client import SteppedClient
from btcctl.testing.bench.clock import JumpingClock
from btcctl.testing.bench.faults import Faults
from btcctl.testing.bench.servers import BenchServer
from btcctl.testing.bench.stepping import SteppedManager
from btcctl.testing.bench.workloads import Pods
from btcctl.typed.kinds import AnyKind, TypedKind, kind_of, type_of
from btcctl.typed.typed_object import TypedObject
from btcctl.typed.values import body_of, decoded
from btcctl.webhooks.webhooks import OWN_CONTROLLERS

Body: TypeAlias = Mapping[str, Any] | TypedObject
K = TypeVar("K", bound=TypedObject)
T = TypeVar("T")

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


class ClusterEnv(Faults):
    """One cluster that an operator on the bench looks after.

    Args:
        server: Its API server; prepared.
        clock: The operator's time.
        name: As keys have it; "" if there is but one.
        namespace: Where keys and names are that say none.
        field_manager: Of what the operator writes, if its `build` names none.
        life: The operator that runs now.

    Attributes:
        client: What the operator was given.
        admin: For the test: what it writes is not recorded.
        clock: The operator's time.
        writes_rbac: `assert_rbac` writes what it would compare with.
    """

    def __init__(
        self,
        server: BenchServer,
        clock: JumpingClock,
        *,
        name: str,
        namespace: str,
        field_manager: str,
        life: Callable[[], SteppedManager],
    ) -> None:
        transport = ObservedTransport(server.transport)
        client = SteppedClient(transport, clock, field_manager=field_manager, cluster=name)
        super().__init__(transport, client, clock, life)
        self.admin = server.admin
        self.name = name
        self.namespace = namespace
        self.writes_rbac = False
        self._later: list[Right] = []
        self._server = server

    # What is there.

    def create(self, *bodies: Body) -> None:
        """Create objects, as a user does, and settle."""
        for body in bodies:
            plain = self._plain(body)
            self._resource(plain).create(plain)
        self.settle()

    def update(self, kind: AnyKind, key: str | ObjectKey, change: Callable[[dict[str, Any]], None]) -> None:
        """Change an object's body, as a user does, and settle.

        Raises:
            TypeError: `change` makes another body instead of changing the one that it is given.
        """
        resource = self.admin.resource(type_of(kind))
        body = resource.get(self._key(kind, key)).body()
        returned: object = change(body)  # type: ignore[func-returns-value]
        if isinstance(returned, dict) and "metadata" in returned and returned is not body:
            raise TypeError("change returned a body, which would be ignored: it has to change the one that it is given")
        resource.update(body)
        self.settle()

    def delete(self, kind: AnyKind, key: str | ObjectKey) -> None:
        """Ask for an object's deletion, as a user does, and settle."""
        self.admin.resource(type_of(kind)).delete(self._key(kind, key))
        self.settle()

    @overload
    def get(self, kind: ResourceType, key: str | ObjectKey) -> Object: ...

    @overload
    def get(self, kind: type[K], key: str | ObjectKey) -> K: ...

    @overload
    def get(self, kind: TypedKind[T], key: str | ObjectKey) -> T: ...

    def get(self, kind: ResourceType | type[Any] | TypedKind[Any], key: str | ObjectKey) -> Any:
        """An object as the server has it: of a class of objects a value, of a type an Object.

        Raises:
            NotFound: There is none.
            ObjectDecodeError: It does not fit the class.
        """
        obj = self.admin.resource(type_of(kind)).get(self._key(kind, key))
        return obj if isinstance(kind, ResourceType) else decoded(obj, kind_of(kind).model)

    def names(self, kind: AnyKind) -> list[str]:
        """Of all objects of a kind in this test's namespace, or cluster."""
        type_ = type_of(kind)
        objects, _ = self.admin.resource(type_, self.namespace if type_.namespaced else "").list()
        return sorted(each.name for each in objects)

    def pods(self, workload: str) -> Pods:
        """Stand in for the kubelets of a StatefulSet's or Deployment's pods."""
        return Pods(self.admin, self._key(PODS, workload), self.settle)

    # What the operator did.

    @property
    def calls(self) -> list[Call]:
        """Every request of the operator so far, in order."""
        return [*self._transport.calls]

    def writes(self, kind: AnyKind | None = None) -> list[str]:
        """Its writes so far, as "patch default/a" and "update default/a/status"; not those of events and leases."""
        return [str(each) for each in effects_among(self.calls) if kind is None or each.is_of(type_of(kind))]

    def bodies(self, kind: AnyKind) -> list[Any]:
        """What it sent with these writes."""
        return [each.body for each in effects_among(self.calls) if each.is_of(type_of(kind))]

    def clear(self) -> None:
        """Forget the calls so far."""
        self._transport.calls.clear()

    def events(self, name: str = "") -> list[str]:
        """The reasons of the events about objects of this name, or of all, in the order of when each first happened."""
        objects, _ = self.admin.resource(EVENTS).list()
        events = [each.body() for each in sorted(objects, key=_age)]
        return [each["reason"] for each in events if not name or each["involvedObject"].get("name") == name]

    def key(self, key: str | ObjectKey, controller: str = "") -> KeyView:
        """How it stands with a key of a controller; of the only one, if none is named.

        Args:
            key: "NAMESPACE/NAME"; a name alone is one in this test's namespace, or of what is in no namespace.

        Raises:
            AssertionError: There is no such controller, or more than one.
        """
        of = self._controller(controller)
        wanted = self._key_of(of, key)
        state, last = of.queue.state_of(wanted), of.journal.last(wanted)
        due = None if state.due_seconds is None else self.clock.now() + state.due_seconds
        result, error = ("", "") if last is None else (last.result, last.error)
        return KeyView(due, result, error, of.queue.num_requeues(wanted))

    def rbac(self) -> list[dict[str, list[str]]]:
        """The least rules of a Role for all that the operator did so far."""
        return least_rules(each.right for each in self._uses())

    def assert_rbac(self, manifest: str | Path, *, beside: Iterable[AnyKind] = ()) -> None:
        """The Roles and ClusterRoles in a file of YAML grant what the operator did so far, and nothing else.

        With `pytest --write-rbac` the rules of the only role in it are written instead: all but comments at the
        file's beginning is written anew. Where there is no file yet, it is made: a ClusterRole that is named after the
        field manager; with LEASES among `beside` it also grants what an election takes.

        Args:
            manifest: The file.
            beside: Kinds that are used where no test looks, such as LEASES: what is granted of them is right.

        Raises:
            AssertionError: They do not; says which right is missing, and which superfluous. Or there is no file.
            ValueError: Rules are to be written, and there is more than one role in the file, or something else alone.
        """
        path = Path(manifest)
        if not path.exists() and not self.writes_rbac:
            raise AssertionError(f"there is no {manifest}: `pytest --write-rbac` writes it")
        text = path.read_text() if path.exists() else "# Written by: pytest --write-rbac\n"
        objects = [each for each in yaml.safe_load_all(text) if each]
        elsewhere = [(type_of(each).group, type_of(each).plural) for each in beside]
        if self.writes_rbac:
            if not objects:
                objects = [cluster_role(self.client.field_manager, ELECTION)]
            made = with_least_rules(objects, self._uses(), beside=elsewhere)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_comments_before(text) + yaml.safe_dump_all(made, sort_keys=False))
            return
        found = difference(self._uses(), rules_in(objects), beside=elsewhere)
        if found:
            raise AssertionError(f"{manifest}: {found}")

    def close(self) -> None:
        """End the server."""
        self.client.drop_watches()
        self.client.close()
        self._server.close()

    def _uses(self) -> list[Use]:
        """What was used, and what comes of it, for which few tests wait: an event that happens again is patched."""
        used = [*self._transport.uses]
        said = [each.right for each in used if each.right.resource == "events" and each.right.verb == "create"]
        again = [Right(each.group, each.resource, "patch") for each in said]
        return [*used, *(Use(each) for each in (*again, *self._later))]

    def _controller(self, name: str) -> Controller:
        of_author = [each for each in self._life().manager.controllers if each.name not in OWN_CONTROLLERS]
        found = [each for each in of_author if name in {"", each.name}]
        if len(found) != 1:
            names = ", ".join(each.name for each in of_author)
            raise AssertionError(f"which controller? env.key(key, controller=…) is one of: {names}")
        return found[0]

    def _key_of(self, controller: Controller, key: str | ObjectKey) -> ObjectKey:
        """A controller does not say whether what it reconciles is in a namespace; what it has seen does."""
        if isinstance(key, ObjectKey):
            return key.within(self.name)
        named = self._key(PODS, key).within(self.name)
        bare = ObjectKey("", key).within(self.name)
        if "/" in key or _knows(controller, named) or not _knows(controller, bare):
            return named
        return bare

    def _key(self, kind: AnyKind, key: str | ObjectKey) -> ObjectKey:
        if isinstance(key, ObjectKey):
            return key
        if not isinstance(key, str):
            raise TypeError(f"an object is named by a text or an ObjectKey, not by {type(key).__name__}")
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
        api_version, kind = str(body.get("apiVersion")), str(body.get("kind"))
        try:
            type_ = self.admin.type_of(api_version, kind)
        except NotFound as error:
            error.add_note(f"The bench's server knows no {kind} of {api_version}: operator_env(build, types=[{kind}])")
            raise
        return self.admin.resource(type_, self.namespace if type_.namespaced and not _namespace(body) else "")


def effects_among(calls: Iterable[Call]) -> list[Call]:
    """Those that write something else than events and leases."""
    return [each for each in calls if each.is_write and not any(each.is_of(type_) for type_ in _UNOBSERVED)]


def _knows(controller: Controller, key: ObjectKey) -> bool:
    return controller.journal.last(key) is not None or key in controller.queue.keys()  # noqa: SIM118  no dict


def _comments_before(text: str) -> str:
    return "".join(itertools.takewhile(lambda line: line.startswith("#"), text.splitlines(keepends=True)))


def _namespace(body: Mapping[str, Any]) -> str:
    return str((body.get("metadata") or {}).get("namespace") or "")


def _age(event: Object) -> tuple[str, int]:
    version = event.resource_version
    return str(event.body().get("firstTimestamp") or ""), int(version) if version.isdecimal() else 0
