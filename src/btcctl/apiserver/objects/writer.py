"""Create, update and delete: the steps that every kind goes through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from btcctl.apiserver.apiextensions.definitions import Definitions
from btcctl.apiserver.kinds import metadata as meta
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.integers import IntegerError, parse_uint
from btcctl.apiserver.managedfields import settled
from btcctl.apiserver.objects.deletion import Deleted, Deletion, is_finished
from btcctl.apiserver.objects.drafts import Drafts, deduplicate_owners
from btcctl.apiserver.objects.next_state import complete, in_order, merged, unchanged
from btcctl.apiserver.objects.schema_check import validate
from btcctl.apiserver.objects.strategies import strategy_of
from btcctl.apiserver.requests.bodies import Patched, patched, private, validate_fields
from btcctl.apiserver.requests.options import DeleteOptions, WriteOptions
from btcctl.apiserver.requests.patches import Patch
from btcctl.apiserver.requests.routing import Route, check_place
from btcctl.apiserver.served.registry import Registry, Served
from btcctl.apiserver.storage.collection import Body, Record
from btcctl.apiserver.storage.conversions import as_served, as_stored
from btcctl.apiserver.storage.store import Store
from btcctl.apiserver.webhooks.calling import HookClient
from btcctl.json_values import is_same_json
from btcctl.objects import ObjectKey
from btcctl.resources import NAMESPACES, SERVICE_ACCOUNTS

_NAME_TRIES = 8  # as kube-apiserver 1.32 and later tries generateName again


class Writer:
    """Changes the store as the rules of each kind allow. Thread-safe.

    Args:
        new_uid: Makes a uid for each new object.
        client: Calls webhooks that convert custom resources.

    Methods return the object as it is after the write, in the storage version; a record of revision 0 is not stored.
    """

    def __init__(self, store: Store, registry: Registry, new_uid: Callable[[], str], client: HookClient) -> None:
        self._store = store
        self._registry = registry
        self._drafts = Drafts(store, new_uid)
        self._definitions = Definitions(store, registry, client)
        self._deletion = Deletion(store)

    def create(self, route: Route, body: dict[str, Any], options: WriteOptions, problems: list[str]) -> Record:
        """Store a new object.

        Args:
            problems: What is strictly wrong with the body.

        Raises:
            StatusError: It may not be, or is there already.
        """
        served, strategy = route.served, strategy_of(route.served)
        validate_fields(served, body, problems, options)
        sent = body["metadata"]
        if sent.get("resourceVersion") not in {None, "", "0"} and not options.dry_run:
            raise errors.internal("resourceVersion should not be set on objects to be created")
        check_place(route, sent)
        deduplicate_owners(sent, options.warn)
        with self._store.transaction():
            body = as_stored(body)
            if options.gate is not None:
                body, options = self._drafts.mutated(route, None, body, options)
            new = self._drafts.new_object(route, body, strategy)
            self._admit(route, new)
            if options.rights is not None:
                options.rights.check_grant(new, None)
            validate(served, new, None, options.warn)
            self._drafts.track(route, None, body, new, options)
            if options.gate is not None:
                self._drafts.check(served, "CREATE", new, None, options.gate)
            for _ in range(_NAME_TRIES):
                existing = self._store.get(served.collection, _key(new))
                if existing is None or not sent.get("generateName") or sent.get("name"):
                    break
                new["metadata"]["name"] = meta.generate_name(sent["generateName"])
            if existing is not None:
                deleting = "deletionTimestamp" in existing.body["metadata"]
                raise errors.already_exists(served.type, new["metadata"]["name"], deleting=deleting)
            strategy.finish(new)
            known = in_order(served, strategy, new, None) if options.gate is None else frozenset()
            created = self._store_new(served, served.kind.canonical(new, known), options)
        version = sent.get("resourceVersion")
        return _with_version(created, version) if options.dry_run and version else created

    def update(
        self, route: Route, body: dict[str, Any], options: WriteOptions, problems: list[str]
    ) -> tuple[Record, bool]:
        """Replace an object, or its status.

        Returns:
            The object, and whether it was created.

        Raises:
            StatusError: It is not there, was changed since, or may not become so.
        """
        served, strategy = route.served, strategy_of(route.served)
        sent = body["metadata"]
        check_place(route, sent)
        check_name(route, sent)
        deduplicate_owners(sent, options.warn)
        with self._store.transaction():
            old = self._read(route)
            if old is None and strategy.creates_on_update and not route.subresource:
                return self._create_by_put(route, body, options, problems), True
            if old is None:
                raise errors.not_found(served.type, route.name)
            validate_fields(served, body, problems, options)
            if sent.get("uid") and not options.is_apply:
                check_uid(route, sent["uid"], old.body["metadata"]["uid"], options)
            _check_version(route, sent, old, needs_version=strategy.needs_version)
            return self._replace(route, old, body, options), False

    def _create_by_put(self, route: Route, body: dict[str, Any], options: WriteOptions, problems: list[str]) -> Record:
        """What a client says of the version of an object that there is not is only read."""
        sent = body["metadata"]
        if sent.get("uid"):
            check_uid(route, sent["uid"], "", options)
        version = _version(sent)
        if options.rights is not None:
            options.rights.check_creation()
        created = self.create(route, {**body, "metadata": {**sent, "resourceVersion": ""}}, options, problems)
        return _with_version(created, str(version)) if options.dry_run and version else created

    def patch(self, route: Route, patch: Patch, options: WriteOptions) -> Record:
        """Change an object by a function from its state to a new one.

        Raises:
            StatusError: It is not there, the patch does not fit, or the result may not be.
        """
        served = route.served
        with self._store.transaction():
            old = self._read(route)
            if old is None:
                raise errors.not_found(served.type, route.name)
            current = private(as_served(old.body, served.type.api_version))
            made = Patched(patch(current), patch.shown, current)
            body, problems = patched(made, served)
            sent = body["metadata"]
            problems = [*patch.problems, *problems]
            validate_fields(served, body, problems, options, made)
            check_place(route, sent)
            check_name(route, sent)
            deduplicate_owners(sent, options.warn, " after mutating admission happens")
            _check_version(route, sent, old, needs_version=strategy_of(served).needs_version)
            return self._replace(route, old, body, options)

    def delete(self, route: Route, options: DeleteOptions) -> Deleted:
        """Delete an object, or mark it for deletion.

        Raises:
            StatusError: It is not there, is not what the preconditions say, or must stay.
        """
        with self._store.transaction():
            answer = self._deletion.delete(route.served, route.key, options)
            self._definitions.object_changed(route.served)
            return answer

    def bind(self, route: Route, pod: Body) -> None:
        """Store a pod that is on a node now, as pods/binding does: the one way its nodeName may change."""
        self._store.update(route.served.collection, route.served.kind.canonical(dict(pod)))

    def set_conditions(self, route: Route, conditions: list[Any]) -> None:
        """Give a pod other conditions, as the server itself does before it evicts one; nobody is said to own them."""
        with self._store.transaction():
            record = self._store.get(route.served.collection, route.key)
            if record is not None:
                new = {**record.body, "status": {**(record.body.get("status") or {}), "conditions": conditions}}
                self._store.update(route.served.collection, route.served.kind.canonical(new))

    def finalize(self, route: Route, finalizers: list[str]) -> Body:
        """Set a namespace's `spec.finalizers`; without any it goes, if it is being deleted."""
        with self._store.transaction():
            record = self._store.get(route.served.collection, route.key)
            if record is None:
                raise errors.not_found(route.served.type, route.name)
            new = {**record.body, "spec": {"finalizers": finalizers} if finalizers else {}}
            if is_finished(new):
                self._store.delete(route.served.collection, route.key)
                return new
            if new == record.body:
                return new
            return self._store.update(route.served.collection, new).body

    def recheck_definition(self, name: str) -> None:
        """Let a definition that is being deleted go if nothing is left of it."""
        with self._store.transaction():
            self._definitions.finish(name)

    def settle_definitions(self) -> None:
        """Serve what the definitions in the store ask for: after a restore."""
        self._definitions.settle_all()

    def _read(self, route: Route) -> Record | None:
        """The object as the version of the request shows it."""
        record = self._store.get(route.served.collection, route.key)
        return None if record is None else route.served.kind.seen(record)

    def _store_new(self, served: Served, new: dict[str, Any], options: WriteOptions) -> Record:
        if options.dry_run:
            del new["metadata"]["resourceVersion"]
            return Record(new if served.kind.conversion is None else served.kind.stored_body(new), 0)
        record = self._store.create(served.collection, served.kind.stored_body(new))
        if served.type == NAMESPACES:
            self._add_account(new["metadata"]["name"])
        self._definitions.object_changed(served, new["metadata"]["name"])
        return record

    def _replace(self, route: Route, old: Record, body: dict[str, Any], options: WriteOptions) -> Record:
        served, strategy = route.served, strategy_of(route.served)
        body = as_stored(body)
        if options.gate is not None:
            body, options = self._drafts.mutated(route, old, body, options)
        new = merged(route, old.body, private(body))
        keep = strategy.keep if not route.subresource else strategy.keep_status
        keep(new, old.body)
        new = complete(served, strategy, new, old.body)
        if options.rights is not None:
            options.rights.check_grant(new, old.body)
        validate(served, new, old.body, options.warn, subresource=route.subresource)
        if strategy.has_generation and not is_same_json(_counted(new, route), _counted(old.body, route)):
            new["metadata"]["generation"] = old.body["metadata"].get("generation", 0) + 1
        self._drafts.track(route, old.body, body, new, options)
        strategy.finish(new)
        new["metadata"]["resourceVersion"] = str(old.revision)
        if options.gate is not None:
            self._drafts.check(served, "UPDATE", new, old.body, options.gate)
        before = self._store.get(served.collection, route.key) if served.kind.is_converted else old
        known = in_order(served, strategy, new, old.body) if options.gate is None else unchanged(new, old.body)
        stored = served.kind.canonical(served.kind.stored_body(new), known)
        new = stored if before is None else settled(stored, before.body)
        if options.dry_run or before is None or is_same_json(new, before.body):
            return Record(new, 0)
        if is_finished(new):
            self._store.delete(served.collection, route.key)
            self._definitions.object_changed(served)
            return Record(new, 0)
        record = self._store.update(served.collection, new)
        self._definitions.object_changed(served, route.name)
        return record

    def _admit(self, route: Route, new: Body) -> None:
        """What admission refuses: the namespace, and a pod's service account, must be there."""
        name = new["metadata"].get("name") or ""
        if route.served.is_terminating:
            why = "create not allowed while custom resource definition is terminating"
            raise errors.forbidden(route.served.type, name, why)
        self._drafts.check_namespace(route, name)
        if route.served.collection == ("", "pods"):
            account = new["spec"]["serviceAccountName"]
            if self._store.get(("", "serviceaccounts"), ObjectKey(route.namespace, account)) is None:
                where = f"{route.namespace}/{account}"
                why = f'error looking up service account {where}: serviceaccount "{account}" not found'
                raise errors.forbidden(route.served.type, name, why)
        strategy_of(route.served).check_admitted(new)

    def _add_account(self, namespace: str) -> None:
        """What a controller does a second after a namespace is made; here at once."""
        served = self._registry.find("", "v1", SERVICE_ACCOUNTS.plural)
        key = ObjectKey(namespace, "default")
        if served is not None and self._store.get(served.collection, key) is None:
            body = {"kind": SERVICE_ACCOUNTS.kind, "apiVersion": "v1", "metadata": {"name": "default"}}
            self.create(Route(served, namespace), body, WriteOptions(), [])


