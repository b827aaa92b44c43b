"""What of the Kubernetes side a reconcile touches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from btcctl.bitcoin.credentials import GetSecret
from btcctl.bitcoin.ensure import ChildKeeper
from btcctl.bitcoin.images import Swap
from btcctl.bitcoin.pods import NodePod, Pod
from btcctl.bitcoin.refusals import Right
from btcctl.bitcoin.status import Notice
from btcctl.controller.writing.contention import Contention
from btcctl.controller.writing.writes import Writable
from btcctl.objects import Object, ObjectKey

#: Of all that the caches have of a network: differs as soon as something does.
Versions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Everything of the cluster that a reconcile touches."""

    network: Callable[[ObjectKey], Object | None]  #: from the cache
    pods: Callable[[ObjectKey], Sequence[Pod]]  #: from the cache, those labelled with the network's name
    versions: Callable[[ObjectKey], Versions]
    services: ChildKeeper
    stateful_sets: ChildKeeper
    disruption_budgets: ChildKeeper | None  #: None: we may not make any
    get_secret: GetSecret
    networks: Writable
    tell: Callable[[Object, Notice], None]  #: records an Event about the network
    let_in: Callable[[str, NodePod, int, Contention], None]  #: namespace, pod, height: says that it has the chain
    swap_image: Callable[[str, Swap, Contention], bool]  #: namespace, swap: changes a pod's image; False: it was not
    why_missing: Callable[[Object], str]  #: why pods of this StatefulSet cannot be made; "" if nobody says so
    why_stuck: Callable[[str, NodePod], str] = lambda namespace, pod: ""  #: namespace, pod: what others say of it
    count_lost: Callable[[ObjectKey], None] = lambda key: None  #: that a network's chain has shrunk
    count_rivalry: Callable[[ObjectKey], None] = lambda key: None  #: that another installation took a network from us
    forget_counts: Callable[[ObjectKey], None] = lambda key: None  #: of a network that is gone
    refused: Callable[[str], Sequence[Right]] = lambda namespace: ()  #: which rights we lack there
