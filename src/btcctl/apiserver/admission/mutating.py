"""Whatever changes an object before it is written, in order, and once more if something has changed since.

Source: k8s.io/apiserver/pkg/admission/reinvocation.go and the reinvocation contexts of the plugins, v0.36.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from btcctl.apiserver.admission.attributes import Attributes
from btcctl.apiserver.storage.collection import Body
from btcctl.json_values import is_same_json

#: Makes an object, decoded and with its defaults, of JSON that something has patched.
Renew = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Mutator:
    """One webhook or policy.

    Attributes:
        uid: Tells it from the others of its plugin.
        is_reinvocable: Whether it wants to be asked again when others have changed the object after it.
        apply: The object as it is to be; None if it is not for this request.
    """

    uid: str
    is_reinvocable: bool
    apply: Callable[[Attributes], Body | None]


@dataclass
class _Plugin:
    """The mutators of one plugin, and what was asked of which."""

    mutators: Sequence[Mutator]
    invoked: set[str] = field(default_factory=set)  #: those that may have to be asked again
    again: set[str] = field(default_factory=set)
    last: Body | None = None  #: the object when the plugin was last done

    def require_again(self) -> None:
        self.again |= self.invoked
        self.invoked = set()


def mutate(plugins: Iterable[Sequence[Mutator]], attributes: Attributes) -> Body | None:
    """The object as all of them want it."""
    turns = [_Plugin(each) for each in plugins]
    if _round(turns, attributes_of := _Current(attributes), is_second=False):
        _round(turns, attributes_of, is_second=True)
    return attributes_of.attributes.obj


@dataclass
class _Current:
    """The request with the object as it is by now."""

    attributes: Attributes


def _round(plugins: Sequence[_Plugin], current: _Current, *, is_second: bool) -> bool:
    """Ask everybody once; whether something has changed the object."""
    has_changed = False
    for plugin in plugins:
        if is_second and not is_same_json(plugin.last, current.attributes.obj):
            plugin.require_again()
        for mutator in plugin.mutators:
            if is_second and mutator.uid not in plugin.again:
                continue
            new = mutator.apply(current.attributes)
            if new is None:
                continue
            if not is_same_json(new, current.attributes.obj):
                has_changed = True
                plugin.require_again()
                current.attributes = current.attributes.with_object(new)
            if mutator.is_reinvocable:
                plugin.invoked.add(mutator.uid)
        plugin.last = current.attributes.obj
    return has_changed
