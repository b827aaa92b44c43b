"""What is kept of a network that pages look at, and how it is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

from btcctl.bitcoin.children import NETWORK_LABEL
from btcctl.bitcoin.reach import Forward, Via
from btcctl.bitcoin.rpc import Credentials, RpcClient
from btcctl.bitcoin.view.looking.chains import Chains
from btcctl.bitcoin.view.looking.focus import Focus
from btcctl.informers.factory import SharedInformerFactory
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.sharing.notifications import EventHandler
from btcctl.resources import EVENTS, PODS


@dataclass(frozen=True, slots=True)
class Looking:
    """How it is looked.

    Attributes:
        namespaces: Whose networks; () for all.
        poll_seconds: How often a node is asked.
        asks_nodes: False: Secrets are not read, and what the status says has to do.
        via: How nodes are reached.
        forward: Connects to pods through the API server; None where that is never needed.
    """

    namespaces: tuple[str, ...] = ()
    poll_seconds: float = 1.0
    asks_nodes: bool = True
    via: Via = "direct"
    forward: Forward | None = None


@dataclass(slots=True, eq=False)
class Followed:
    """A network that pages look at. The looker's, but for `credentials` and `clients`, which are replaced.

    Attributes:
        name: Of this look at the network: its caches are its own, since those of the look before may be about to end.
    """

    focus: Focus
    name: str
    informers: tuple[SharedInformer, ...] = ()
    chains: Chains = field(default_factory=Chains)
    credentials: Credentials | None = None
    clients: dict[int, tuple[str, RpcClient]] = field(default_factory=dict)
    reads_secret: bool = False
    secret_at: float = float("-inf")
    draws: bool = False
    draws_again: bool = False
    left_at: float | None = None

    def watch(self, factory: SharedInformerFactory, on_pods: EventHandler, on_events: EventHandler) -> None:
        """Watch its pods, and the Events of its namespace; nobody else's pods."""
        key = self.focus.key
        selector = f"{NETWORK_LABEL}={key.name}"
        pods = factory.informer(PODS, namespace=key.namespace, label_selector=selector, name=f"pods of {self.name}")
        events = factory.informer(EVENTS, namespace=key.namespace, name=f"events of {self.name}")
        self.informers = (pods, events)
        pods.add_handler(on_pods)
        events.add_handler(on_events)
        factory.start()
