"""From a network and its Events, as the API server has them, to what a page is told. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from btcctl.bitcoin.children import stateful_set_name
from btcctl.bitcoin.topology import groups_of
from btcctl.bitcoin.types import (
    BITCOIN_NETWORKS,
    CONFLICT,
    CONTESTED,
    FORBIDDEN,
    PROGRESSING,
    READY,
    BitcoinNetwork,
    NetworkStatus,
    decode_status,
)
from btcctl.bitcoin.view.model import About, ConditionView, Happened, Health, Summary
from btcctl.controller.writing.conditions import TRUE, UNKNOWN, Condition
from btcctl.errors import ObjectDecodeError
from btcctl.objects import Object

# Conditions that are good when false.
_BAD_NEWS: Final = frozenset({CONFLICT, CONTESTED, FORBIDDEN})
# Of a text: whoever may write Events and conditions writes them, and a page gets hundreds.
_MOST_CHARACTERS: Final = 1000
_MOST_GROUPS = 50  # that are sent: each is a colour


def summary_of(obj: Object) -> Summary:
    """A network as a line of the list; of a spec that does not fit, what can be read of it."""
    status = decode_status(obj)
    ready = status.condition(READY)
    wanted, chain, is_partitioned = _wanted(obj)
    return Summary(
        namespace=obj.namespace,
        name=obj.name,
        uid=obj.uid,
        health=_health(obj, status, wanted),
        reason="Pending" if ready is None else ready.reason,
        message="no controller has looked at it yet" if ready is None else ready.message[:_MOST_CHARACTERS],
        nodes_wanted=wanted,
        nodes_ready=status.ready_nodes,
        nodes_synced=status.synced_nodes,
        height=status.height,
        tips=status.tips,
        deepest_fork=status.deepest_fork,
        is_partitioned=is_partitioned,
        chain=chain,
        version=status.version,
        created_at=instant_of(obj.decode(_Frame).metadata.creation_timestamp),
    )


def about_of(obj: Object, summary: Summary, rpc_problem: str = "") -> About:
    """What is asked for, and what the controller says.

    Args:
        rpc_problem: Why the nodes cannot be asked; "" if they can.
    """
    status = decode_status(obj)
    conditions = [_condition(each) for each in status.conditions]
    try:
        network = BitcoinNetwork.from_object(obj)
    except ObjectDecodeError:
        return About(summary, conditions, rpc_problem=rpc_problem)
    spec = network.spec
    return About(
        summary=summary,
        conditions=conditions,
        groups=groups_of(spec.partition, spec.nodes)[:_MOST_GROUPS],
        topology=spec.topology,
        secret=spec.secret or "",
        generation=network.metadata.generation,
        observed_generation=status.observed_generation,
        rpc_problem=rpc_problem,
    )


def happened(obj: Object) -> Happened:
    """A core/v1 Event, however it tells its times."""
    body: dict[str, Any] = obj.body()
    series = body.get("series") or {}
    said = (
        series.get("lastObservedTime"),
        body.get("lastTimestamp"),
        body.get("eventTime"),
        body.get("firstTimestamp"),
    )
    times = (*said, (body.get("metadata") or {}).get("creationTimestamp"))  # somebody's may say none of its own
    about = body.get("involvedObject") or {}
    return Happened(
        uid=obj.uid,
        at=instant_of(next((str(each) for each in times if each), "")),
        type=str(body.get("type") or "Normal"),
        reason=str(body.get("reason") or "")[:_MOST_CHARACTERS],
        message=str(body.get("message") or "")[:_MOST_CHARACTERS],
        about=f"{about.get('kind', '')}/{about.get('name', '')}",
        count=int(series.get("count") or body.get("count") or 1),
    )


def is_about(event: Happened, network: str) -> bool:
    """Whether it is about a network of that name in its namespace, its StatefulSet, or one of its pods."""
    kind, _, name = event.about.partition("/")
    if kind == BITCOIN_NETWORKS.kind:
        return name == network
    mine = stateful_set_name(network)
    return name == mine or (name.startswith(f"{mine}-") and name.removeprefix(f"{mine}-").isdecimal())


def instant_of(text: str | None) -> float:
    """Seconds since 1970 of an RFC 3339 time; 0 if it is none."""
    try:
        return datetime.fromisoformat(text or "").timestamp()
    except ValueError:
        return 0.0


class _Meta(msgspec.Struct, gc=False, rename="camel"):
    creation_timestamp: str | None = None


class _Frame(msgspec.Struct, gc=False):
    metadata: _Meta = msgspec.field(default_factory=_Meta)


def _wanted(obj: Object) -> tuple[int, str, bool]:
    try:
        spec = BitcoinNetwork.from_object(obj).spec
    except ObjectDecodeError:
        return 0, "", False
    return spec.running_nodes, spec.network, bool(spec.partition)


def _health(obj: Object, status: NetworkStatus, wanted: int) -> Health:
    ready, progressing = status.condition(READY), status.condition(PROGRESSING)
    if obj.deletion_timestamp is not None:
        return "deleting"
    if ready is not None and ready.status == TRUE:
        return "ready"
    if ready is None or ready.status == UNKNOWN or (progressing is not None and progressing.status == TRUE):
        return "progressing"
    return "resting" if wanted == 0 and ready.reason in {"Suspended", "NoNodes"} else "trouble"


def _condition(each: Condition) -> ConditionView:
    is_good = (each.status == TRUE) != (each.type in _BAD_NEWS)
    if each.type == PROGRESSING:
        is_good = each.reason != "Stalled"
    since = instant_of(each.last_transition_time)
    return ConditionView(each.type, each.status, each.reason, each.message[:_MOST_CHARACTERS], since, is_good)
