"""`btcctl run --dry-run`: what the operator would write and call, as diffs."""

from __future__ import annotations

import copy
import difflib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml

from btcctl.controller.manager import Manager
from btcctl.logging import REDACTED
from btcctl.rest.transport.dry_run import Planned
from btcctl.threads import Stop

SETTLED_SECONDS = 1.0  # nothing new for so long: that was all
LIMIT_SECONDS = 60.0
_POLL_SECONDS = 0.1
_SECRET_FIELDS = ("data", "stringData")
_SERVERS_FIELDS = ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation")


class Diffs:
    """Prints each write and each call once, however often it is planned. Thread-safe.

    Args:
        say: Prints a text.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.count = 0
        self._say = say
        self._lock = threading.Lock()  # guards the count and the set
        self._said: set[str] = set()

    def write(self, planned: Planned) -> None:
        """A write to the API server."""
        if planned.after is not None and planned.after.get("kind") == "Event":
            self._once(f"event {planned.after.get('type')} {planned.after.get('reason')}: {_message(planned.after)}")
            return
        lines = [f"{planned.method} {planned.path}"]
        if planned.refusal:
            lines.append(f"  refused: {planned.refusal}")
        else:
            lines += _diff(planned.before, planned.after)
        self._once("\n".join(lines))

    def call(self, node: str, method: str, params: Sequence[Any]) -> None:
        """A call of a node."""
        self._once(f"RPC {node} {method} {' '.join(map(str, params))}".rstrip())

    def _once(self, text: str) -> None:
        with self._lock:
            if text in self._said:
                return
            self._said.add(text)
            self.count += 1
        self._say(text)


def run_once(manager: Manager, stop: Stop) -> bool:
    """Run until everything has been looked at once; whether it was, or `stop` came first.

    Raises:
        BaseException: What killed a part of the manager.
    """
    manager.start()
    try:
        return _wait_until_settled(manager, stop)
    finally:
        manager.stop()


def _wait_until_settled(manager: Manager, stop: Stop) -> bool:
    quiet, waited = 0.0, 0.0
    while waited < LIMIT_SECONDS and manager.healthy:
        if stop.wait(_POLL_SECONDS):
            return False
        waited += _POLL_SECONDS
        is_quiet = not manager.unsynced() and all(each.idle() for each in manager.controllers)
        quiet = quiet + _POLL_SECONDS if is_quiet else 0.0
        if quiet >= SETTLED_SECONDS:
            return True
    return False


def _message(event: Mapping[str, Any]) -> str:
    return str(event.get("message") or event.get("note") or "")


def _diff(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[str]:
    old, new = _lines(before), _lines(after)
    if not old or not new:
        return [*(f"  -{line}" for line in old), *(f"  +{line}" for line in new)]
    found = [*difflib.unified_diff(old, new, lineterm="", n=2)][2:]
    return [f"  {line}" for line in found] or ["  (no change)"]


def _lines(body: Mapping[str, Any] | None) -> list[str]:
    return [] if body is None else yaml.safe_dump(_shown(body), sort_keys=True).splitlines()


def _shown(body: Mapping[str, Any]) -> dict[str, Any]:
    """Without what the server writes itself, and without secrets."""
    shown = copy.deepcopy(dict(body))
    for name in _SERVERS_FIELDS:
        shown.get("metadata", {}).pop(name, None)
    if shown.get("kind") == "Secret":
        for name in _SECRET_FIELDS:
            shown[name] = dict.fromkeys(shown.get(name) or {}, REDACTED)
    return shown
