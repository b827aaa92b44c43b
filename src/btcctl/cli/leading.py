"""The lease of `btcctl run`: its flags, and who holds it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from btcctl.bitcoin.operator import COMPONENT, FIELD_MANAGER
from btcctl.cli.flags import Flags, parse_duration, parse_namespace, parse_object_name
from btcctl.clock import AWAKE_CLOCK, Clock, sleep
from btcctl.errors import ApiError, BtcctlError
from btcctl.leaderelection.election import Timing
from btcctl.leaderelection.elector import Elector
from btcctl.leaderelection.fence import Fence
from btcctl.leaderelection.lease_lock import LeaseLock
from btcctl.leaderelection.metrics import LeaderCollector
from btcctl.leaderelection.record import LeaseRecord, read_record
from btcctl.logging import get_logger
from btcctl.metrics import Metrics
from btcctl.objects import ObjectKey
from btcctl.resources import LEASES
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.http import HttpTransport
from btcctl.rest.retry import RetryPolicy

logger = get_logger(__name__)

LEASE = COMPONENT
NAMESPACE = "bitcoin-controller"  # where manifests/ and the chart's example have the controller
IN_CLUSTER = "in-cluster"
_POLL_SECONDS = 1.0


class LeaseHeld(BtcctlError):
    """Somebody else is at work on this cluster."""


@dataclass(frozen=True, slots=True)
class Candidacy:
    """What takes part in an election."""

    elector: Elector
    fence: Fence


def add_flags(flags: Flags) -> None:
    """Named as in kube-controller-manager."""
    timing = Timing()
    flags.switch("--leader-elect", about="work only while holding a Lease, so that several copies can run")
    for name, default, about in (
        ("lease-duration", timing.lease_seconds, "how long others wait after the leader's last sign of life"),
        ("renew-deadline", timing.renew_deadline_seconds, "how long the leader goes on without having renewed"),
        ("retry-period", timing.retry_seconds, "the longest pause between two attempts"),
    ):
        flags.value(f"--leader-elect-{name}", parse=parse_duration, default=default, metavar="DURATION", about=about)
    flags.value(
        "--leader-elect-resource-name", parse=parse_object_name, metavar="NAME", default=LEASE, about="the Lease"
    )
    flags.value(
        "--leader-elect-resource-namespace",
        parse=parse_namespace,
        metavar="NAME",
        default="",
        about=f"where it is; in a cluster the pod's own namespace, beside one wherever it is held, else {NAMESPACE}",
    )
    flags.switch("--take-over", about="beside a cluster: take the Lease from whoever holds it")


@contextmanager
def candidacy(
    args: argparse.Namespace, config: ClientConfig, metrics: Metrics, clock: Clock = AWAKE_CLOCK
) -> Iterator[Candidacy | None]:
    """Build what takes part in the election; None if nobody asked for it.

    Beside a cluster it is made sure first that nobody else is at work, unless told to take over.

    Raises:
        LeaseHeld: Somebody is.
        ConfigError: The times do not fit together.
    """
    timing = Timing(args.leader_elect_lease_duration, args.leader_elect_renew_deadline, args.leader_elect_retry_period)
    is_inside = config.source == IN_CLUSTER
    namespace = args.leader_elect_resource_namespace or (config.namespace if is_inside else NAMESPACE)
    key = ObjectKey(namespace, args.leader_elect_resource_name)
    # A connection of its own, without the fence and without retries: one call is one attempt.
    with ApiClient(
        HttpTransport(config, pool_size=1), field_manager=FIELD_MANAGER, retries=RetryPolicy(attempts=1)
    ) as client:
        if not is_inside and not args.leader_elect_resource_namespace:
            key = wherever_it_is(client, key, clock.wall_time())
        lock = LeaseLock(client, key)
        if not (is_inside or args.take_over):
            refuse_if_held(lock, timing, clock, is_sure=not args.leader_elect)
        if not (args.leader_elect or args.take_over):
            yield None
            return
        fence = Fence(clock)
        observer = metrics.part(LeaderCollector).leader(key.name)
        yield Candidacy(Elector(lock, fence, timing, clock=clock, take_over=args.take_over, observer=observer), fence)


def wherever_it_is(client: ApiClient, key: ObjectKey, now: datetime) -> ObjectKey:
    """The Lease of that name that somebody holds: a release keeps it in its own namespace, which may be any.

    Of several the one that was renewed last, rather one by a clock that may be right; `key` if nobody holds any, or we
    may not look everywhere.
    """
    try:
        found, _ = client.resource(LEASES).list(field_selector=f"metadata.name={key.name}")
    except ApiError as error:
        logger.debug("leases of other namespaces cannot be looked at", error=str(error))
        return key
    held = [(each.key, record) for each in found if (record := read_record(each)).holder]
    best = max(held, default=None, key=lambda each: (_is_fresh(each[1], now), each[1].renew_time))
    return key if best is None else best[0]


def _is_fresh(record: LeaseRecord, now: datetime) -> bool:
    """Whether its holder seems to live, by our clock. A time far ahead of ours says nothing."""
    age = record.age(now)
    return age is None or abs(age) < (record.duration_seconds or Timing().lease_seconds)


def refuse_if_held(lock: LeaseLock, timing: Timing, clock: Clock, *, is_sure: bool) -> None:
    """Make sure that nobody is at work.

    Whoever has not renewed for long by our clock, or only will some day, may be dead; without an election that must be
    certain.

    Raises:
        LeaseHeld: Somebody is.
    """
    try:
        record = lock.get(timing.call_seconds)
    except ApiError as error:
        logger.warning("cannot tell whether somebody else is at work", lease=str(lock.key), error=str(error))
        return
    if record is None or not record.holder:
        return
    age = record.age(clock.wall_time())
    if _is_fresh(record, clock.wall_time()) or (is_sure and _is_renewed(lock, record, timing, clock)):
        ago = "" if age is None else f", renewed {max(0.0, age):.0f} s ago"
        raise LeaseHeld(
            f"{record.holder} is at work on this cluster: it holds lease {lock.key}{ago}. Give --take-over to take it"
        )
    logger.info("the last holder of the lease is gone", lease=str(lock.key), holder=record.holder)


def _is_renewed(lock: LeaseLock, record: LeaseRecord, timing: Timing, clock: Clock) -> bool:
    """Whether the record changes within its duration, as we see it: clocks may differ."""
    logger.info("making sure that the last holder of the lease is gone", holder=record.holder)
    deadline = clock.now() + (record.duration_seconds or timing.lease_seconds)
    while clock.now() < deadline:
        sleep(_POLL_SECONDS, clock)
        latest = lock.get(timing.call_seconds)
        if latest is None or not latest.holder:
            return False
        if latest != record:
            return True
    return False
