"""What lets clients into a cluster, and shows them that it is the one they mean."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from btcctl.apiserver.access.tokens import new_key
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.sandbox.certificates import Identity, make_identity


@dataclass(frozen=True, slots=True)
class ClusterKeys:
    """Of one cluster, for as long as it is to be known.

    Attributes:
        token: The administrator's.
        account_key: What tokens of ServiceAccounts are signed with.
        identity: The server's.
    """

    token: str = field(repr=False)
    account_key: bytes = field(repr=False)
    identity: Identity

    @classmethod
    def make(cls, clock: Clock = SYSTEM_CLOCK) -> Self:
        return cls(secrets.token_urlsafe(24), new_key(), make_identity(clock=clock))

    @classmethod
    def read(cls, data: Mapping[str, str]) -> Self:
        """What `data` said.

        Raises:
            KeyError, ValueError: Something is missing, or no text.
        """
        identity = Identity(data["authority"].encode(), data["server"].encode())
        return cls(data["token"], base64.b64decode(data["accountKey"], validate=True), identity)

    def data(self) -> dict[str, str]:
        """All of it as texts: secrets."""
        return {
            "token": self.token,
            "accountKey": base64.b64encode(self.account_key).decode(),
            "authority": self.identity.authority.decode(),
            "server": self.identity.server.decode(),
        }
