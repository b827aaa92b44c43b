"""An operator with hooks, as an author might write it: volumes of two versions."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from btcctl import (
    Admission,
    App,
    CustomResource,
    ObjectKey,
    Refused,
    Result,
    converts,
    mutates,
    validates,
)

GROUP = "hooks.example.org"


class Disk(msgspec.Struct, rename="camel", omit_defaults=True):
    name: str
    gigabytes: int = 1


class VolumeSpec(msgspec.Struct, rename="camel", omit_defaults=True):
    size: str
    storage_class: str | None = None
    disks: list[Disk] = []


class VolumeStatus(msgspec.Struct):
    phase: str = ""


class Volume(CustomResource[VolumeSpec, VolumeStatus], group=GROUP, version="v1", plural="volumes"):
    """A place for data."""


class OldVolumeSpec(msgspec.Struct, rename="camel", omit_defaults=True):
    gigabytes: int
    storage_class: str | None = None


class OldVolume(
    CustomResource[OldVolumeSpec, VolumeStatus], group=GROUP, version="v1beta1", plural="volumes", kind="Volume"
):
    """As it was said before."""


def gigabytes(size: str) -> int:
    return int(size.removesuffix("Gi"))


@mutates(Volume)
def with_class(request: Admission[Volume]) -> None:
    if request.object.spec.storage_class is None:
        request.object.spec.storage_class = "fast"


@validates(Volume)
def size_only_grows(request: Admission[Volume]) -> Iterator[Refused]:
    size = request.object.spec.size
    if not size.endswith("Gi"):
        yield Refused("must end with Gi", field="spec.size")
    elif request.old is not None and gigabytes(size) < gigabytes(request.old.spec.size):
        yield Refused("cannot become smaller", field="spec.size")
    if request.object.spec.storage_class == "slow":
        request.warn("slow disks are slow")


@validates(Volume, on=("DELETE",), name="keep-protected")
def protected_stays(request: Admission[Volume]) -> None:
    if request.object.metadata.labels.get("protected") == "true" and request.user.name != "root":
        raise Refused("is protected")


@converts(OldVolume, Volume)
def to_v1(old: OldVolume) -> Volume:
    return Volume(
        metadata=old.metadata,
        spec=VolumeSpec(size=f"{old.spec.gigabytes}Gi", storage_class=old.spec.storage_class),
        status=old.status,
    )


@converts(Volume, OldVolume)
def to_v1beta1(new: Volume) -> OldVolume:
    return OldVolume(
        metadata=new.metadata,
        spec=OldVolumeSpec(gigabytes=gigabytes(new.spec.size), storage_class=new.spec.storage_class),
        status=new.status,
    )


HOOKS = (with_class, size_only_grows, protected_stays)
CONVERTERS = (to_v1, to_v1beta1)


def volume(name: str = "a", size: str = "1Gi", *, labels: dict[str, str] | None = None, **spec: str) -> Volume:
    return Volume.named(name, VolumeSpec(size, **spec), namespace="default", labels=labels)  # type: ignore[arg-type]


def build(app: App) -> None:
    volumes = app.client.resource(Volume)
    cached = app.factory.informer(Volume).lister

    def reconcile(key: ObjectKey) -> Result:
        found = cached.get(key)
        if found is not None and found.deletion_timestamp is None:
            volumes.write_status(found, VolumeStatus(phase=f"Ready {found.spec.storage_class}"))
        return Result()

    app.controller(Volume).reconciles(reconcile)
    app.webhooks(*HOOKS)


def build_versions(app: App) -> None:
    build(app)
    app.webhooks(*CONVERTERS)
