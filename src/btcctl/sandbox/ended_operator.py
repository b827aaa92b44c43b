"""The sandbox's operator has lost its Lease: what is said of it."""

from __future__ import annotations

from btcctl.clock import SYSTEM_CLOCK
from btcctl.deadline import limited_to
from btcctl.errors import BtcctlError
from btcctl.leaderelection.elector import Elector
from btcctl.leaderelection.record import read_record
from btcctl.resources import LEASES
from btcctl.rest.client import ApiClient

_ASK_SECONDS = 5.0


def why_ended(client: ApiClient, elector: Elector) -> str:
    """Why it has ended, and who looks after the network now.

    Args:
        client: Reads the Lease: by now it may have a holder of whom the elector, which had no time to look, knows
            nothing.
        elector: The operator's, which has lost its Lease.
    """
    holder = _holder(client, elector)
    if holder:
        return f"ended: {elector.why_lost}; {holder} holds it and has taken over"
    return f"ended: {elector.why_lost}; nobody has taken over: start another, for example btcctl run --kubeconfig …"


def _holder(client: ApiClient, elector: Elector) -> str:
    """Somebody else who holds the Lease, "" if nobody does or that cannot be known."""
    try:
        with limited_to(_ASK_SECONDS, SYSTEM_CLOCK):
            record = read_record(client.resource(LEASES).get(elector.lease))
    except BtcctlError:
        return ""
    return "" if record.holder == elector.identity else record.holder
