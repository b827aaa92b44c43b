"""What stands between a request and the store: everything that must be asked first, by way of `storage.answers`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from btcctl.apiserver.admission.attributes import CREATE, UPDATE, Attributes
from btcctl.apiserver.requests.context import RequestContext
from btcctl.apiserver.requests.messages import User
from btcctl.apiserver.requests.options import Renew
from btcctl.apiserver.storage.answers import ask
from btcctl.apiserver.storage.collection import Body
from btcctl.resources import ResourceType


class Chain(Protocol):
    """All that may have a say."""

    def may_mutate(self, attributes: Attributes) -> bool:
        """Whether somebody might change the object; answers at once, and may be wrong with True."""

    def may_validate(self, attributes: Attributes) -> bool:
        """Whether somebody might refuse the request, likewise."""

    def mutate(self, attributes: Attributes, renew: Renew) -> Body | None:
        """The object as everybody wants it."""

    def validate(self, attributes: Attributes) -> None:
        """Raises StatusError if anybody refuses."""


class Gate:
    """The admission of one request, which is one thread's.

    Args:
        chain: Who is asked.
        options: What the CreateOptions and so on have in them; their kind is set here.
    """

    def __init__(
        self,
        chain: Chain,
        context: RequestContext,
        options: Mapping[str, Any],
    ) -> None:
        self._chain = chain
        self._context = context
        self._route = context.route
        self._user = User(context.request.user, context.request.groups)
        self._options = options
        self._sent_name = ""

    def note_name(self, name: str) -> None:
        """The name that a client has given to a new object: "" if the server makes it up."""
        self._sent_name = name

    def mutated(self, type_: ResourceType, obj: Body, old: Body | None, renew: Renew) -> Body | None:
        """The object as everybody wants it, or None: it stays as it is.

        Raises:
            Unanswered: Ask, and come again.
        """
        attributes = self._attributes(type_, CREATE if old is None else UPDATE, obj, old)
        if attributes.is_exempt or not self._chain.may_mutate(attributes):
            return None
        answer: Body | None = self._answer("mutate", attributes, partial(self._chain.mutate, attributes, renew))
        return answer

    def check(self, type_: ResourceType, operation: str, obj: Body | None, old: Body | None) -> None:
        """Whether everybody agrees to what is about to be written, or deleted.

        Raises:
            Unanswered: Ask, and come again.
        """
        attributes = self._attributes(type_, operation, obj, old, "validate")
        if not attributes.is_exempt and self._chain.may_validate(attributes):
            self._answer("validate", attributes, partial(self._chain.validate, attributes))

    def check_deletion(self, type_: ResourceType, old: Body) -> None:
        """Likewise of a deletion, which nobody can change.

        Raises:
            Unanswered: Ask, and come again.
        """
        attributes = self._attributes(type_, "DELETE", None, old)
        if not attributes.is_exempt and (self._chain.may_mutate(attributes) or self._chain.may_validate(attributes)):
            self._answer("delete", attributes, partial(self._check_deletion, attributes))

    def _check_deletion(self, attributes: Attributes) -> None:
        self._chain.mutate(attributes, _unchanged)
        self._chain.validate(attributes)

    def _answer(self, phase: str, attributes: Attributes, question: Callable[[], Any]) -> Any:
        old = {} if attributes.old is None else attributes.old["metadata"]
        key = phase, str(old.get("uid", "")), str(old.get("resourceVersion", ""))
        return ask(key, question)

    def _attributes(
        self, type_: ResourceType, operation: str, obj: Body | None, old: Body | None, phase: str = ""
    ) -> Attributes:
        kinds = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}
        options = {"kind": kinds.get(operation, "CreateOptions"), "apiVersion": "meta.k8s.io/v1", **self._options}
        name = self._route.name or self._sent_name
        if not name and phase == "validate" and obj is not None:
            name = obj["metadata"].get("name") or ""
        dry_run = bool(self._options.get("dryRun"))
        return Attributes(
            self._route, operation, type_, obj, old, options, dry_run, self._user, name, self._context.warn
        )


def _unchanged(patched: dict[str, Any], /, *, is_strict: bool = False) -> dict[str, Any]:
    return patched
