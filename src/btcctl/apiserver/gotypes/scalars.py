"""Texts that mean something: times and base64."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

_SECONDS_LAYOUT = "2006-01-02T15:04:05Z07:00"
_MICRO_LAYOUT = "2006-01-02T15:04:05.000000Z07:00"
_SECONDS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_MICRO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_ELEMENTS = re.compile(r"2006|Z07:00|\.000000|0[12345]|15|.")
_PATTERNS = {"2006": r"\d{4}", ".000000": r"[.,]\d{6}", "Z07:00": r"Z|[+-]\d\d:\d\d"}
_LIMITS = {"01": ("month", 1, 12), "15": ("hour", 0, 23), "04": ("minute", 0, 59), "05": ("second", 0, 59)}
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


def canonical_time(text: str, *, micro: bool = False) -> str:
    """The same instant in UTC, as a server keeps it.

    Raises:
        ValueError: It is no time; in Go's words.
    """
    if _is_canonical(text, micro=micro):
        return text
    problem = time_problem(text, micro=micro)
    if problem:
        raise ValueError(problem)
    fraction = f".{text[20:26]}" if micro else ""  # after a dot or a comma
    zone = text[-1:] if text.endswith("Z") else text[-6:]
    if zone == "Z":
        return f"{text[:19]}{fraction}Z"
    shift = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    moment = datetime.fromisoformat(f"{text[:19]}+00:00")
    moment = moment - shift if zone[0] == "+" else moment + shift
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}{fraction}Z"


def _is_canonical(text: str, *, micro: bool) -> bool:
    """Whether it is kept as it is, as nearly all are, which were written by a server."""
    if (_MICRO if micro else _SECONDS).fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def time_problem(text: str, *, micro: bool = False) -> str:
    """What is wrong with a time; "" if nothing is.

    Args:
        micro: It must have exactly six digits of a second; else it may have any number.
    """
    layout = _MICRO_LAYOUT if micro else _SECONDS_LAYOUT
    prefix = f'parsing time "{text}"'
    at = 0
    for element in _ELEMENTS.findall(layout):
        found = re.compile(_PATTERNS.get(element, r"\d\d" if element.isdigit() else re.escape(element))).match(text, at)
        if found is None:
            return f'{prefix} as "{layout}": cannot parse "{text[at:]}" as "{element}"'
        at = found.end()
        name, least, most = _LIMITS.get(element, ("", 0, 0))
        if name and not least <= int(found[0]) <= most:
            return f"{prefix}: {name} out of range"
        if element == "05" and not micro:
            fraction = re.compile(r"[.,]\d+").match(text, at)
            at = fraction.end() if fraction is not None else at
    if at < len(text):
        return f'{prefix}: extra text: "{text[at:]}"'
    return "" if _is_day(text) else f"{prefix}: day out of range"


def _is_day(text: str) -> bool:
    year = int(text[:4]) or 2000  # a leap year, as year 0 is, which Python has not
    try:
        date(year, int(text[5:7]), int(text[8:10]))
    except ValueError:
        return False
    return True


def base64_problem(text: str) -> str:
    """What is wrong with base64; "" if nothing is. Line ends are skipped."""
    kept = [(at, each) for at, each in enumerate(text) if each not in "\r\n"]
    for start in range(0, len(kept), 4):
        block = kept[start : start + 4]
        place = next((i for i, (_, each) in enumerate(block) if each not in _ALPHABET), None)
        if place is None and len(block) == 4:
            continue
        bad = _bad_place(text, block, place, kept[start + 4 :])
        return "" if bad is None else f"illegal base64 data at input byte {bad}"
    return ""


def _bad_place(text: str, block: list[tuple[int, str]], place: int | None, rest: list[tuple[int, str]]) -> int | None:
    """Where the first block goes wrong that is no four letters; None if it is a good last one."""
    if place is None:
        return len(text) - len(block)
    at, character = block[place]
    if character != "=" or place < 2:
        return at
    if place == 2:
        if len(block) == 3:
            return len(text)
        if block[3][1] != "=":
            return block[3][0] - 1
    after = block[place + 2 :] if place == 2 else block[place + 1 :]
    trailing = [*after, *rest]
    return trailing[0][0] if trailing else None
