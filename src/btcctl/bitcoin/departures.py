"""Networks that go, and what is said about it: one line for a namespace, however many networks it had.

Nobody tells an operator that a namespace is being deleted: it may not read namespaces. It finds out when the API server
lets nothing new be made there. Nothing of what was there will stay, so nothing is done for its networks any more.
"""

from __future__ import annotations

import threading
from collections import defaultdict

from btcctl.logging import get_logger
from btcctl.objects import ObjectKey

logger = get_logger(__name__)


class Departures:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the two below
        self._there: dict[str, set[ObjectKey]] = defaultdict(set)  #: networks by namespace
        self._going: dict[str, set[str]] = {}  #: UIDs of networks in namespaces that are being deleted

    def arrived(self, key: ObjectKey) -> None:
        """There is such a network."""
        if key not in self._there.get(key.namespace, ()):
            with self._lock:
                self._there[key.namespace].add(key)

    def leave(self, key: ObjectKey, uid: str) -> None:
        """Its namespace is being deleted."""
        with self._lock:
            is_new = key.namespace not in self._going
            self._going.setdefault(key.namespace, set()).add(uid)
        if is_new:
            logger.info("a namespace is being deleted: nothing is done for its networks", namespace=key.namespace)

    def is_leaving(self, key: ObjectKey, uid: str) -> bool:
        """Whether its namespace was being deleted; one made anew under that name has another UID."""
        return uid in self._going.get(key.namespace, ())

    def gone(self, key: ObjectKey) -> None:
        """The network is there no longer."""
        with self._lock:
            networks = self._there.get(key.namespace)
            if networks is None or key not in networks:
                return
            networks.discard(key)
            is_last = not networks
            was_told = False
            if is_last:
                del self._there[key.namespace]
                was_told = self._going.pop(key.namespace, None) is not None
        if is_last and not was_told:
            logger.info("the last network of a namespace is gone", namespace=key.namespace, name=key.name)
        else:
            logger.debug("network gone", network=str(key))
