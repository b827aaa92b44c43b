"""Webhooks: which of them are asked about a request, and what becomes of it.

Mutating ones are called one after the other, by the names of their configurations and in the order they have there;
validating ones all at once, and whichever refusal comes first is the answer.

Source: k8s.io/apiserver/pkg/admission/plugin/webhook, v0.36.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from btcctl import codecs
from btcctl.apiserver.admission import matching
from btcctl.apiserver.admission.attributes import Attributes
from btcctl.apiserver.admission.conditions import Conditions
from btcctl.apiserver.admission.hooks import reviews
from btcctl.apiserver.admission.versions import Versions
from btcctl.apiserver.gotypes import syntax_problem
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.machinery.gofmt import quoted
from btcctl.apiserver.patching.json_patch import PatchError, apply_operations
from btcctl.apiserver.patching.ordering import written
from btcctl.apiserver.requests.options import Renew
from btcctl.apiserver.served.kind import Warn
from btcctl.apiserver.storage.collection import Body
from btcctl.apiserver.storage.store import Store
from btcctl.apiserver.webhooks.calling import CallError, HookClient, check_kind
from btcctl.logging import get_logger
from btcctl.resources import ResourceType
from btcctl.threads import Runner, Stop

logger = get_logger(__name__)

_SECONDS = 10.0
_MOST_SECONDS = 35.0  # for a call: no timeoutSeconds is more than 30
_NO_SIDE_EFFECTS = frozenset({"None", "NoneOnDryRun"})


class _CallFailed(StatusError):
    """A failure of the call, which the hook's failurePolicy may have ignored: as a 500 says it."""

    def __init__(self, name: str, why: str) -> None:
        found = errors.internal_error(f"failed calling webhook {quoted(name)}: {why}")
        super().__init__(found.status, found.message, found.reason, details=(found.body or {}).get("details"))


@dataclass(frozen=True)
class Webhook:
    """One webhook of a configuration.

    Attributes:
        uid: Tells it from all others.
    """

    uid: str
    source: Mapping[str, Any]
    conditions: Conditions = field(compare=False)

    @property
    def name(self) -> str:
        return str(self.source["name"])

    @property
    def is_reinvocable(self) -> bool:
        return self.source.get("reinvocationPolicy") == "IfNeeded"

    @property
    def ignores_failures(self) -> bool:
        return self.source.get("failurePolicy") == "Ignore"


@dataclass(frozen=True)
class _Invocation:
    """A webhook that is to be called: for what, and with which objects."""

    hook: Webhook
    resource: ResourceType
    kind: ResourceType
    attributes: Attributes

    def telling(self, warn: Warn) -> _Invocation:
        """The same, for which somebody else is told what to warn of."""
        return replace(self, attributes=replace(self.attributes, warn=warn))


def read_webhooks(configurations: list[Body]) -> tuple[Webhook, ...]:
    """The webhooks of configurations, which are sorted by name."""
    return tuple(_read(configurations))


def _read(configurations: list[Body]) -> Iterator[Webhook]:
    for configuration in configurations:
        for hook in configuration.get("webhooks") or ():
            uid = f"{configuration['metadata']['name']}/{hook['name']}"
            conditions = Conditions(hook.get("matchConditions") or (), fails=hook.get("failurePolicy") != "Ignore")
            yield Webhook(uid, hook, conditions)


