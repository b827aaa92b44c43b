"""What an API server's audit log says that a user did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from btcctl import codecs
from btcctl.errors import ConfigError
from btcctl.rbac.rights import Use, uses_of


class _User(msgspec.Struct):
    username: str = ""


class _Reference(msgspec.Struct, rename="camel"):
    resource: str = ""
    subresource: str = ""
    api_group: str = ""
    name: str = ""


class _Response(msgspec.Struct):
    code: int = 0


class _Event(msgspec.Struct, rename="camel"):
    """Of audit.k8s.io/v1, what is needed here."""

    kind: str = ""
    verb: str = ""
    user: _User = msgspec.field(default_factory=_User)
    object_ref: _Reference | None = None
    response_status: _Response | None = None
    impersonated_user: _User | None = None


def uses_in(lines: Iterable[str], source: str, user: str = "") -> list[Use]:
    """What the log says that `user` asked for, whether it was allowed or not.

    Args:
        lines: JSON, an event in each, as kube-apiserver's `--audit-log-path` has them.
        source: Names the log in the error.
        user: As `system:serviceaccount:NAMESPACE:NAME`; "" is all users.

    Raises:
        ConfigError: A line is no audit event; or there is none of that user.
    """
    seen: set[str] = set()
    found: dict[Use, None] = {}
    for event in _events(lines, source):
        name = (event.impersonated_user or event.user).username
        seen.add(name)
        if user in {"", name} and event.object_ref is not None:
            found |= dict.fromkeys(_uses(event, event.object_ref))
    if not found:
        whom = f" of {user}; there are requests of {', '.join(sorted(seen)) or 'no user'}" if user else ""
        raise ConfigError(f"{source}: there is no request for a resource{whom}")
    return [*found]


def _events(lines: Iterable[str], source: str) -> Iterator[_Event]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            event = codecs.decode(line, _Event)
        except codecs.DECODE_ERRORS as error:
            raise ConfigError(f"{source}, line {number}: no audit event: {error}") from error
        if event.kind != "Event":
            raise ConfigError(f"{source}, line {number}: no audit event, but of kind {event.kind!r}")
        yield event


def _uses(event: _Event, reference: _Reference) -> list[Use]:
    code: Any = 0 if event.response_status is None else event.response_status.code
    about = (reference.api_group, reference.resource, reference.subresource, reference.name)
    return uses_of(event.verb, *about, has_created=code == 201)
