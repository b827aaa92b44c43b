"""Tokens of ServiceAccounts: JSON Web Tokens that this server signs and believes.

A token is good until it expires, and while its ServiceAccount, and the Pod or Secret it is bound to, are those that
they were. It is signed with a key that others do not have (HS256): after a restart it is believed if the key was kept.

Source of the claims: pkg/serviceaccount of kubernetes 1.36.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from btcctl.apiserver.access.impersonation import account_groups, account_user
from btcctl.apiserver.requests.messages import User
from btcctl.apiserver.storage.store import Store
from btcctl.objects import ObjectKey

ISSUER = "https://kubernetes.default.svc"
_HEAD = {"alg": "HS256", "typ": "JWT"}
_CLAIM = "kubernetes.io"
_BOUND = {"pod": ("", "pods"), "secret": ("", "secrets")}


class Bound(NamedTuple):
    """What a token is bound to: `pod` or `secret`."""

    kind: str
    name: str
    uid: str


def new_key() -> bytes:
    """What tokens may be signed with."""
    return secrets.token_bytes(32)


class Tokens:
    """Thread-safe.

    Attributes:
        key: What they are signed with. With that of an earlier server, and its objects, its tokens hold.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.key = new_key()

    def issue(
        self, account: ObjectKey, uid: str, audiences: Sequence[str], seconds: int, bound: Bound | None = None
    ) -> tuple[str, datetime]:
        """A new token of a ServiceAccount, and when it expires."""
        now = self._store.clock.wall_time().astimezone(UTC)
        expires = now + timedelta(seconds=seconds)
        held = {} if bound is None else {bound.kind: {"name": bound.name, "uid": bound.uid}}
        claims = {
            "aud": list(audiences),
            "exp": int(expires.timestamp()),
            "iat": int(now.timestamp()),
            "iss": ISSUER,
            "jti": str(uuid.uuid4()),
            _CLAIM: {
                "namespace": account.namespace,
                **held,
                "serviceaccount": {"name": account.name, "uid": uid},
            },
            "nbf": int(now.timestamp()),
            "sub": account_user(account.namespace, account.name),
        }
        signed = f"{_encoded(_HEAD)}.{_encoded(claims)}"
        return f"{signed}.{self._signature(signed)}", expires

    def user_of(self, token: str) -> User | None:
        """Whose token it is; None if it is none that holds."""
        signed, _, signature = token.rpartition(".")
        if not signed or not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return None
        claims = json.loads(_decoded(signed.partition(".")[2]))
        about: Mapping[str, Any] = claims[_CLAIM]
        now = self._store.clock.wall_time().timestamp()
        if not claims["nbf"] <= now < claims["exp"] or ISSUER not in claims["aud"]:
            return None
        namespace = about["namespace"]
        if not self._is_there(("", "serviceaccounts"), namespace, about["serviceaccount"]):
            return None
        for kind, collection in _BOUND.items():
            if kind in about and not self._is_there(collection, namespace, about[kind]):
                return None
        return User(claims["sub"], (*account_groups(namespace), "system:authenticated"))

    def _is_there(self, collection: tuple[str, str], namespace: str, what: Mapping[str, str]) -> bool:
        record = self._store.get(collection, ObjectKey(namespace, what["name"]))
        return record is not None and record.body["metadata"]["uid"] == what["uid"]

    def _signature(self, signed: str) -> str:
        return _text(hmac.new(self.key, signed.encode(), hashlib.sha256).digest())


def _encoded(part: Mapping[str, Any]) -> str:
    return _text(json.dumps(part, separators=(",", ":")).encode())


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
