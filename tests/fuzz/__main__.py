"""`python -m tests.fuzz`: so many requests, in rounds that each have a server of their own.

A request is at fault if the server itself fails, or if it takes more than a second of computing or 64 MB more than any
before. What is found is told with its round, which `--round` repeats. Exit status: 0 nothing, 1 something.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import sys
from collections.abc import Iterator
from itertools import chain
from random import Random
from time import process_time
from typing import NamedTuple

from btcctl.apiserver.api import Api, ApiRequest, ApiResponse, WatchResponse
from btcctl.testing.clock import FakeClock
from tests.fuzz.bodies import ruled_definition
from tests.fuzz.requests import Requests

PER_ROUND = 1000
_MOST_SECONDS = 1.0
_MOST_KIB = 64 << 10
_FAILED = b"the embedded API server failed"
_SHOWN = 300


class Finding(NamedTuple):
    """A request that is at fault, and why."""

    number: int  #: of its round
    request: ApiRequest
    why: str

    def __str__(self) -> str:
        body = self.request.body
        shown = body[:_SHOWN] + (b"..." if len(body) > _SHOWN else b"")
        head = f"{self.request.method} {self.request.path} {self.request.query} {dict(self.request.headers)}"
        return f"round {self.number}: {self.why}\n  {head}\n  {shown!r}"


class _Tracebacks(logging.Handler):
    """Keeps the last one that was logged."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = logging.Formatter().formatException(record.exc_info) if record.exc_info else self.last


def findings(number: int, count: int) -> Iterator[Finding]:
    """What is at fault among the first requests of a round."""
    random = Random(number)
    api = Api(clock=FakeClock())
    tracebacks = _Tracebacks()
    logger = logging.getLogger("btcctl.apiserver.api")
    logger.addHandler(tracebacks)
    try:
        api.handle(ApiRequest("POST", _DEFINITIONS, {}, {"content-type": "application/json"}, _definition()))
        requests = Requests(random, api, with_admission=number % 3 == 0)
        for request in chain(requests.first(), (requests.next() for _ in range(count))):
            peak, began = _peak(), process_time()
            response = api.handle(request)
            seconds, more = process_time() - began, _peak() - peak
            if isinstance(response, WatchResponse):
                response.watch.stop()
            if isinstance(response, ApiResponse) and _FAILED in response.body:
                yield Finding(number, request, tracebacks.last)
            if seconds > _MOST_SECONDS:
                yield Finding(number, request, f"{seconds:.1f} s")
            if more > _MOST_KIB:
                yield Finding(number, request, f"{more >> 10} MB")
    finally:
        logger.removeHandler(tracebacks)


_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def _definition() -> bytes:
    return json.dumps(ruled_definition()).encode()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--round", type=int, default=1, help="the first one")
    options = parser.parse_args()
    logging.getLogger("btcctl").propagate = False
    found = done = 0
    number = options.round
    while done < options.requests:
        count = min(PER_ROUND, options.requests - done)
        for each in findings(number, count):
            found += 1
            sys.stdout.write(f"{each}\n")
        done += count
        number += 1
        if done % 10_000 == 0:
            sys.stdout.write(f"{done} requests, {found} at fault\n")
    sys.stdout.write(f"{done} requests, {found} at fault\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
