"""What the hooks of an operator say of an object, without an API server that asks them."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from btcctl import codecs
from btcctl.apiserver.patching.json_patch import apply_operations
from btcctl.apiserver.patching.ordering import written
from btcctl.apiserver.webhooks.calling import Local
from btcctl.errors import NotFound
from btcctl.objects import Object, ObjectKey
from btcctl.resources import MUTATING_WEBHOOK_CONFIGURATIONS, VALIDATING_WEBHOOK_CONFIGURATIONS
from btcctl.rest.client import ApiClient
from btcctl.testing.control_plane.ports import free_ports
from btcctl.typed.values import decoded
from btcctl.webhooks.answers.reviews import Reviews, path_of
from btcctl.webhooks.hooks import AdmissionHook, Mutator
from btcctl.webhooks.options import WebhookOptions
from btcctl.webhooks.webhooks import Webhooks

if TYPE_CHECKING:  # who has no hooks need not wait for what they import
    from btcctl.webhooks.serving import WebhookServer

_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Admitted:
    """What came of it.

    Attributes:
        allowed: Nobody has refused.
        object: As it would be stored: a value of the class that was given, or else a body.
        message: Why not, in the words of the first that refused; "" if nobody did.
        fields: Those that are to blame.
        warnings: Of all that were asked.
        asked: Their names, in order.
    """

    allowed: bool
    object: Any
    message: str = ""
    fields: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


class Serving:
    """Has an API server reach the hooks of one life of an operator.

    Args:
        local: Who answers in this process; None: it is asked over HTTPS, at an address of this machine.
        namespace: The operator's.
    """

    def __init__(self, local: dict[str, Local] | None, namespace: str) -> None:
        self._local = local
        self._running: WebhookServer | None = None
        port = 0 if local is not None else free_ports(1)[0]
        url = f"https://127.0.0.1:{port}" if port else ""
        self.options = WebhookOptions(f"127.0.0.1:{port}", namespace, url=url)

    def serve(self, webhooks: Webhooks | None) -> None:
        """From now on."""
        if webhooks is None:
            return
        if self._local is None:
            self._running = webhooks.server
            self._running.start()
        else:
            self._local[webhooks.address] = lambda path, body, seconds: _local(webhooks.reviews, path, body, seconds)

    def take_back(self, admin: ApiClient, name: str) -> None:
        """Leave a server that others use without what an operator of this name has registered."""
        for type_ in (MUTATING_WEBHOOK_CONFIGURATIONS, VALIDATING_WEBHOOK_CONFIGURATIONS):
            with contextlib.suppress(NotFound):
                admin.resource(type_).delete(ObjectKey("", name))

    def end(self) -> None:
        """As a kill ends it: nobody answers any more."""
        if self._running is not None:
            self._running.stop()
            self._running = None
        if self._local is not None:
            self._local.clear()


def _local(reviews: Reviews, path: str, body: bytes, seconds: float) -> tuple[int, str, bytes]:
    reply = reviews.handle(path, body, seconds)
    return reply.status.value, "application/json" if reply.status == 200 else "text/plain", reply.body


@dataclass(frozen=True, slots=True)
class Question:
    """A request that the hooks are asked about."""

    body: dict[str, Any]
    old: dict[str, Any] | None
    operation: str
    user: str
    groups: Sequence[str]
    dry_run: bool
    subresource: str

    def review(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The AdmissionReview, as an API server sends it."""
        is_delete = self.operation == "DELETE"
        request = {
            "uid": str(uuid.uuid4()),
            "operation": self.operation,
            "subResource": self.subresource,
            "userInfo": {"username": self.user, "groups": [*self.groups]},
            "object": None if is_delete else body,
            "oldObject": body if is_delete else self.old,
            "dryRun": self.dry_run,
        }
        return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


def ask(hooks: Sequence[AdmissionHook[Any]], reviews: Reviews, question: Question, model: type[Any] | None) -> Admitted:
    """Ask mutators, and then validators, as an API server does; the first that refuses ends it.

    Raises:
        AssertionError: One has failed; its log says why.
    """
    body = copy.deepcopy(question.body)
    warnings: list[str] = []
    asked: list[str] = []
    for hook in sorted(_concerned(hooks, question), key=lambda each: not isinstance(each, Mutator)):
        asked.append(hook.name)
        reply = reviews.handle(path_of(hook), json.dumps(question.review(body)).encode(), _SECONDS)
        if reply.status != 200:
            raise AssertionError(f"hook {hook.name}: {reply.body.decode().strip()}")
        answer = json.loads(reply.body)["response"]
        warnings += answer.get("warnings") or []
        if not answer["allowed"]:
            causes = answer["status"]["details"]["causes"]
            fields = [each["field"] for each in causes if "field" in each]
            return Admitted(False, _shown(body, model), answer["status"]["message"], fields, warnings, asked)
        if "patch" in answer:
            body = written(apply_operations(body, json.loads(base64.b64decode(answer["patch"]))))
    return Admitted(True, _shown(body, model), warnings=warnings, asked=asked)


def _concerned(hooks: Sequence[AdmissionHook[Any]], question: Question) -> list[AdmissionHook[Any]]:
    of = (question.body.get("apiVersion"), question.body.get("kind"))
    return [
        each
        for each in hooks
        if (each.kind.api_version, each.kind.kind) == of
        and question.operation in each.options.on
        and question.subresource == each.options.subresource
    ]


def _shown(body: dict[str, Any], model: type[Any] | None) -> Any:
    return body if model is None else decoded(Object.from_nameless(codecs.encode(body)), model)
