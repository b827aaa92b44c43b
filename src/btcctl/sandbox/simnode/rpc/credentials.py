"""Who may call."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

COOKIE_USER = "__cookie__"


@dataclass(frozen=True, slots=True)
class RpcAuth:
    """A line `rpcauth=user:salt$hmac`, which tells nobody the password."""

    user: str
    salt: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> RpcAuth:
        """Read the value of `rpcauth`.

        Raises:
            ValueError: Not of that form.
        """
        user, colon, rest = text.partition(":")
        salt, dollar, digest = rest.partition("$")
        if not (user and colon and salt and dollar and digest):
            raise ValueError(f"Invalid -rpcauth argument for user {user or '?'}.")
        return cls(user, salt, digest)

    @classmethod
    def of(cls, user: str, password: str) -> RpcAuth:
        salt = secrets.token_hex(16)
        return cls(user, salt, _digest(salt, password))

    def __str__(self) -> str:
        return f"{self.user}:{self.salt}${self.digest}"

    def admits(self, user: str, password: str) -> bool:
        return user == self.user and hmac.compare_digest(_digest(self.salt, password), self.digest)


class Credentials:
    """All user names and passwords that are accepted.

    Args:
        pairs: `user:password` strings.
        auths: Salted ones.
    """

    def __init__(self, pairs: Iterable[str], auths: Iterable[RpcAuth]) -> None:
        self._pairs = [pair.encode() for pair in pairs]
        self._auths = list(auths)

    def admit(self, authorization: str) -> bool:
        """Check the value of an Authorization header."""
        scheme, _, encoded = authorization.partition(" ")
        if scheme != "Basic":
            return False
        try:
            given = base64.b64decode(encoded.strip(), validate=True)
            user, _, password = given.decode().partition(":")
        except ValueError:  # neither base64 nor UTF-8
            return False
        return any(hmac.compare_digest(given, pair) for pair in self._pairs) or any(
            auth.admits(user, password) for auth in self._auths
        )


class Cookie:
    """A password for whoever may read the data directory; a new one at each start.

    Args:
        path: Where it is written, readable by the owner only.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.pair = f"{COOKIE_USER}:{secrets.token_hex(32)}"

    def write(self) -> None:
        self._path.unlink(missing_ok=True)
        with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self.pair)

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


def _digest(salt: str, password: str) -> str:
    return hmac.new(salt.encode(), password.encode(), hashlib.sha256).hexdigest()
