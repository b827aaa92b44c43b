"""What a cluster that comes back does before anything runs: objects and directories are told of what was missed."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from btcctl.clock import SYSTEM_CLOCK, Clock, rfc3339
from btcctl.errors import NotFound
from btcctl.logging import get_logger
from btcctl.objects import ObjectKey
from btcctl.resources import EVENTS, PERSISTENT_VOLUME_CLAIMS, PODS
from btcctl.rest.client import ApiClient
from btcctl.sandbox.kubelet.claims import volume_directory
from btcctl.sandbox.kubelet.kubelet import directory_name
from btcctl.sandbox.kubelet.pods.outage import after_outage

logger = get_logger(__name__)

EVENTS_KEPT = timedelta(hours=1)  # kube-apiserver's --event-ttl


def settle(client: ApiClient, node_name: str, home: Path, clock: Clock = SYSTEM_CLOCK) -> None:
    """Say that no pod of the node runs; remove directories of pods and claims that are gone, and old Events.

    Before anything acts on what the pods' status says: an address in it may be another sandbox's by now.

    Args:
        home: Where the directories of pods and volumes are.
    """
    pods = client.resource(PODS)
    kept = set()
    for pod in pods.list()[0]:
        body = pod.body()
        if body["spec"].get("nodeName") == node_name:
            kept.add(home / "pods" / directory_name(pod))
            status = after_outage(body, rfc3339(clock.wall_time()))
            if status is not None:
                pods.update_status({**body, "status": status})
    claims = client.resource(PERSISTENT_VOLUME_CLAIMS).list()[0]
    kept |= {volume_directory(home / "volumes", each.key) for each in claims}
    for path in {*(home / "pods").glob("*"), *(home / "volumes").glob("*/*")} - kept:
        logger.info("removing what belongs to nobody", directory=str(path))
        shutil.rmtree(path, ignore_errors=True)
    for key in _old_events(client, clock.wall_time() - EVENTS_KEPT):
        with contextlib.suppress(NotFound):
            client.resource(EVENTS).delete(key)


def _old_events(client: ApiClient, before: datetime) -> Iterator[ObjectKey]:
    for event in client.resource(EVENTS).list()[0]:
        if _last_seen(event.body()) < before:
            yield event.key


def _last_seen(event: dict[str, Any]) -> datetime:
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return datetime.fromisoformat(next((each for each in times if each), event["metadata"]["creationTimestamp"]))
