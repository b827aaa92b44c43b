"""`--rpc-via`: how the nodes are reached, the same for every command that calls them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from btcctl.bitcoin.reach import AUTO, DIRECT, PORT_FORWARD, Forward, Via
from btcctl.cli.flags import Flags
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.forwarding.port_forward import PortForwarder
from btcctl.rest.http import HttpTransport

IN_CLUSTER = "in-cluster"


def add_flag(flags: Flags) -> None:
    """Add it."""
    flags.value(
        "--rpc-via",
        choices=(AUTO, DIRECT, PORT_FORWARD),
        default=AUTO,
        about="how nodes are reached: at their pods' addresses or through the API server; auto is direct in a cluster, "
        "and beside one wherever a node answers at such an address",
    )


def chosen(via: Via, config: ClientConfig) -> Via:
    """What `auto` means with this cluster, as far as that is known beforehand."""
    return DIRECT if via == AUTO and config.source == IN_CLUSTER else via


@contextmanager
def forwarding(via: Via, config: ClientConfig) -> Iterator[Forward | None]:
    """What connects to pods through the API server; None where nobody needs it."""
    if via == DIRECT:
        yield None
        return
    with closing(HttpTransport(config, pool_size=1)) as transport:
        yield PortForwarder(transport).connect
