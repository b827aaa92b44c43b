"""The metadata of a typed object."""

from __future__ import annotations

import msgspec

from btcctl.metadata import OwnerReference


class Metadata(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """What `metadata` says of an object; managedFields aside, which stand in the object as it was read.

    What is not said is empty, and is not sent.
    """

    name: str = ""
    generate_name: str = ""  #: the server makes a name that begins so, if there is none
    namespace: str = ""  #: empty for cluster-scoped objects
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[OwnerReference] = []
    finalizers: list[str] = []
    uid: str = ""
    resource_version: str = ""  #: opaque: hand it back to the server, never compare it
    generation: int = 0
    creation_timestamp: str = ""  #: RFC 3339
    deletion_timestamp: str | None = None  #: RFC 3339; None: it is not being deleted
    deletion_grace_period_seconds: int | None = None
