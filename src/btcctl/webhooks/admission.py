"""What a hook is told of a request, and what it may say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeAlias, TypeVar

from btcctl.errors import Refused
from btcctl.objects import Object, ObjectKey
from btcctl.typed.typed_object import TypedObject

T = TypeVar("T")
Operation: TypeAlias = Literal["CREATE", "UPDATE", "DELETE"]
#: What a validator returns: None and [] admit.
Verdict: TypeAlias = Refused | str | Iterable[Refused | str] | None

_MOST_WARNINGS = 100
_MOST_CHARACTERS = 256  # of one warning: the API server cuts off what is longer, and all after 4 KiB


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks.

    Attributes:
        name: "system:serviceaccount:team-a:default", for example.
        extra: What an authenticator has added.
    """

    name: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Admission(Generic[T]):
    """One request to the API server that a hook is asked about.

    Attributes:
        object: As it is to become; of a DELETE, what is to go. A mutator may change it in place.
        old: As it was; None of a CREATE, and of an UPDATE of what does not fit the class, which mends it.
        operation: What is asked for.
        user: Who asks.
        dry_run: Nothing will be stored: a hook with effects of its own must not have them.
        subresource: "status", "scale", …; "" for the object itself.
        uid: Of the request, the same one for all hooks.
    """

    object: T
    old: T | None = None
    operation: Operation = "CREATE"
    user: Requester = Requester()
    dry_run: bool = False
    subresource: str = ""
    uid: str = ""
    warnings: list[str] = field(default_factory=list)  #: what `warn` was told

    @property
    def key(self) -> ObjectKey:
        """Of the object; without a name if the server is still to make one."""
        obj = self.object if isinstance(self.object, Object | TypedObject) else None
        return ObjectKey("", "") if obj is None else obj.key

    def warn(self, text: str) -> None:
        """Have kubectl show a warning, whatever comes of the request: a sentence without a full stop."""
        if len(self.warnings) < _MOST_WARNINGS:
            line = " ".join(text.split())
            self.warnings.append(line if len(line) <= _MOST_CHARACTERS else f"{line[: _MOST_CHARACTERS - 1]}…")


def refusals_in(verdict: Verdict) -> list[Refused]:
    """What a validator has against an object.

    Raises:
        TypeError: It returned something else.
    """
    if verdict is None:
        return []
    found = [verdict] if isinstance(verdict, Refused | str) else _several(verdict)
    return [Refused(each) if isinstance(each, str) else each for each in found]


def _several(verdict: object) -> list[Refused | str]:
    found = [*verdict] if isinstance(verdict, Iterable) and not isinstance(verdict, Mapping) else None
    if found is None or not all(isinstance(each, Refused | str) for each in found):
        raise TypeError(
            f"a validator returned {type(verdict).__name__}, must return None, a text, a Refused or several of these"
        )
    return found
