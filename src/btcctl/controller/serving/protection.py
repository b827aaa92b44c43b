"""Metrics for those alone who may see them: HTTPS, and tokens that the API server knows.

As controller-runtime has it: a TokenReview says who sends a request, a SubjectAccessReview whether he may get its
path. Prometheus needs a role with `nonResourceURLs: ["/metrics"]` and `verbs: ["get"]`.
"""

from __future__ import annotations

import hashlib
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from cachetools import TLRUCache

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.serving.http_answer import Answer
from btcctl.controller.serving.http_request import Request
from btcctl.deadline import limited_to
from btcctl.errors import BtcctlError, describe_error
from btcctl.logging import get_logger
from btcctl.rest.client import ApiClient

logger = get_logger(__name__)

ALLOWED_SECONDS = 60.0  # for which it is remembered; whose right was taken away is answered for so long
REFUSED_SECONDS = 10.0
_ASK_SECONDS = 3.0  # less than a request may take
_MOST_KNOWN = 1000
_TOKENS = "/apis/authentication.k8s.io/v1/tokenreviews"
_ACCESS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
_UNKNOWN = Answer(HTTPStatus.UNAUTHORIZED, b"send a token that the API server knows: Authorization: Bearer TOKEN\n")
_UNASKED = Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"whether you may see this cannot be found out at the moment\n")

_Known = tuple[bytes, str, str]  #: digest of the token, verb, path


@dataclass(frozen=True, slots=True)
class Protection:
    """How pages are kept from strangers.

    Attributes:
        context: Of TLS, for new connections; gives None as long as there is no certificate.
        refusal: What those are answered who may not see a page; gives None for who may.
    """

    context: Callable[[], ssl.SSLContext | None]
    refusal: Callable[[Request], Answer | None]


class AccessReviews:
    """Asks the API server who sends a request, and whether he may. Thread-safe.

    Args:
        client: May create TokenReviews and SubjectAccessReviews.
    """

    def __init__(self, client: ApiClient, clock: Clock = SYSTEM_CLOCK) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()  # guards the two below
        self._known: TLRUCache[_Known, Answer | None] = TLRUCache(_MOST_KNOWN, _forgotten_at, timer=clock.now)
        self._complaint = ""

    def refusal(self, request: Request) -> Answer | None:
        """What a request is answered that is not allowed; None if it is. Blocks for three seconds at most."""
        scheme, _, token = request.authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            return _UNKNOWN
        verb = "head" if request.is_head else "get"
        known = hashlib.sha256(token.encode()).digest(), verb, request.path
        with self._lock:
            if known in self._known:
                return self._known[known]
        try:
            with limited_to(_ASK_SECONDS, self._clock):
                answer = self._asked(token, verb, request.path)
        except BtcctlError as error:
            self._complain(describe_error(error))
            return _UNASKED
        with self._lock:
            self._known[known] = answer
            self._complaint = ""
        return answer

    def _asked(self, token: str, verb: str, path: str) -> Answer | None:
        status = self._review(_TOKENS, {"token": token})
        if status.get("authenticated") is not True:
            return _UNKNOWN
        said = status.get("user")
        user: Mapping[str, Any] = said if isinstance(said, dict) else {}
        who = {name: user[name] for name in ("uid", "groups", "extra") if user.get(name)}
        name = str(user.get("username") or "")
        attributes = {"path": path, "verb": verb}
        if self._review(_ACCESS, {**who, "user": name, "nonResourceAttributes": attributes}).get("allowed") is True:
            return None
        return Answer(HTTPStatus.FORBIDDEN, f"{name} may not {verb} {path}: a ClusterRole can allow it\n".encode())

    def _review(self, path: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        status = self._client.post_json(path, {"spec": spec}).get("status")
        return status if isinstance(status, dict) else {}

    def _complain(self, problem: str) -> None:
        """Once, and not to a stranger."""
        with self._lock:
            is_new, self._complaint = problem != self._complaint, problem
        if is_new:
            logger.warning("cannot ask who may see the metrics", error=problem)


def _forgotten_at(_known: _Known, answer: Answer | None, now: float) -> float:
    return now + (ALLOWED_SECONDS if answer is None else REFUSED_SECONDS)
