"""`python -m btcctl.testing.faults`: a proxy before any API server, in which one thing goes wrong again and again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from btcctl.controller.signals import catching_signals
from btcctl.errors import BtcctlError
from btcctl.rest.loading import load_config
from btcctl.testing.faults.catalogue import FAULTS
from btcctl.testing.faults.connection import Target
from btcctl.testing.faults.pace import Pace
from btcctl.testing.faults.proxy import FaultProxy
from btcctl.threads import Stop


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM. Exit status: 0, or 2 for bad usage."""
    args = build_parser().parse_args(arguments)
    stop = Stop()
    try:
        target = Target.of(load_config(args.kubeconfig))
    except BtcctlError as error:
        sys.stderr.write(f"btcctl.testing.faults: {error}\n")
        return 2
    pace = Pace(args.scale, stop=stop)
    # No KeyboardInterrupt: raised anywhere, it may leave a lock taken that closing the proxy needs.
    with catching_signals(lambda _: stop.set()), FaultProxy(target) as proxy:
        sys.stdout.write(f"{proxy.url}\n")
        sys.stdout.flush()
        while not stop.wait(args.every):
            FAULTS[args.fault].inject(proxy, pace)
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m btcctl.testing.faults", description=__doc__)
    anywhere = [name for name, fault in FAULTS.items() if fault.in_proxy is not None]
    parser.add_argument("--kubeconfig", type=Path, help="whose server to stand before; found as `btcctl run` does")
    parser.add_argument("--fault", choices=anywhere, required=True, help="see docs/faults.md")
    parser.add_argument("--every", type=float, default=30.0, metavar="SECONDS", help="from one to the next")
    parser.add_argument("--scale", type=float, default=1.0, help="how long faults last, next to how long they do")
    return parser


if __name__ == "__main__":
    sys.exit(main())
