"""Acting as another user: the headers that ask the API server for it.

Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from btcctl.errors import ConfigError

# What a header's name may consist of (RFC 9110, token), without "%", which escapes the rest.
_LEGAL = frozenset(b"!#$&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


class Impersonation(msgspec.Struct, frozen=True):
    """Whom to act as. The server asks whether we may.

    Attributes:
        user: Its name.
        uid: Its id, "" to leave it out.
        groups: Those it is in; the server adds none but `system:authenticated`.
        extra: Further facts by name, each with its values.

    Raises:
        ConfigError: There is no user, or a value that no header can carry.
    """

    user: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.user:
            raise ConfigError("impersonation of groups, a uid or extras needs a user, too: give --as, or as")
        for value in (self.user, self.uid, *self.groups, *(each for values in self.extra.values() for each in values)):
            if any(ord(each) < 0x20 or ord(each) == 0x7F for each in value):
                raise ConfigError(f"impersonation: {value!r} has characters that no HTTP header may have")

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Names and values in order; some names come several times. Values are UTF-8, given as latin-1."""
        found = [("Impersonate-User", self.user)]
        if self.uid:
            found.append(("Impersonate-Uid", self.uid))
        found += [("Impersonate-Group", group) for group in self.groups]
        for name, values in self.extra.items():
            found += [(f"Impersonate-Extra-{_escaped(name)}", value) for value in values]
        return tuple((name, value.encode().decode("latin-1")) for name, value in found)


def _escaped(name: str) -> str:
    return "".join(chr(each) if each in _LEGAL else f"%{each:02X}" for each in name.encode())
