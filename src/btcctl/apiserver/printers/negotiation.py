"""Which of the media types that a client accepts it is answered in.

Source: github.com/munnerz/goautoneg and apimachinery's negotiation, as seen from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from btcctl.apiserver.machinery import errors

T = TypeVar("T")
_JSON = frozenset({"application/json", "application/*", "*/*", "*", ""})
_NOT_SERVED = frozenset({"application/yaml", "application/vnd.kubernetes.protobuf"})


class Clause(NamedTuple):
    """One of the media types of an Accept header."""

    media_type: str
    parameters: Mapping[str, str]
    quality: float

    @property
    def rank(self) -> tuple[float, int]:
        """Best first; of equal quality, what names no type comes last."""
        return (-self.quality, ("*" in self.media_type) + (self.media_type == "*/*"))


def accepted(accept: str) -> list[Clause]:
    """The clauses of a header, best first."""
    return sorted((_clause(each) for each in accept.split(",")), key=lambda each: each.rank)


def choose(accept: str, form_of: Callable[[Mapping[str, str]], T | None], *, available: str = "") -> T:
    """The first accepted form that can be served.

    Args:
        form_of: The form that the parameters of a JSON type ask for; None if there is no such form.
        available: What the path can be had as, if it is one that says so when no type fits at all.

    Raises:
        StatusError: 406, none can; 501, a real server could serve one.
    """
    clauses = accepted(accept)
    for media_type, parameters, _ in clauses:
        if media_type in _JSON and (form := form_of(parameters)) is not None:
            return form
    others = [each for each in clauses if each.media_type in _NOT_SERVED and "as" not in each.parameters]
    if others and available != "application/json":
        raise errors.not_implemented(f"answers in {others[0].media_type}")
    if not available or any(each.media_type in _JSON | _NOT_SERVED for each in clauses):
        raise errors.not_acceptable()
    message = f"406: Not Acceptable\n\nAvailable representations: {available}"
    raise errors.StatusError(406, message, "NotAcceptable", details={})


def _clause(text: str) -> Clause:
    media_type, *parameters = (each.strip() for each in text.split(";"))
    values = dict(each.partition("=")[::2] for each in parameters)
    try:
        quality = float(values.pop("q", "1"))
    except ValueError:
        quality = 1.0
    return Clause(media_type, values, quality)
