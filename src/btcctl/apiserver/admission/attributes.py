"""A request as admission sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from btcctl.apiserver.requests.messages import User
from btcctl.apiserver.requests.routing import Route
from btcctl.apiserver.served.kind import Warn
from btcctl.apiserver.storage.collection import Body
from btcctl.resources import NAMESPACES, ResourceType

CREATE, UPDATE, DELETE, CONNECT = "CREATE", "UPDATE", "DELETE", "CONNECT"
_GROUP = "admissionregistration.k8s.io"


@dataclass(frozen=True, slots=True)
class Attributes:
    """One request, and what it would make of an object.

    Attributes:
        operation: CREATE, UPDATE, DELETE or CONNECT.
        type: What the objects are, in the version that the request named: of some subresources another kind.
        obj: The object as it is to be; None for a deletion.
        old: The object as it is; None for a creation.
        options: The CreateOptions and so on that came with it.
        name: As the request has it; "" if it is yet to be made up.
        warn: Told what those who are asked want to warn the client of.
    """

    route: Route
    operation: str
    type: ResourceType
    obj: Body | None
    old: Body | None
    options: Mapping[str, Any]
    dry_run: bool
    user: User
    name: str
    warn: Warn

    def with_object(self, obj: Body) -> Attributes:
        return replace(self, obj=obj)

    @property
    def shown_name(self) -> str:
        """What errors call the object."""
        metadata = {} if self.obj is None else self.obj["metadata"]
        return str(self.name or metadata.get("name") or metadata.get("generateName") or "Unknown")

    @property
    def resource(self) -> ResourceType:
        """Whose path it is."""
        return self.route.served.type

    @property
    def namespace(self) -> str:
        """A namespace is in itself."""
        return self.name if self.resource == NAMESPACES else self.route.namespace

    @property
    def is_exempt(self) -> bool:
        """Whether it is about what says who is asked: nobody is asked then, or nothing could be mended any more."""
        return self.resource.group == _GROUP

    def request(self, resource: ResourceType, kind: ResourceType) -> dict[str, Any]:
        """The part of an AdmissionRequest that expressions may look at.

        Args:
            resource: The resource that was matched.
            kind: What the objects are in that version.
        """
        subresource = self.route.subresource
        below = {"subResource": subresource, "requestSubResource": subresource} if subresource else {}
        place = {"name": self.name, "namespace": self.namespace}
        return {
            "kind": _kind(kind),
            "resource": _resource(resource),
            "requestKind": _kind(self.type),
            "requestResource": _resource(self.resource),
            **below,
            **{name: each for name, each in place.items() if each},
            "operation": self.operation,
            "userInfo": {"username": self.user.name, "groups": list(self.user.groups)},
            "dryRun": self.dry_run,
            "options": dict(self.options),
        }


def _kind(type_: ResourceType) -> dict[str, str]:
    return {"group": type_.group, "version": type_.version, "kind": type_.kind}


def _resource(type_: ResourceType) -> dict[str, str]:
    return {"group": type_.group, "version": type_.version, "resource": type_.plural}
