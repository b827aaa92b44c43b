"""The debug pages of the operator that is at work in a cluster: of the pod that holds its Lease, by port-forward."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from btcctl import codecs
from btcctl.bitcoin.reach import Forward
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.deadline import time_left
from btcctl.errors import BtcctlError, NotFound, describe_error
from btcctl.leaderelection.record import read_record
from btcctl.objects import Object, ObjectKey
from btcctl.resources import LEASES, PODS
from btcctl.rest.client import ApiClient
from btcctl.rest.exchange.call import Call
from btcctl.rest.exchange.connection import Connections
from btcctl.rest.exchange.exchange import exchange
from btcctl.rest.exchange.failures import FAILURES, describe
from btcctl.rest.exchange.head import format_fields, format_request
from btcctl.rest.exchange.reaching.names import Names
from btcctl.rest.exchange.reaching.route import Route

SECONDS: Final = 5.0
MAX_BYTES: Final = 16 << 20
PORT_NAME: Final = "metrics"  #: of the controller's container
_HINT = "the chart's debugEndpoints, or btcctl run --debug-endpoints --metrics-bind-address :8080, turns them on"
_NOBODY = "127.0.0.1"  # what is dialled instead is the pod


class _Port(msgspec.Struct, gc=False, rename="camel"):
    container_port: int = 0
    name: str = ""


class _Container(msgspec.Struct, gc=False):
    ports: list[_Port] | None = None


class _Spec(msgspec.Struct, gc=False):
    containers: list[_Container] = []


class _Pod(msgspec.Struct, gc=False):
    spec: _Spec = msgspec.field(default_factory=_Spec)


class ForwardedPages:
    """Reads them. Used by one thread at a time.

    Args:
        client: The cluster.
        forward: Connects to a pod's port.
        lease: The operator's; any namespace that has one of that name will do if this has none.
    """

    def __init__(self, client: ApiClient, forward: Forward, lease: ObjectKey, clock: Clock = SYSTEM_CLOCK) -> None:
        self._client = client
        self._forward = forward
        self._lease = lease
        self._clock = clock
        self._found: tuple[ObjectKey, int, Connections] | None = None

    def close(self) -> None:
        """Close what is idle. Idempotent."""
        self._forget()

    def fetch(self, page: str) -> Mapping[str, Any] | None:
        """One page.

        Raises:
            BtcctlError: Nobody holds the Lease, it is no pod of this cluster, or it has no such pages.
        """
        if self._found is None:
            pod, port = self._find()
            self._found = pod, port, self._connections_to(pod, port)
        pod, port, connections = self._found
        try:
            status, body = self._get(f"/debug/{page}", pod, port, connections)
            if status != 200:
                raise BtcctlError(f"{pod} serves no debug pages: {_HINT}")
            found: Mapping[str, Any] = codecs.decode(body, dict[str, Any])
        except FAILURES as error:
            self._forget()  # another one may be at work by now
            raise BtcctlError(f"{pod}: {describe(error)[1]}; {_HINT}") from error
        except codecs.DECODE_ERRORS as error:
            raise BtcctlError(f"{pod} answers with no debug page: {describe_error(error)}") from error
        return found

    def _forget(self) -> None:
        if self._found is not None:
            self._found[-1].close()
        self._found = None

    def _connections_to(self, pod: ObjectKey, port: int) -> Connections:
        def dial(_host: str, _port: int, seconds: float) -> Any:
            return self._forward(pod, port, seconds)

        return Connections(Route(_NOBODY, port, Names(self._clock), dial=dial))

    def _get(self, path: str, pod: ObjectKey, port: int, connections: Connections) -> tuple[int, bytes]:
        message = format_request("GET", path, format_fields(f"{_NOBODY}:{port}", ()), b"")
        body = bytearray()

        def receive(piece: bytes) -> None:
            body.extend(piece)
            if len(body) > MAX_BYTES:
                raise BtcctlError(f"{pod} sends too much")

        call = Call(time_left(SECONDS), self._clock, connect_seconds=SECONDS)
        answer = exchange(connections, call, "GET", message, may_be_sent_twice=True)
        answer.read(receive)
        return answer.status, bytes(body)

    def _find(self) -> tuple[ObjectKey, int]:
        lease = self._lease_object()
        holder = read_record(lease).holder
        pod = ObjectKey(lease.namespace, holder.rpartition("_")[0])
        if not holder or not pod.name:
            raise BtcctlError(f"nobody holds the Lease {lease.key}: no operator is at work")
        try:
            spec = self._client.resource(PODS).get(pod).decode(_Pod).spec
        except NotFound as error:
            raise BtcctlError(
                f"the operator that holds {lease.key} is {holder}, and no pod: if it runs on this machine with "
                "--debug-endpoints, --operator HOST:PORT looks into it"
            ) from error
        ports = [port for container in spec.containers for port in container.ports or ()]
        port = next((each.container_port for each in ports if each.name == PORT_NAME), None)
        if port is None:
            raise BtcctlError(f"{pod} has no port called {PORT_NAME}: {_HINT}")
        return pod, port

    def _lease_object(self) -> Object:
        leases = self._client.resource(LEASES)
        try:
            return leases.get(self._lease)
        except NotFound:
            found, _ = leases.list(field_selector=f"metadata.name={self._lease.name}")
        if not found:
            raise BtcctlError(f"there is no Lease {self._lease}: no operator has ever been at work")
        return max(found, key=lambda each: read_record(each).renew_time)
