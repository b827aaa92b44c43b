"""What the API server does not allow us, as its answers say it: a right that a role lacks shows nowhere else.

Not counted: Secrets, because a user may name any in `spec.secret`, and the network's own conditions say it; and Events,
without which a network is as good. A 403 of admission (a quota, Pod Security) is no missing right either.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from btcctl.errors import ApiError, BadRequest, Forbidden, Invalid
from btcctl.logging import get_logger
from btcctl.resources import EVENTS, SECRETS
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request, Response, StreamResponse, Transport

logger = get_logger(__name__)

T = TypeVar("T")

_FORBIDDEN: Final = 403
# As k8s.io/apiserver words what an authorizer refuses (endpoints/handlers/responsewriters/errors.go).
_NO_RIGHT = re.compile(rb'cannot [a-z]+ resource \\?"')
_PATH = re.compile(
    r"/api(?:s/(?P<group>[^/]+))?/[^/]+(?:/namespaces/(?P<namespace>[^/]+))?"
    r"/(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<subresource>[^/]+))?)?"
)
_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch"}
_ELSEWHERE: Final = frozenset({SECRETS.plural, EVENTS.plural})


# What an admission webhook that fails is told with (apiserver, admission/plugin/webhook/errors).
_NO_WEBHOOK = "failed calling webhook"


def is_refusal(error: ApiError) -> bool:
    """Whether the API server refuses what is asked for, and will the next time, too, until somebody changes something.

    A quota, a role, a policy, a webhook, a value that it does not take. That it is busy, or slow, is none.
    """
    return isinstance(error, BadRequest | Forbidden | Invalid) or _NO_WEBHOOK in error.message


class Attempts:
    """What is done for one network, one thing after the other: that one of them is refused holds up no other."""

    def __init__(self) -> None:
        self.refusals: list[ApiError] = []

    def __call__(self, do: Callable[[], T], otherwise: T) -> T:
        """Do it and return what it returns; if it is refused, note that and return `otherwise`.

        Raises:
            ApiError: It fails, and not for good.
        """
        try:
            return do()
        except ApiError as error:
            if error.is_namespace_terminating or not is_refusal(error):
                raise
            self.refusals.append(error)
            return otherwise

    def raise_first(self) -> None:
        """Raise the first refusal, if there was any."""
        if self.refusals:
            raise self.refusals[0]


@dataclass(frozen=True, slots=True)
class Right:
    """What a rule of a role grants."""

    verb: str
    group: str
    resource: str  #: with its subresource, as rules have it: "pods/status"
    namespace: str = ""  #: "" for all

    def __str__(self) -> str:
        where = f" in namespace {self.namespace}" if self.namespace else ""
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {what}{where}"


def right_for(request: Request) -> Right | None:
    """The right that a request needs; None if it is about no resource."""
    match = _PATH.fullmatch(request.path)
    if match is None:
        return None
    resource = match["resource"]
    if match["subresource"]:
        resource = f"{resource}/{match['subresource']}"
    return Right(_verb(request, match["name"] or ""), match["group"] or "", resource, match["namespace"] or "")


def _verb(request: Request, name: str) -> str:
    if request.method == "GET":
        if name:
            return "get"
        return "watch" if request.query.get("watch") in {"1", "true"} else "list"
    if request.method == "DELETE":
        return "delete" if name else "deletecollection"
    return _VERBS.get(request.method, request.method.lower())


class Refusals:
    """The rights that we turned out not to have, until we turn out to have them. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the two below
        self._missing: set[Right] = set()
        self._told: set[tuple[str, str, str]] = set()

    def refused(self, right: Right) -> None:
        """Note it; said in the log once for each verb and resource."""
        with self._lock:
            self._missing.add(right)
            what = (right.verb, right.group, right.resource)
            is_new = what not in self._told
            self._told.add(what)
        if is_new:
            logger.error("a right is missing", verb=right.verb, resource=right.resource, group=right.group)

    def granted(self, right: Right) -> None:
        """Note that it is there (again)."""
        if not self._missing:
            return
        with self._lock:
            self._missing.discard(right)
            if all((each.verb, each.resource) != (right.verb, right.resource) for each in self._missing):
                self._told.discard((right.verb, right.group, right.resource))

    def concerning(self, namespace: str) -> Sequence[Right]:
        """Those that a network in this namespace needs, in a fixed order."""
        with self._lock:
            found = [each for each in self._missing if each.namespace in {"", namespace}]
        return sorted(found, key=str)

    def problem(self) -> str:
        """For `/readyz`: each verb and resource once; "" if nothing is missing."""
        with self._lock:
            found = {str(Right(each.verb, each.group, each.resource)) for each in self._missing}
        return f"may not {', '.join(sorted(found))}: see btcctl doctor" if found else ""


class RefusalNotingTransport:
    """A transport that tells of what was refused, and of what was not.

    Args:
        transport: What really carries the requests.
        refusals: Who is told.
    """

    def __init__(self, transport: Transport, refusals: Refusals) -> None:
        self._transport = transport
        self._refusals = refusals

    def request(self, request: Request, *, timeout: float, breaker: Breaker | None = None) -> Response:
        """See `Transport.request`."""
        response = self._transport.request(request, timeout=timeout, breaker=breaker)
        self._note(request, response.status, response.body)
        return response

    def stream(self, request: Request, *, timeout: float, idle_timeout: float, breaker: Breaker) -> StreamResponse:
        """See `Transport.stream`. A watch that is refused is counted by its status alone."""
        response = self._transport.stream(request, timeout=timeout, idle_timeout=idle_timeout, breaker=breaker)
        self._note(request, response.status, None)
        return response

    def close(self) -> None:
        """See `Transport.close`."""
        self._transport.close()

    def _note(self, request: Request, status: int, body: bytes | None) -> None:
        right = right_for(request) if status < 300 or status == _FORBIDDEN else None
        if right is None or right.resource in _ELSEWHERE:
            return
        if status != _FORBIDDEN:
            self._refusals.granted(right)
        elif body is None or _NO_RIGHT.search(body):
            self._refusals.refused(right)
