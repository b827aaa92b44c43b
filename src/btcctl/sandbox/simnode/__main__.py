"""`python -m btcctl.sandbox.simnode`: takes bitcoind's flags and is one simulated node.

This is a program of its own, so it may use asyncio, which the rest of btcctl does not: one
thread holds thousands of connections (3,000 nodes in one process were measured), and a
sandbox of many nodes stays cheap.
"""

from __future__ import annotations

import asyncio
import os
import sys

from btcctl.clock import SYSTEM_CLOCK, rfc3339
from btcctl.errors import BtcctlError
from btcctl.sandbox.simnode.config import load_node_config
from btcctl.sandbox.simnode.node import VERSION, Node


def log(line: str) -> None:
    sys.stdout.write(f"{rfc3339(SYSTEM_CLOCK.wall_time())} {line}\n")
    sys.stdout.flush()


async def run(arguments: list[str]) -> None:
    config = load_node_config(arguments, os.environ)
    log(f"btcctl-simnode {VERSION}: a SIMULATED Bitcoin node on {config.chain}, no bitcoind")
    for warning in config.warnings:
        log(f"Warning: {warning}")
    await Node(config, log).run()


def main() -> int:
    """Exit status: 0 stopped as asked, 1 could not start; as bitcoind."""
    try:
        asyncio.run(run(sys.argv[1:]))
    except BtcctlError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
