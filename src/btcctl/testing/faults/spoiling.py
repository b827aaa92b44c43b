"""Faults of what is sent: objects and lines that cannot be read, or do not come."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable

from btcctl.objects import INITIAL_EVENTS_END
from btcctl.testing.faults.answers import Answering
from btcctl.testing.faults.breaking import InProxy
from btcctl.testing.faults.pace import Pace
from btcctl.testing.faults.proxy import FaultProxy
from btcctl.testing.faults.refusing import NO_STREAMS, TURN_SECONDS, when_listing
from btcctl.testing.faults.requests import ProxiedRequest, Rule

Spoil = Callable[[bytes], bytes]

DEPTH = 100_000  # the API server stores up to 9,990; the decoder goes to 27,000 on Python 3.14 with a stack of 8 MiB
_VERSION = re.compile(rb'"resourceVersion":"(\d+)"')
_CHANGE = re.compile(rb'^\{"type":"(?:ADDED|MODIFIED)"')


def nest(text: bytes) -> bytes:
    """Put something nested thousands deep into each object's spec."""
    return text.replace(b'"spec":{', b'"spec":{"deep":' + b"[" * DEPTH + b"]" * DEPTH + b",")


def break_text(text: bytes) -> bytes:
    """Put bytes that are no UTF-8 into each object's spec."""
    return text.replace(b'"spec":{', b'"spec":{"bad":"\xff",')


def break_metadata(text: bytes) -> bytes:
    """Make each object's name a number."""
    return re.sub(rb'"name":"[^"]*"', b'"name":17', text)


def break_line(_: bytes) -> bytes:
    """Something that is no JSON."""
    return b'}{ not JSON "\n'


class SpoiledLine(Rule):
    """Spoils the line of one version in watches: of the first change that comes.

    Args:
        spoil: How.
        times: How often it does it, if that line comes again; None for always.
    """

    def __init__(self, spoil: Spoil, *, times: int | None = 1) -> None:
        self._spoil = spoil
        self._left = float("inf") if times is None else float(times)
        self._lock = threading.Lock()  # guards the three below
        self._version: bytes | None = None
        self.spoiled = 0

    def line(self, request: ProxiedRequest, line: bytes) -> bytes:
        found = _VERSION.search(line)
        if found is None or not _CHANGE.match(line) or request.is_streamed_list:
            return line
        with self._lock:
            if self._version is None:
                self._version = found[1]
            if found[1] != self._version or self.spoiled >= self._left:
                return line
            self.spoiled += 1
        return self._spoil(line)


class SpoiledItem(Rule):
    """Spoils one object in lists, and in streamed lists: the first it sees, each time.

    Args:
        spoil: How.
    """

    def __init__(self, spoil: Spoil) -> None:
        self._spoil = spoil
        self._uid: bytes | None = None
        self.spoiled = 0

    def line(self, request: ProxiedRequest, line: bytes) -> bytes:
        return self._spoiled(line) if request.is_streamed_list and _CHANGE.match(line) else line

    def page(self, request: ProxiedRequest, body: bytes) -> bytes:
        if not request.is_list:
            return body
        items = re.split(rb'(?=\{"apiVersion":)', body)
        return b"".join(map(self._spoiled, items))

    def _spoiled(self, text: bytes) -> bytes:
        uid = re.search(rb'"uid":"([^"]+)"', text)
        if uid is None:
            return text
        if self._uid is None:
            self._uid = uid[1]
        if uid[1] != self._uid:
            return text
        self.spoiled += 1
        return self._spoil(text)


class DroppedLines(Rule):
    """Drops some lines of watches.

    Args:
        which: Says of a request and a line whether it is dropped.
    """

    def __init__(self, which: Callable[[ProxiedRequest, bytes], bool]) -> None:
        self._which = which

    def line(self, request: ProxiedRequest, line: bytes) -> bytes:
        return b"" if self._which(request, line) else line


class Versionless(Rule):
    """Takes the version from lists, which aggregated API servers need not give."""

    def page(self, request: ProxiedRequest, body: bytes) -> bytes:
        if not request.is_list:
            return body
        decoded = json.loads(body)
        decoded["metadata"].pop("resourceVersion", None)
        return json.dumps(decoded, separators=(",", ":")).encode()


def take_versions() -> list[Rule]:
    """Streamed lists have a version in any case, so they are refused."""
    return [Answering(NO_STREAMS, lambda asked: asked.is_streamed_list), Versionless()]


def is_bookmark(asked: ProxiedRequest, line: bytes) -> bool:
    """Whether it is one that ends no streamed list."""
    return b'"type":"BOOKMARK"' in line and INITIAL_EVENTS_END.encode() not in line


def spoil_line(spoil: Spoil, *, again: bool = False) -> InProxy:
    """Spoil the line of one change; `again`: whenever it comes."""

    def inject(proxy: FaultProxy, pace: Pace) -> None:
        rule = SpoiledLine(spoil, times=None if again else 1)
        with proxy.rule(rule):
            pace.wait_for(lambda: rule.spoiled >= (2 if again else 1), TURN_SECONDS)
            pace.wait(5.0)

    return inject


def spoil_item(spoil: Spoil) -> InProxy:
    """Spoil an object of a list."""
    return when_listing(lambda: [SpoiledItem(spoil)])


def never_complete(proxy: FaultProxy, pace: Pace) -> None:
    """Drop the bookmark that ends a streamed list."""
    rule = DroppedLines(lambda asked, line: asked.is_streamed_list and INITIAL_EVENTS_END.encode() in line)
    when_listing(lambda: [rule])(proxy, pace)


def tell_surprise(proxy: FaultProxy, _: Pace) -> None:
    metadata = {"name": "never-seen", "namespace": "default", "resourceVersion": "1"}
    proxy.tell({"type": "SURPRISE", "object": {"metadata": metadata}})
