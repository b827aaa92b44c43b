"""Objects in other versions than a request has named: a webhook may ask for one of them only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from btcctl.apiserver.admission.attributes import Attributes
from btcctl.apiserver.served.registry import Registry
from btcctl.apiserver.storage.collection import Body
from btcctl.apiserver.storage.conversions import as_served
from btcctl.resources import ResourceType


class Versions:
    """Knows them."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def equivalents(self, resource: ResourceType) -> Iterator[ResourceType]:
        """The other versions in which a custom resource is served, in the order of its definition."""
        for each in self._registry.definition(f"{resource.plural}.{resource.group}"):
            if each.type != resource:
                yield each.type

    def attributes(self, attributes: Attributes, kind: ResourceType) -> Attributes:
        """A request with its objects as another version has them."""
        if kind == attributes.type:
            return attributes
        obj, old = (self.shown(each, attributes.type, kind) for each in (attributes.obj, attributes.old))
        return replace(attributes, obj=obj, old=old)

    def shown(self, body: Body | None, source: ResourceType, wanted: ResourceType) -> dict[str, object] | None:
        """An object of one version as another has it."""
        if body is None or source == wanted:
            return None if body is None else dict(body)
        served = self._registry.find(source.group, source.version, source.plural)
        if served is not None and served.kind.conversion is not None:
            return served.kind.conversion.converted(body, wanted.api_version)
        return dict(as_served(body, wanted.api_version))
