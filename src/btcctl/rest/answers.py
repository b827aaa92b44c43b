"""From HTTP answers to objects and errors, whether the body is a Status, text, HTML or nothing."""

from __future__ import annotations

import re
from typing import Any

from btcctl.clock import Clock
from btcctl.errors import ApiError, ObjectDecodeError, retry_after_of
from btcctl.objects import decode_json
from btcctl.rest.transport.transport import Response
from btcctl.secret import hiding_frames

_EXCERPT_CHARACTERS = 200
_STATUS_BYTES = 4096  # of an answer that are looked at: a Status says early what it is
_UNSAID_CODE = 500
_WARNING = re.compile(r'\b\d{3} \S+ "((?:[^"\\]|\\.)*)"')


def error_from(response: Response, clock: Clock) -> ApiError:
    """The error for an answer whose status is not 2xx.

    The API server's own 404 for an unknown path and its 429 when it is overloaded are text;
    what stands between us and it answers in HTML.
    """
    retry_after = parse_retry_after(response.headers.get("Retry-After", ""), clock)
    status = _status_of(response.body)
    if status is None:
        return ApiError.of(response.status, message=_excerpt(response), retry_after=retry_after)
    return ApiError.from_status(status, retry_after, code=response.status)


def failure_in(response: Response, clock: Clock) -> ApiError | None:
    """The error that an answer tells of; None if it is none.

    Of a 2xx it may be the Status of a failure all the same, of a proxy or an aggregated API server; client-go reads
    that so, too (rest/request.go, Result.Into).
    """
    if not 200 <= response.status < 300:
        return error_from(response, clock)
    if b'"Failure"' not in response.body[:_STATUS_BYTES]:
        return None
    status = _status_of(response.body)
    if status is None or status.get("status") != "Failure":
        return None
    retry_after = parse_retry_after(response.headers.get("Retry-After", ""), clock)
    return ApiError.from_status(status, retry_after, code=_UNSAID_CODE)


def parse_retry_after(value: str, clock: Clock) -> float | None:
    """Seconds asked for by a Retry-After header (RFC 9110, section 10.2.3), or None; ten minutes at most."""
    if value.isascii() and value.isdigit():
        return retry_after_of(float(value))
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  an API server never sends a date

    try:
        asked = parsedate_to_datetime(value)
        return retry_after_of(max(0.0, (asked - clock.wall_time()).total_seconds()))
    except (TypeError, ValueError, OverflowError):
        return None


def parse_warnings(value: str) -> list[str]:
    r"""The texts in a Warning header: `299 - "unknown field \"spec.x\""` (RFC 7234, section 5.5).

    The API server sends UTF-8 (apimachinery/pkg/util/net, NewWarningHeader), where headers are read as Latin-1.
    """
    value = value.encode("latin-1", "replace").decode("utf-8", "replace")
    return [re.sub(r"\\(.)", r"\1", text) for text in _WARNING.findall(value)]


@hiding_frames
def decode_answer(response: Response, what: str) -> dict[str, Any]:
    """The body of a successful answer as a dict.

    Raises:
        ObjectDecodeError: It is not a JSON object; names `what`, and shows the beginning of what is no object at all:
            one that was cut, or spoilt on its way, may be a Secret.
    """
    try:
        return decode_json(response.body, dict[str, Any], lambda: what)
    except ObjectDecodeError as error:
        failure = ObjectDecodeError(f"{error}; {_what_else(response)}")
    raise failure


def _what_else(response: Response) -> str:
    if response.body.lstrip().startswith((b"{", b"\xef\xbb\xbf{")):
        return f"it begins like an object, and has {len(response.body)} bytes"
    type_ = response.headers.get("Content-Type", "").lower()
    if "json" in type_ and response.body:
        return f"the {len(response.body)} bytes that came are no object, though they are called JSON"
    if type_ and not type_.startswith("text/") and response.body:
        return f"the {len(response.body)} bytes that came are no JSON, but {type_[:_EXCERPT_CHARACTERS]!r}"
    return f"is this an API server? It said: {_excerpt(response)}"


def _status_of(body: bytes) -> dict[str, Any] | None:
    try:
        decoded = decode_json(body, dict[str, Any], lambda: "Status")
    except ObjectDecodeError:
        return None
    return decoded if decoded.get("kind") == "Status" else None


def _excerpt(response: Response) -> str:
    """What the body says to a person, in one short line."""
    text = response.body[: 20 * _EXCERPT_CHARACTERS].decode("utf-8", "replace")
    if "html" in response.headers.get("Content-Type", ""):
        from html import unescape  # noqa: PLC0415  loads thousands of names

        text = unescape(re.sub(r"(?s)<(style|script).*?</\1>|<[^>]*>", " ", text))
    if 300 <= response.status < 400:
        text = f"redirected to {response.headers.get('Location', 'nowhere')} {text}"
    text = " ".join(text.split())
    return text if len(text) <= _EXCERPT_CHARACTERS else text[:_EXCERPT_CHARACTERS] + "…"
