"""Reads and writes one Lease, each call with a timeout of its own."""

from __future__ import annotations

from typing import Any, Protocol

from btcctl import codecs
from btcctl.errors import NotFound
from btcctl.leaderelection.record import LeaseRecord
from btcctl.mistakes import check_is
from btcctl.objects import Object, ObjectKey
from btcctl.resources import LEASES
from btcctl.rest.transport.transport import Request, Response

_JSON = {"Content-Type": "application/json"}


class LeaseClient(Protocol):
    """The part of `btcctl.rest.client.ApiClient` that is needed."""

    @property
    def field_manager(self) -> str: ...

    def call(self, request: Request, *, timeout: float | None = None) -> Response: ...


class LeaseLock:
    """One Lease. Remembers the version it has seen last: a write that is not based on it is refused.

    Not thread-safe.

    Args:
        client: Its own, not the one that carries the work: unfenced, and without retries, because
            one call is one attempt.
        key: Of the Lease.
    """

    def __init__(self, client: LeaseClient, key: ObjectKey) -> None:
        check_is("the key of a Lease", key, ObjectKey, 'ObjectKey("default", "my-operator")')
        LEASES.path(key.namespace, key.name or " ")  # says if it names none
        self.key = key
        self._client = client
        self._seen: dict[str, Any] | None = None

    def get(self, timeout: float) -> LeaseRecord | None:
        """Read it; None if there is none.

        Raises:
            BtcctlError: It could not be read.
        """
        try:
            response = self._client.call(Request("GET", self._path), timeout=timeout)
        except NotFound:
            self._seen = None
            return None
        return self._remember(response)

    def create(self, record: LeaseRecord, timeout: float) -> None:
        """Make it.

        Raises:
            AlreadyExists: Another process has.
        """
        metadata = {"name": self.key.name, "namespace": self.key.namespace}
        body = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": metadata,
            "spec": record.spec(),
        }
        self._write("POST", LEASES.path(self.key.namespace), body, timeout)

    def update(self, record: LeaseRecord, timeout: float) -> None:
        """Write over what was last seen, and leave alone what is not the election's.

        Raises:
            Conflict: It has changed since.
            ValueError: It was never seen.
        """
        if self._seen is None:
            raise ValueError(f"lease {self.key} was not read yet")
        spec = {**(self._seen.get("spec") or {}), **record.spec()}
        self._write("PUT", self._path, {**self._seen, "spec": spec}, timeout)

    @property
    def _path(self) -> str:
        return LEASES.path(self.key.namespace, self.key.name)

    def _write(self, method: str, path: str, body: dict[str, Any], timeout: float) -> None:
        query = {"fieldManager": self._client.field_manager}
        request = Request(method, path, query, _JSON, codecs.encode(body))
        self._remember(self._client.call(request, timeout=timeout))

    def _remember(self, response: Response) -> LeaseRecord:
        body = Object.from_raw(response.body).body()
        record = LeaseRecord.from_spec(body.get("spec"))
        self._seen = body
        return record
