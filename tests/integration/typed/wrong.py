"""A program full of mistakes: type checkers find the one in each line that says so."""

from __future__ import annotations

from btcctl import ApiClient, ObjectKey, SharedInformerFactory
from tests.integration.typed.right import Settings, Spec, Status, Widget


def use(client: ApiClient, factory: SharedInformerFactory) -> None:
    widgets = client.resource(Widget)
    widget = widgets.get(ObjectKey("default", "a"))
    widget.spec.sise  # wrong
    widget.spec.size = "1"  # wrong
    widget.status.ready  # wrong
    widgets.write_status(widget, Spec(1))  # wrong
    widgets.create(Settings())  # wrong
    widgets.apply(Status())  # wrong
    Widget(spec=Status())  # wrong
    Widget.named("a", Status())  # wrong
    Spec(size="1")  # wrong
    widgets.get("default/a")  # wrong
    client.resource(int)  # wrong
    factory.informer(Spec)  # wrong
    factory.informer(Widget).lister.get(widget.key).spec  # wrong
