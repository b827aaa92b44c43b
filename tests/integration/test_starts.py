"""A program starts as often as one likes: its types are used for the first time by many threads at once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Each child is a fork of a process that has imported everything and has a server, but no operator yet: what msgspec
# knows of a type is the process' own, and what the server needs for itself is used before the threads begin anyway.
PROGRAM = """
import os, sys, time
import btcctl.testing.fake_client
from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.operator import OperatorOptions, build_operator
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.resources import STATEFUL_SETS
from btcctl.testing import FakeClient

NETWORKS = 8

networks = [
    {"apiVersion": BITCOIN_NETWORKS.api_version, "kind": "BitcoinNetwork",
     "metadata": {"name": f"n{number}", "namespace": "default"}, "spec": {"nodes": 1}}
    for number in range(NETWORKS)
]
client = FakeClient(*networks, types=[load_crd()])

def start():
    manager = build_operator(client, OperatorOptions(workers=NETWORKS))
    sys.setswitchinterval(1e-5)
    manager.start()
    deadline = time.monotonic() + 60
    while len(client.resource(STATEFUL_SETS).list()[0]) < NETWORKS:
        if time.monotonic() > deadline:
            os._exit(3)
        time.sleep(0.005)

def child():
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.dup2(devnull, 2)
    try:
        start()
    except BaseException:
        os._exit(2)
    os._exit(0)

failed = []
for number in range(int(sys.argv[1])):
    pid = os.fork()
    if not pid:
        child()
    status = os.waitpid(pid, 0)[1]
    if status:
        failed.append(os.waitstatus_to_exitcode(status))
print("failed:", failed)
"""
# A third of them crashed when every thread made decoders by itself (tests/unit/test_codecs.py holds the one lock). CI
# makes 200.
STARTS = int(os.environ.get("BTCCTL_TEST_STARTS", "40"))
PARTS = 4  # which other cores can take: as one test it went on for minutes after all others


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_start_of_an_operator_with_eight_networks_crashes(part: int) -> None:
    starts = len(range(part, STARTS, PARTS))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(starts)], capture_output=True, text=True, timeout=590, check=False
    )
    assert (done.returncode, done.stdout) == (0, "failed: []\n"), done.stderr
