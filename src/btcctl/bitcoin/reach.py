"""How nodes are reached: at their pods' addresses, or by port-forward through the API server.

Inside a cluster pods have addresses. From outside they mostly have none, and then an address may be that of somebody
else in the network one happens to be in, or of a proxy that takes connections to any. So it is called without
credentials first, and gets some only if it asks for them in a node's words. Somebody who pretends to be a node is taken
for one: `port-forward` is the choice where that may be.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from btcctl.bitcoin.pod_problems import ENDED
from btcctl.bitcoin.topology import is_bare
from btcctl.logging import get_logger
from btcctl.objects import Object, ObjectKey

logger = get_logger(__name__)

Via = Literal["auto", "direct", "port-forward"]
AUTO: Final = "auto"
DIRECT: Final = "direct"
PORT_FORWARD: Final = "port-forward"
#: For a connection that may lead through an API server far away.
FORWARDED_CONNECT_SECONDS: Final = 5.0
_TRY_SECONDS = 1.0
_HEAD_BYTES, _MOST_READS = 4096, 8  # more than a node's refusal has, and comes in
# What every Bitcoin Core answers to a POST without credentials, whatever is in it (HTTPReq_JSONRPC in src/httprpc.cpp).
_REFUSES, _AS_A_NODE = b"HTTP/1.1 401", b'realm="jsonrpc"'

Forward = Callable[[ObjectKey, int, float], Any]  #: pod, port, seconds → something like a socket; raises OSError
PodOf = Callable[[str], ObjectKey | None]  #: which pod has an address


class _PodIp(msgspec.Struct, gc=False):
    ip: str = ""


class _Addresses(msgspec.Struct, gc=False, rename="camel"):
    phase: str | None = None
    pod_ip: str | None = msgspec.field(name="podIP", default=None)
    pod_ips: list[_PodIp] | None = msgspec.field(name="podIPs", default=None)


class _Pod(msgspec.Struct, gc=False):
    status: _Addresses = msgspec.field(default_factory=_Addresses)


def addresses_of(pod: Object) -> list[str]:
    """The addresses of a pod, of both IP families, first the one that the cluster prefers.

    [] while it has none, and once it has ended: they may be another pod's by then.
    """
    status = pod.decode(_Pod).status
    if status.phase in ENDED:
        return []
    found = (status.pod_ip or "", *(each.ip for each in status.pod_ips or []))
    return list(dict.fromkeys(each for each in found if is_bare(each)))


class Reach:
    """Makes connections for `RpcConnections`. Thread-safe.

    Args:
        via: `auto` finds out with the first node: by port-forward, unless a node answers at its address.
        forward: Connects to a pod's port through the API server.
        pod_of: Knows the pods.
    """

    def __init__(self, via: Via, forward: Forward, pod_of: PodOf) -> None:
        self._via = via
        self._forward = forward
        self._pod_of = pod_of
        self._lock = threading.Lock()  # guards `_via`

    @property
    def via(self) -> Via:
        """How nodes are reached now; `auto` as long as none was."""
        with self._lock:
            return self._via

    def dial(self, host: str, port: int, seconds: float) -> Any:
        """A connection; None where the address is to be connected to as usual.

        Raises:
            OSError: There is none to be had.
        """
        via = self.via
        if via == DIRECT:
            return None
        if via == AUTO:
            sock = self._try(host, port, seconds)
            if sock is not None:
                return sock
        pod = self._pod_of(host.strip("[]"))
        if pod is None:
            raise ConnectionError(f"no pod of this cluster has the address {host}")
        connection = self._forward(pod, port, seconds)
        self._settle(PORT_FORWARD)
        return connection

    def _try(self, host: str, port: int, seconds: float) -> socket.socket | None:
        address, limit = (host.strip("[]"), port), min(seconds / 2, _TRY_SECONDS)
        try:
            if not _is_node(address, limit):
                logger.warning(
                    "what answers at a node's address is no node: it gets no credentials", node=host, port=port
                )
                return None
            sock = socket.create_connection(address, limit)
        except OSError as error:
            logger.debug("not reached at its address", node=host, error=str(error))
            return None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._settle(DIRECT)
        return sock

    def _settle(self, via: Via) -> None:
        with self._lock:
            if self._via != AUTO:
                return
            self._via = via
        logger.info("nodes are reached", via=via)


def _is_node(address: tuple[str, int], seconds: float) -> bool:
    """Whether what takes connections there asks for credentials as a node does.

    Raises:
        OSError: Nobody does, or says so in time.
    """
    with socket.create_connection(address, seconds) as sock:
        sock.settimeout(seconds)
        sock.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        head = b""
        for _ in range(_MOST_READS):
            piece = sock.recv(_HEAD_BYTES)
            head += piece
            if not piece or b"\r\n\r\n" in head:
                break
    return head.startswith(_REFUSES) and _AS_A_NODE in head
