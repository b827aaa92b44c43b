"""The page that shows the sandbox live; whoever has its address may act, as with the kubeconfig."""

from __future__ import annotations

from contextlib import ExitStack

from btcctl.bitcoin.view.hub import Hub
from btcctl.bitcoin.view.looking.followed import Looking
from btcctl.bitcoin.view.operator.inside import Fetch, Inside
from btcctl.bitcoin.view.serving.guard import new_token
from btcctl.bitcoin.view.serving.web_server import WebServer
from btcctl.bitcoin.view.view import View, ViewOptions
from btcctl.sandbox.cluster.cluster import Cluster

#: The nodes are processes of this machine: they are asked more often than a cluster's.
POLL_SECONDS = 0.1
_STOP_SECONDS = 1.0


def start_page(parts: ExitStack, cluster: Cluster, fetch: Fetch | None, *, host: str, port: int) -> WebServer:
    """Start it; `parts` stop it.

    Args:
        fetch: Reads the operator's debug pages; None: there is no operator in this process.
        host: Where to listen.
        port: Likewise; 0 picks a free one.

    Raises:
        BtcctlError: The address is taken, or not ours.
    """

    def inside(hub: Hub) -> Inside:
        why_not = "" if fetch else "the sandbox has no operator of its own: it was started with --no-operator"
        return Inside(hub, fetch, where="in this process" if fetch else "", why_not=why_not, is_near=True)

    looking = Looking(poll_seconds=POLL_SECONDS)
    options = ViewOptions(cluster="sandbox", is_read_only=False, is_sandbox=True, looking=looking)
    view = View(cluster.client(), options, inside, cluster)
    server = WebServer(view, new_token(), host=host, port=port)
    server.start()
    parts.callback(server.stop, _STOP_SECONDS)
    parts.callback(view.stop, _STOP_SECONDS)
    view.start()
    return server
