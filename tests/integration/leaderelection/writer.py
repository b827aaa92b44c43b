"""A process that writes without a pause while it leads: `python -m tests.integration.leaderelection.writer …`.

Its writes are merge patches, which no version guards: what is sent has an effect. Each names itself
in its User-Agent. At the end it prints how many it knows to have been overtaken by the deadline.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from dataclasses import dataclass

from msgspec.structs import replace

from btcctl import ApiClient, Controller, Manager, ObjectKey, Result, logging, run_until_signal
from btcctl.errors import BtcctlError
from btcctl.informers.factory import SharedInformerFactory
from btcctl.leaderelection.election import Timing
from btcctl.leaderelection.elector import Elector
from btcctl.leaderelection.fence import Fence
from btcctl.leaderelection.lease_lock import LeaseLock
from btcctl.resources import CONFIG_MAPS
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.credentials import StaticCredentials
from btcctl.rest.http import HttpTransport
from btcctl.rest.retry import RetryPolicy
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request, Response

PAUSE_SECONDS = 0.02
OBJECTS = 4


@dataclass(frozen=True)
class Orders:
    """What the process is told on its command line, as JSON."""

    url: str
    token: str
    namespace: str
    lease: str
    timing: tuple[float, float, float]
    is_fenced: bool = True


class _Naming:
    """Gives each write a name of its own."""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport
        self._numbers = itertools.count(1)
        self.stream, self.close = transport.stream, transport.close

    def request(self, request: Request, *, timeout: float, breaker: Breaker | None = None) -> Response:
        name = f"{os.getpid()}.{next(self._numbers)}"
        headers = {**request.headers, "User-Agent": name}
        return self._transport.request(replace(request, headers=headers), timeout=timeout, breaker=breaker)


def main(orders: Orders) -> int:
    logging.configure("info", "console")
    config = ClientConfig(orders.url, credentials=StaticCredentials.bearer(orders.token))
    timing = Timing(*orders.timing)
    fence = Fence()
    work = ApiClient(_Naming(HttpTransport(config, fence=fence if orders.is_fenced else None)))
    lease_client = ApiClient(
        HttpTransport(config, pool_size=1), retries=RetryPolicy(attempts=1), user_agent=f"{os.getpid()}.lease"
    )
    elector = Elector(LeaseLock(lease_client, ObjectKey(orders.namespace, orders.lease)), fence, timing)
    config_maps = work.resource(CONFIG_MAPS)

    def reconcile(key: ObjectKey) -> Result:
        config_maps.patch(key, {"data": {"writer": str(os.getpid())}})
        return Result(requeue_after=PAUSE_SECONDS)

    controller = Controller("writer", reconcile, workers=OBJECTS)
    for number in range(OBJECTS):
        controller.queue.add(ObjectKey(orders.namespace, f"written-{number}"))
    try:
        run_until_signal(Manager(SharedInformerFactory(work), [controller], elector=elector), grace_seconds=5.0)
    except (BtcctlError, TimeoutError) as error:
        sys.stderr.write(f"ended: {error}\n")
        return 1
    finally:
        sys.stdout.write(f"overtaken {fence.overtaken} refused {fence.refused}\n")
    return 0


if __name__ == "__main__":
    status = main(Orders(**json.loads(sys.argv[1])))
    sys.stdout.flush()
    os._exit(status)  # whatever still hangs in a call