def _counted(body: Body, route: Route) -> dict[str, Any]:
    """The part whose changes `generation` counts."""
    kept = {key: value for key, value in body.items() if key not in {"metadata", "apiVersion", "kind"}}
    if "status" in route.served.subresources:
        kept.pop("status", None)
    if strategy_of(route.served).counts_annotations and not route.subresource:
        kept["annotations"] = body["metadata"].get("annotations") or {}
    return kept


def _with_version(record: Record, version: str) -> Record:
    """An object that was only tried: it has the version that its client has sent."""
    body = record.body
    return Record({**body, "metadata": {**body["metadata"], "resourceVersion": version}}, 0)


def _key(body: Body) -> ObjectKey:
    return ObjectKey(body["metadata"].get("namespace") or "", body["metadata"].get("name") or "")


def check_name(route: Route, sent: Mapping[str, Any]) -> None:
    """That metadata has the name that the path has."""
    name = sent.get("name")
    if not name:
        why = f"the name of the object ({route.name} based on URL) was undeterminable: name must be provided"
        raise errors.bad_request(why)
    if name != route.name:
        raise errors.bad_request(f"the name of the object ({name}) does not match the name on the URL ({route.name})")


def check_uid(route: Route, sent: str, uid: str, options: WriteOptions) -> None:
    """That a PUT means the object that has this uid."""
    if sent != uid:
        raise errors.conflict(route.served.type, route.name, _uid_message(route, sent, uid, options))


