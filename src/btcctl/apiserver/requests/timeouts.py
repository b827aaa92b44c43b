"""The `timeout` of a request, which has Go's form of a duration: 1m30s."""

from __future__ import annotations

import re

from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.gofmt import quoted
from btcctl.apiserver.requests.messages import ApiRequest

_TERM = re.compile(r"(?P<number>\d+(\.\d*)?|\.\d+)(?P<unit>[^.\d]*)", re.ASCII)
_QUICKEST_SECONDS = 1e-5  # a real server answers nothing within it
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def check_timeout(request: ApiRequest) -> None:
    """
    Raises:
        StatusError: It is no duration, or nobody could answer within it. Of any other it does not
            matter how long it is to who answers at once.
    """
    text = request.option("timeout")
    if not text:
        return
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise errors.bad_request(f"invalid timeout specified in the request URL - {error}") from error
    if 0 < seconds < _QUICKEST_SECONDS:
        raise errors.timed_out()


def parse_duration(text: str) -> float:
    """Seconds.

    Raises:
        ValueError: It is none; in Go's words.
    """
    rest = text[1:] if text[:1] in {"+", "-"} else text
    if rest == "0":
        return 0.0
    seconds, at = 0.0, 0
    while at < len(rest) or not rest:
        term = _TERM.match(rest, at)
        if term is None:
            raise ValueError(f"time: invalid duration {quoted(text)}")
        if not term["unit"]:
            raise ValueError(f"time: missing unit in duration {quoted(text)}")
        if term["unit"] not in _SECONDS:
            raise ValueError(f"time: unknown unit {quoted(term['unit'])} in duration {quoted(text)}")
        seconds, at = seconds + float(term["number"]) * _SECONDS[term["unit"]], term.end()
    return -seconds if text.startswith("-") else seconds
