"""An object on its way to the store: what a client has sent, before and after others had their say."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from msgspec import structs

from btcctl.apiserver.gotypes import Misfit
from btcctl.apiserver.kinds import metadata as meta
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.managedfields import Author, in_order, track, without_late
from btcctl.apiserver.objects.next_state import complete, merged
from btcctl.apiserver.objects.strategies import Strategy, strategy_of
from btcctl.apiserver.requests.bodies import private
from btcctl.apiserver.requests.options import Gatekeeper, WriteOptions
from btcctl.apiserver.requests.routing import Route
from btcctl.apiserver.served.kind import Warn
from btcctl.apiserver.served.registry import Served
from btcctl.apiserver.storage.answers import remembered, time_of_request
from btcctl.apiserver.storage.collection import Body, Record
from btcctl.apiserver.storage.conversions import as_served, as_stored
from btcctl.apiserver.storage.store import Store
from btcctl.objects import ObjectKey
from btcctl.resources import NAMESPACES, ResourceType

_SERVERS_OWN = ("deletionTimestamp", "deletionGracePeriodSeconds")
#: What a client cannot say of a new object: forgotten before anybody else sees it.
_NOT_SENT = frozenset({"uid", "creationTimestamp", "deletionTimestamp", "selfLink"})


class Drafts:
    """Makes them, inside of the caller's transaction.

    Args:
        new_uid: Makes a uid for each new object.
    """

    def __init__(self, store: Store, new_uid: Callable[[], str]) -> None:
        self._store = store
        self._new_uid = new_uid

    def new_object(self, route: Route, body: dict[str, Any], strategy: Strategy) -> dict[str, Any]:
        is_wiped = "status" in route.served.subresources and not strategy.takes_status
        new: dict[str, Any] = private({key: value for key, value in body.items() if key != "status" or not is_wiped})
        sent = {**body["metadata"], "namespace": route.namespace}
        about = (route.served.collection, sent.get("name") or sent.get("generateName") or "")
        uid = remembered(("uid", *about), self._new_uid)
        created = time_of_request(self._store.clock)
        if sent.get("generateName") and not sent.get("name"):
            sent["name"] = remembered(("name", *about), partial(meta.generate_name, sent["generateName"]))
        new["metadata"] = meta.created_metadata(
            sent, uid=uid, created=created, generation=1 if strategy.has_generation else None
        )
        return complete(route.served, strategy, new, is_new=True)

    def mutated(
        self, route: Route, old: Record | None, body: dict[str, Any], options: WriteOptions
    ) -> tuple[dict[str, Any], WriteOptions]:
        """What a client has sent, as webhooks and policies want it.

        They are shown who set which field, and what they change is nobody's: so it is written down before.
        """
        served, strategy, sent, gate = route.served, strategy_of(route.served), body["metadata"], options.gate
        if gate is None:
            return body, options
        before = None if old is None else old.body
        if old is None:
            gate.note_name(sent.get("name") or "")
            self.check_namespace(route, sent.get("name") or "")
            new = self.new_object(route, body, strategy)
        else:
            new = merged(route, old.body, private(body))
            (strategy.keep_status if route.subresource else strategy.keep)(new, old.body)
            new = complete(served, strategy, new, old.body)
        self.track(route, before, body, new, options)

        def renew(patched: dict[str, Any], *, is_strict: bool = False) -> dict[str, Any]:
            try:
                found, problems = served.kind.typed(private(patched))
            except Misfit as error:
                raise errors.internal_error(str(error)) from error
            if is_strict and problems and served.kind.go_type is not None:
                raise errors.internal_error(f"strict decoding error: {', '.join(problems)}")
            return complete(served, strategy, found)

        metadata = {**sent, "namespace": route.namespace, "managedFields": new["metadata"]["managedFields"]}
        if old is None:
            metadata = {name: each for name, each in metadata.items() if name not in _NOT_SENT}
        shown = self.seen(served, complete(served, strategy, private({**body, "metadata": metadata})))
        found = gate.mutated(
            served.type, shown, None if before is None else as_served(before, served.type.api_version), renew
        )
        if found is None:
            return body, options
        changed = cast("dict[str, Any]", private(found))
        if changed["metadata"].get("managedFields"):
            changed["metadata"]["managedFields"] = in_order(changed["metadata"]["managedFields"])
        deduplicate_owners(changed["metadata"], options.warn, " after mutating admission happens")
        return as_stored(changed), structs.replace(options, is_apply=True)

    def check(self, served: Served, operation: str, new: dict[str, Any], old: Body | None, gate: Gatekeeper) -> None:
        """Ask whether this may be written; then drop, in place, what others have added and the kind does not know."""
        shown = None if old is None else as_served(old, served.type.api_version)
        gate.check(served.type, operation, self.seen(served, new), shown)
        served.kind.prune(new)

    def seen(self, served: Served, body: dict[str, Any]) -> dict[str, Any]:
        """An object that is not stored yet, as those who are asked about it see it."""
        found = served.kind.canonical(body)
        found["metadata"] = {name: each for name, each in found["metadata"].items() if each != ""}
        return dict(as_served(found, served.type.api_version))

    def track(self, route: Route, old: Body | None, sent: Body, new: dict[str, Any], options: WriteOptions) -> None:
        """Write down who set which field, in place. What the client sent says what came of itself."""
        entries = sent["metadata"].get("managedFields")
        if not options.is_apply:
            target = route.served.kind.target(route.subresource)
            author = Author(options.manager, time_of_request(self._store.clock))
            tracked = without_late(route.served.collection, sent, self._said(route, old, sent, new))
            metadata = {**tracked["metadata"], "managedFields": entries}
            if old is not None:  # what the client says of these is nobody's business, and still counts as said
                said = sent["metadata"]
                metadata |= {name: said.get(name) for name in _SERVERS_OWN if name in said or name in metadata}
            before = None if old is None else as_served(old, target.api_version)
            after, wanted = (as_served(each, target.api_version) for each in ({**tracked, "metadata": metadata}, sent))
            entries = track(target, before, after, author, wanted)
        new["metadata"]["managedFields"] = entries

    def _said(self, route: Route, old: Body | None, sent: Body, new: dict[str, Any]) -> dict[str, Any]:
        """The new state as a write to a part of an object says it is, though only that part changes."""
        strategy = strategy_of(route.served)
        if old is None or route.subresource not in strategy.parts:
            return new
        whole = Route(route.served, route.namespace, route.name)
        return complete(route.served, strategy, merged(whole, old, private(sent)), old)

    def check_namespace(self, route: Route, name: str) -> None:
        if not route.served.type.namespaced:
            return
        namespace = self._store.get(("", "namespaces"), ObjectKey("", route.namespace))
        if namespace is None:
            raise errors.not_found(NAMESPACES, route.namespace)
        if namespace.body["metadata"].get("deletionTimestamp"):
            raise _terminating(route.served.type, name, route.namespace)


def deduplicate_owners(sent: dict[str, Any], warn: Warn, when: str = "") -> None:
    owners, again = meta.deduplicated_owners(sent.get("ownerReferences") or ())
    if again:
        sent["ownerReferences"] = owners
        warn(
            f".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in "
            "1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) "
            f"observed: {', '.join(again)}"
        )


def _terminating(type_: ResourceType, name: str, namespace: str) -> StatusError:
    cause = errors.Cause("NamespaceTerminating", f"namespace {namespace} is being terminated", "metadata.namespace")
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    return errors.forbidden(type_, name, why, [cause])