def _version(sent: Mapping[str, Any]) -> int:
    """The version that a client means; 0 for any.

    Raises:
        StatusError: It is no number.
    """
    try:
        return parse_uint(sent.get("resourceVersion") or "0")
    except IntegerError as error:
        raise errors.internal(str(error)) from error


def _check_version(route: Route, sent: Mapping[str, Any], old: Record, *, needs_version: bool) -> None:
    """That the client means the object in this state."""
    if sent.get("resourceVersion") == str(old.revision):
        return
    version = _version(sent)
    if needs_version and version == 0:
        raise errors.version_required(route.served.type, route.name)
    if version not in {0, old.revision}:
        raise errors.conflict(route.served.type, route.name)


def _uid_message(route: Route, sent: str, uid: str, options: WriteOptions) -> str:
    why = f"Precondition failed: UID in precondition: {sent}, UID in object meta: {uid}"
    return stored_otherwise(route, why, dry_run=options.dry_run)


def stored_otherwise(route: Route, why: str, *, dry_run: bool = False) -> str:
    """What is said of an object that is another than a client means. A dry run gets as far as keys have no prefix."""
    parts = ("" if dry_run else "registry", route.served.kind.storage_folder, route.namespace, route.name)
    place = "/".join(each for each in parts if each)
    return f"StorageError: invalid object, Code: 4, Key: /{place}, ResourceVersion: 0, AdditionalErrorMsg: {why}"
