"""Answers that people read: JSON is indented for who asks for it, or seems to be looking at it himself.

Source: isPrettyPrint of k8s.io/apiserver/pkg/endpoints/handlers/negotiation, 0.36.2.
"""

from __future__ import annotations

from dataclasses import replace

from btcctl import codecs
from btcctl.apiserver.requests.messages import ApiRequest, ApiResponse, Response

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_OF_PEOPLE = ("curl", "Wget", "Mozilla/5.0")


def for_reader(request: ApiRequest, response: Response) -> Response:
    """The answer as this client reads it best."""
    if not isinstance(response, ApiResponse) or not _wants_indentation(request):
        return response
    if response.headers.get("Content-Type", "").partition(";")[0] != "application/json":
        return response
    return replace(response, body=codecs.indented(response.body))


def _wants_indentation(request: ApiRequest) -> bool:
    asked = request.option("pretty")
    return asked in _TRUE if asked else request.headers.get("user-agent", "").startswith(_OF_PEOPLE)
