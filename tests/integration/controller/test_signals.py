"""Signals, to a process of its own: a second one must end it at once."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

PROGRAM = """
import logging, threading
from btcctl import Controller, Manager, Result, SharedInformerFactory, run_until_signal
from btcctl.objects import ObjectKey
from btcctl.testing import FakeClient

logging.basicConfig(level="INFO")

class Caches(SharedInformerFactory):
    def stop(self, timeout=10.0): print("caches stopped", flush=True)

hang = threading.Event()

def reconcile(key):
    print("reconciling", flush=True)
    hang.wait(%(seconds)s)
    print("reconciled", flush=True)
    return Result()

controller = Controller("net", reconcile)
controller.queue.add(ObjectKey("", "a"))
run_until_signal(Manager(Caches(FakeClient()), [controller]), grace_seconds=60.0)
print("returned", flush=True)
"""


@pytest.fixture(params=[signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def number(request: pytest.FixtureRequest) -> signal.Signals:
    return request.param


@pytest.fixture
def start() -> Iterator:
    processes = []

    def start_one(seconds: float) -> subprocess.Popen[str]:
        program = [sys.executable, "-c", PROGRAM % {"seconds": seconds}]
        process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        processes.append(process)
        wait_for(process, "reconciling")
        return process

    yield start_one
    for process in processes:
        process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"ended with {process.wait()} before it said {text!r}")


def test_a_second_signal_exits_at_once_whatever_is_still_running(start, number):
    process = start(seconds=60.0)
    process.send_signal(number)
    wait_for(process, "a second signal exits at once")
    process.send_signal(number)
    assert process.wait(timeout=30.0) == 128 + number  # of the minute that the reconcile takes


def test_the_first_signal_lets_a_running_reconcile_finish(start, number):
    process = start(seconds=0.5)
    process.send_signal(number)
    for text in ("reconciled", "caches stopped", "returned"):
        wait_for(process, text)
    assert process.wait(timeout=60.0) == 0
