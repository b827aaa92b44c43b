"""A request while it is answered, and its Warning header: each text once, and no more than a client can take.

Source: k8s.io/apiserver/pkg/endpoints/filters/warning.go, 0.36.2.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from btcctl.apiserver.requests.messages import ApiRequest, ApiResponse, Response
from btcctl.apiserver.requests.routing import Route

_MOST_CHARACTERS = 4096
_MOST_OF_ONE = 256  # once there are too many


class RequestContext(msgspec.Struct, frozen=True):
    """What was sent, to where, and what the answer is to warn of. One thread's."""

    request: ApiRequest
    route: Route
    _warnings: list[str] = msgspec.field(default_factory=list)

    def warn(self, text: str) -> None:
        """Have the client warned of something, whatever its request comes to."""
        self._warnings.append(text)

    def with_warnings(self, response: Response) -> Response:
        """The answer, warned in its header; what is not answered at once has no warnings."""
        if not self._warnings or not isinstance(response, ApiResponse):
            return response
        headers = {**response.headers, "Warning": warning_header(self._warnings)}
        return ApiResponse(response.status, headers, response.body)


def warning_header(texts: Iterable[str]) -> str:
    """Several warnings share a header, separated by commas, since a dict holds one of each."""
    quoted = (each.replace("\\", "\\\\").replace('"', '\\"') for each in within_limits(dict.fromkeys(texts)))
    return ", ".join(f'299 - "{each}"' for each in quoted)


def within_limits(texts: Iterable[str]) -> list[str]:
    """All texts; or if they are too much, the beginnings of those that came before they were."""
    kept: list[str] = []
    is_cut = False
    for text in texts:
        size = sum(len(each) for each in kept)
        if is_cut and size >= _MOST_CHARACTERS:
            break
        if not is_cut and size + len(text) > _MOST_CHARACTERS:
            is_cut = True
            kept = [each[:_MOST_OF_ONE] for each in kept]
        kept.append(text[:_MOST_OF_ONE] if is_cut else text)
    return kept
