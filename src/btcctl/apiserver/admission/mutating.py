"""Whatever changes an object before it is written, in order, and once more if something has changed since.

Source: k8s.io/apiserver/pkg/admission/reinvocation.go and the reinvocation contexts of the plugins, v0.36.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from btcctl.apiserver.admission.attributes import Attributes
from btcctl.apiserver.storage.collection import Body
from btcctl.json_values import is_same_json


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


@dataclass(frozen=True)
class Plugin:
    """Mutators that have their turn together.

    Attributes:
        mutators: Those there are for a request as it is when the turn begins.
        end: Called when it is over; may refuse the request.
        counts_all: Whether all that was asked counts as changed, or only what is another than before.
    """

    mutators: Callable[[Attributes], Iterable[Mutator]]
    end: Callable[[], None] = lambda: None
    counts_all: bool = False


@dataclass
class _Turns:
    """A plugin, and whom of it was asked what."""

    plugin: Plugin
    invoked: set[str] = field(default_factory=set)  #: those that may have to be asked again
    again: set[str] = field(default_factory=set)
    last: Body | None = None  #: the object when the plugin was last done

    def require_again(self) -> None:
        self.again |= self.invoked
        self.invoked = set()

    def take(self, attributes: Attributes, *, is_second: bool) -> tuple[Attributes, bool]:
        """Ask each; the request with the object as it is then, and whether something counts as changed."""
        if is_second and not is_same_json(self.last, attributes.obj):
            self.require_again()
        has_changed = was_asked = False
        for mutator in self.plugin.mutators(attributes):
            if is_second and mutator.uid not in self.again:
                continue
            new = mutator.apply(attributes)
            if new is None:
                continue
            was_asked = True
            if not is_same_json(new, attributes.obj):
                has_changed = True
                self.require_again()
                attributes = attributes.with_object(new)
            if mutator.is_reinvocable:
                self.invoked.add(mutator.uid)
        if self.plugin.counts_all and was_asked:
            has_changed = True
            self.require_again()
        self.plugin.end()
        self.last = attributes.obj
        return attributes, has_changed


def mutate(plugins: Iterable[Plugin], attributes: Attributes) -> Body | None:
    """The object as all of them want it."""
    turns = [_Turns(each) for each in plugins]
    has_changed = False
    for each in turns:
        attributes, changed = each.take(attributes, is_second=False)
        has_changed = has_changed or changed
    for each in turns if has_changed else ():
        attributes, _ = each.take(attributes, is_second=True)
    return attributes.obj
