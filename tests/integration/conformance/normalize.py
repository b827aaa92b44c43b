"""What is not compared: uid, times, resourceVersion values, and the random order of causes.

And what follows from times alone: who set a field in an earlier second comes first in managedFields.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from btcctl.clock import SYSTEM_CLOCK

_UID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_VERSION_IN_TEXT = re.compile(r"(resource version: |current: |ResourceVersion in record \()\d+( \(\d+\))?")
_VERSION_PARAMETER = re.compile(r'(resourceVersion(?:=|":"|\\?":\\?"))[1-9]\d*')
_AGE = re.compile(r"\d+s")
_NEAR = timedelta(hours=12)


class Normalizer:
    """Makes what one server said comparable with what another did, within one case.

    A uid becomes a number, the same one each time it comes up; so two uids that are equal on one
    server must be so on the other. Times keep their precision, and are left alone if they are not
    of today. Of a continue token only the revision is hidden.

    Args:
        names: What else to replace: the names of the case's namespace and group.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._uids: dict[str, int] = {}

    def value(self, value: Any, key: str = "") -> Any:
        """A JSON value as it is compared."""
        if isinstance(value, Mapping):
            return self._object(value)
        if isinstance(value, list):
            value = _as_in_one_second(value) if key == "managedFields" else value
            found = [self.value(each, key) for each in value]
            return sorted(found, key=repr) if key == "causes" else found
        if not isinstance(value, str):
            return value
        if key == "resourceVersion" and value not in {"", "0"}:
            return "<version>"
        if key == "continue" and value:
            return self._token(value)
        return self.text(value)

    def text(self, text: str) -> str:
        """A text as it is compared."""
        for name, placeholder in self._names.items():
            text = text.replace(name, placeholder)
        text = _UID.sub(self._uid, text)
        text = _VERSION_PARAMETER.sub(r"\1<version>", text)
        text = _VERSION_IN_TEXT.sub(r"\1<version>", text)
        return _TIME.sub(_time, text)

    def _object(self, value: Mapping[str, Any]) -> dict[str, Any]:
        found = {self.text(name): self.value(each, name) for name, each in value.items()}
        if value.get("kind") == "Status":
            found["message"] = _ordered(found.get("message", ""), found.get("details"))
        if "cells" in value:
            found["cells"] = ["<age>" if _AGE.fullmatch(str(each)) else each for each in found["cells"]]
        return found

    def _uid(self, match: re.Match[str]) -> str:
        number = self._uids.setdefault(match[0], len(self._uids) + 1)
        return f"<uid {number}>"

    def _token(self, token: str) -> str:
        decoded = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        return self.text(re.sub(r'"rv":\d+', '"rv":<version>', decoded))


def _as_in_one_second(entries: list[Any]) -> list[Any]:
    """The entries as they would be in if all were of the same time; as they are if their order is not the servers'."""
    names = ("manager", "apiVersion", "subresource")

    def at(entry: Mapping[str, Any]) -> list[str]:
        return [entry.get(name, "") for name in ("operation", "time", *names)]

    if not all(isinstance(each, Mapping) for each in entries) or entries != sorted(entries, key=at):
        return entries
    return sorted(entries, key=lambda each: [each.get(name, "") for name in ("operation", *names)])


def _time(match: re.Match[str]) -> str:
    try:
        instant = datetime.fromisoformat(match[0])
    except ValueError:
        return match[0]
    if abs(SYSTEM_CLOCK.wall_time().astimezone(UTC) - instant) > _NEAR:
        return match[0]
    digits = len(match[1] or "") - 1
    return f"<time {max(0, digits)} {match[2]}>"


def _ordered(message: str, details: Any) -> str:
    """`X is invalid: [b, a]` as `X is invalid: [a, b]`."""
    head, bracket, rest = message.partition(": [")
    causes = (details or {}).get("causes") or []
    parts = sorted({f"{each.get('field')}: {each.get('message')}" for each in causes})
    if not bracket or len(parts) < 2:
        return message
    left = rest.removesuffix("]")
    for part in sorted(parts, key=len, reverse=True):
        left = left.replace(part, "", 1)
    return f"{head}: [{', '.join(parts)}]" if not left.replace(", ", "") else message