class Webhooks:
    """Calls them. Thread-safe.

    Args:
        versions: Shows objects in other versions.
    """

    def __init__(self, store: Store, versions: Versions, client: HookClient) -> None:
        self._store = store
        self._versions = versions
        self._client = client

    def validate(self, hooks: tuple[Webhook, ...], attributes: Attributes) -> None:
        """
        Raises:
            StatusError: One refuses, or fails and must not.
        """
        invocations = [found for each in hooks if (found := self._invocation(each, attributes)) is not None]
        told: list[list[str]] = [[] for _ in invocations]
        refusals: list[StatusError] = []  # in the order in which they come

        def ask(number: int, _: Stop | None = None) -> None:
            try:
                self._ask(invocations[number].telling(told[number].append), is_mutating=False)
            except StatusError as error:
                refusals.append(error)

        runners = [Runner(f"webhook-call-{number}", partial(ask, number)) for number in range(1, len(invocations))]
        for each in runners:
            each.start()
        if invocations:
            ask(0)
        for each in runners:
            each.stop(_MOST_SECONDS)
        for text in (text for texts in told for text in texts):
            attributes.warn(text)
        if refusals:
            raise refusals[0]

    def mutate(self, hook: Webhook, attributes: Attributes, renew: Renew) -> Body | None:
        """The object as the webhook wants it; None if it is not for this request.

        Args:
            renew: Makes an object of patched JSON.
        """
        invocation = self._invocation(hook, attributes)
        if invocation is None:
            return None
        verdict = self._ask(invocation, is_mutating=True)
        obj = invocation.attributes.obj
        if verdict is None or not verdict.patch:
            return attributes.obj
        try:
            operations = _operations(hook, verdict)
        except _CallFailed as error:
            self._note(hook, error)
            return attributes.obj
        if not operations:
            return attributes.obj
        if obj is None:
            why = f"admission webhook {quoted(hook.name)} attempted to modify the object"
            raise errors.internal_error(f"{why}, which is not supported for this operation")
        new = self._patched(obj, operations)
        return renew(self._versions.shown(new, invocation.kind, attributes.type) or {})

    def _patched(self, obj: Body, operations: list[Any]) -> dict[str, Any]:
        try:
            new = written(apply_operations(obj, [each or {} for each in operations]))
        except PatchError as error:
            raise errors.internal_error(str(error)) from error
        if not isinstance(new, dict):
            raise errors.internal_error("the patched object is no object")
        return new

    def _invocation(self, hook: Webhook, attributes: Attributes) -> _Invocation | None:
        if not matching.selects(hook.source, attributes, self._store):
            return None
        equivalents = self._versions.equivalents(attributes.resource)
        policy = hook.source.get("matchPolicy") or "Equivalent"
        found = matching.first_match(hook.source.get("rules") or (), attributes, equivalents, policy)
        if found is None:
            return None
        resource = found[1]
        kind = attributes.type if resource == attributes.resource else resource
        shown = self._versions.attributes(attributes, kind)
        if not hook.conditions.hold(shown, resource, kind, self._store):
            return None
        return _Invocation(hook, resource, kind, shown)

    def _ask(self, invocation: _Invocation, *, is_mutating: bool) -> reviews.Verdict | None:
        """What a webhook says; None if it failed and may."""
        hook = invocation.hook
        if invocation.attributes.dry_run and hook.source.get("sideEffects") not in _NO_SIDE_EFFECTS:
            raise errors.bad_request(f"admission webhook {quoted(hook.name)} does not support dry run")
        try:
            verdict = self._call(invocation, is_mutating=is_mutating)
        except _CallFailed as error:
            self._note(hook, error)
            return None
        for each in verdict.warnings:
            invocation.attributes.warn(each)
        if verdict.is_allowed:
            return verdict
        body = reviews.refusal(hook.name, verdict.status)
        refused = StatusError(body["code"], body["message"])
        refused.body = body
        raise refused

    def _call(self, invocation: _Invocation, *, is_mutating: bool) -> reviews.Verdict:
        hook, uid = invocation.hook, str(uuid.uuid4())
        version = reviews.version_of(hook.source)
        asked = reviews.review(version, uid, invocation.attributes, (invocation.resource, invocation.kind))
        seconds = float(hook.source.get("timeoutSeconds") or _SECONDS)
        try:
            answer = self._client.post(hook.source["clientConfig"], asked, seconds)
            check_kind(answer, reviews.GROUP, "AdmissionReview", reviews.VERSIONS)
        except CallError as error:
            raise _CallFailed(hook.name, f"failed to call webhook: {error}") from error
        try:
            return reviews.verdict(version, uid, answer, is_mutating=is_mutating)
        except reviews.ReviewError as error:
            raise _CallFailed(hook.name, f"received invalid webhook response: {error}") from error

    def _note(self, hook: Webhook, error: _CallFailed) -> None:
        """
        Raises:
            StatusError: The hook's failures are not to be ignored.
        """
        if not hook.ignores_failures:
            raise error
        logger.info("webhook failed, which its failurePolicy ignores", webhook=hook.name, error=error.message)


def _operations(hook: Webhook, verdict: reviews.Verdict) -> list[Any]:
    try:
        operations: list[Any] = codecs.decode(verdict.patch, list)
    except (ValueError, RecursionError) as error:  # msgspec.ValidationError is a ValueError
        why = syntax_problem(verdict.patch) or "json: cannot unmarshal object into Go value of type jsonpatch.Patch"
        raise _CallFailed(hook.name, f"received undecodable patch in webhook response: {why}") from error
    if operations and verdict.patch_type != "JSONPatch":
        raise _CallFailed(hook.name, f"unsupported patch type {quoted(verdict.patch_type)}")
    return operations
