"""Where all copies of an operator have their certificates: in a Secret.

Every copy of the operator looks after it, whether it leads or not: a copy that is to lead next has to serve
before that. A write carries the version that was read, so of two copies one comes too late, reads again, and finds
nothing left to do.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from btcctl.certificates.identity import Identity
from btcctl.certificates.issuing import Certificates, due_seconds, renewed
from btcctl.clock import Clock
from btcctl.controller.reconciling.result import Result
from btcctl.informers.cache.lister import Lister
from btcctl.logging import get_logger
from btcctl.objects import Object, ObjectKey
from btcctl.rest.collection.resource import Resource
from btcctl.secret import SecretBytes

logger = get_logger(__name__)

_FILES = ("tls.crt", "tls.key", "ca.crt", "ca.key")  # the first two as of kubernetes.io/tls


class SecretKeeper:
    """Keeps the certificates in a Secret, and makes them anew in time: the reconcile of a controller.

    A Secret without a key of the authority is somebody else's, cert-manager's for example: it is only read.

    Args:
        secrets: Of the Secret's namespace, to write it, whether this process leads or not.
        lister: The cache with the Secret.
        hosts: For which the certificate is to be.
    """

    def __init__(
        self, key: ObjectKey, secrets: Resource, lister: Lister, identity: Identity, hosts: Sequence[str], clock: Clock
    ) -> None:
        self._key = key
        self._secrets = secrets
        self._lister = lister
        self._identity = identity
        self._hosts = hosts
        self._clock = clock

    def reconcile(self, _key: ObjectKey) -> Result:
        """Bring the Secret up to date, and have the server use it."""
        secret = self._lister.get(self._key)
        current = None if secret is None else _certificates_in(secret)
        if current is not None and not current.authority_key:
            self._identity.use(current)
            return Result()
        now = self._clock.wall_time()
        wanted = renewed(current, self._hosts, now)
        if wanted is not current:
            self._write(secret, wanted)
        self._identity.use(wanted)
        return Result(requeue_after=due_seconds(wanted, now), background=True)

    def _write(self, secret: Object | None, wanted: Certificates) -> None:
        texts = (wanted.certificate, wanted.key, wanted.authorities, wanted.authority_key)
        data = {name: base64.b64encode(text).decode() for name, text in zip(_FILES, texts, strict=True)}
        if secret is None:
            metadata = {"name": self._key.name, "namespace": self._key.namespace}
            self._secrets.create({"metadata": metadata, "type": "kubernetes.io/tls", "data": data})
        else:
            body = secret.body()
            self._secrets.update({**body, "data": {**(body.get("data") or {}), **data}})
        logger.info("made certificates for webhooks", secret=str(self._key), hosts=[*self._hosts])


def _certificates_in(secret: Object) -> Certificates | None:
    data: dict[str, Any] = secret.body().get("data") or {}
    try:
        texts = [base64.b64decode(data.get(name) or "", validate=True) for name in _FILES]
    except ValueError:
        return None
    certificate, key, authorities, authority_key = texts
    if not (certificate and key):
        return None
    return Certificates(certificate, SecretBytes(key), authorities, SecretBytes(authority_key))
