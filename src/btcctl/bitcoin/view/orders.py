"""What a page may ask for, and what it is answered, as JSON; see `model`. Pure."""

from __future__ import annotations

import msgspec

from btcctl.names import is_namespace, is_object_name
from btcctl.objects import ObjectKey


def network_key(text: str) -> ObjectKey | None:
    """The network that somebody means by `NAMESPACE/NAME`; None if none can be called so."""
    namespace, _, name = text.partition("/")
    return ObjectKey(namespace, name) if is_namespace(namespace) and is_object_name(name) else None


class Action(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Something that can be done: `POST actions/NAME` with an `Order`.

    Attributes:
        name: mine, scale, partition, heal, restart, hang, release or rotate.
        about: For people.
        command: What does the same on a command line, with `{network}`, `{namespace}`, `{node}`, `{pod}`, `{count}`,
            `{groups}` and `{secret}` to fill in; PID is a process on this machine, which the `Outcome` tells.
        needs: The fields of `Order` that it needs.
        is_disruptive: Worth a question first.
    """

    name: str
    about: str
    command: str
    needs: list[str] = []
    is_disruptive: bool = False


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The body of a POST. `groups`: of the partition, ordinals that are named nowhere are one more group."""

    network: str  #: `NAMESPACE/NAME`
    node: int | None = None
    count: int | None = None  #: blocks for `mine`; nodes for `scale`
    groups: list[list[int]] | None = None


class Outcome(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to a POST: 200 and what was done, or 4xx/5xx and what is wrong; `command`: what would do the same."""

    is_done: bool
    said: str
    command: str = ""


class LogTail(msgspec.Struct, frozen=True, rename="camel"):
    """The answer of `log?network=NAMESPACE/NAME&node=ORDINAL&lines=N`; `problem`: why there are no lines."""

    lines: list[str] = []
    problem: str = ""
