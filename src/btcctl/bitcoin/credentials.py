"""The RPC credentials of a network: from its Secret, or the well-known ones if it names none.

If it names one, nothing else is ever tried.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from btcctl.bitcoin.credential_rules import problem_with, trim
from btcctl.bitcoin.pod_template import DEFAULT_PASSWORD, DEFAULT_USER, PASSWORD_KEY, USER_KEY
from btcctl.bitcoin.rpc import Credentials
from btcctl.bitcoin.types import BitcoinNetwork
from btcctl.errors import BtcctlError, Forbidden, NotFound
from btcctl.objects import Object, ObjectKey
from btcctl.secret import Secret, hiding_frames

GetSecret = Callable[[ObjectKey], Object]


class CredentialsProblem(BtcctlError):
    """The credentials cannot be had; the message says why and what to do, and never shows them.

    Attributes:
        reason: For the condition and the event.
        blocks_pods: Whether pods could not start either, for the same cause.
    """

    reason: ClassVar[str]
    blocks_pods: ClassVar[bool] = True


class SecretNotFound(CredentialsProblem):
    reason = "SecretNotFound"


class SecretKeyMissing(CredentialsProblem):
    reason = "SecretKeyMissing"


class SecretInvalid(CredentialsProblem):
    """The values are no credentials that a node could be started with."""

    reason = "SecretInvalid"


class SecretForbidden(CredentialsProblem):
    """We may not read it; the kubelet, which starts the pods, may."""

    reason = "SecretForbidden"
    blocks_pods = False


@dataclass(frozen=True, slots=True)
class KnownCredentials:
    """Credentials and where they come from."""

    credentials: Credentials
    version: str = ""  #: changes when the Secret does; "" for the default credentials
    secret: str | None = None


class _Secret(msgspec.Struct, gc=False):
    data: Any = None  # what else stands in it is none of our business


def read_credentials(network: BitcoinNetwork, get_secret: GetSecret) -> KnownCredentials:
    """Read them with one GET of the one Secret that is named.

    Raises:
        CredentialsProblem: They cannot be had.
        ApiError: The API server fails in another way.
    """
    name = network.spec.secret
    if name is None:
        return KnownCredentials(Credentials(DEFAULT_USER, DEFAULT_PASSWORD))
    where = f'Secret "{name}" in namespace {network.namespace}'
    try:
        secret = get_secret(ObjectKey(network.namespace, name))
    except NotFound as error:
        raise SecretNotFound(f"there is no {where}: create it with the keys {USER_KEY} and {PASSWORD_KEY}") from error
    except Forbidden as error:
        raise SecretForbidden(f"the controller may not get {where}: add its name to the controller's role") from error
    return KnownCredentials(_parse(secret, where), secret.resource_version, name)


@hiding_frames
def _parse(secret: Object, where: str) -> Credentials:
    data = secret.decode(_Secret).data or {}
    if not isinstance(data, dict):
        raise SecretInvalid(f"{where} has no data that could be read")
    missing = [key for key in (USER_KEY, PASSWORD_KEY) if not data.get(key)]
    if missing:
        raise SecretKeyMissing(f"{where} has no {' and no '.join(missing)}")
    user, password = (_text(data[key], key, where) for key in (USER_KEY, PASSWORD_KEY))
    problem = problem_with(user, password)
    if problem is not None:
        number, why = problem
        raise SecretInvalid(f"{where}: {(USER_KEY, PASSWORD_KEY)[number]} {why}")
    return Credentials(Secret(user), Secret(password))


def _text(encoded: object, key: str, where: str) -> str:
    try:
        if isinstance(encoded, str):
            return trim(b64decode(encoded, validate=True).decode())
    except ValueError as error:
        raise SecretInvalid(f"{where}: {key} is not UTF-8 text") from error
    raise SecretInvalid(f"{where}: {key} is not base64 text")
