"""An operator of a kind with several versions, whose classes are all that a test has to give."""

from __future__ import annotations

import msgspec

from btcctl import CUSTOM_RESOURCE_DEFINITIONS, App, CustomResource, ObjectKey, Result, converts
from btcctl.testing import FakeClient


class Spec(msgspec.Struct):
    size: int = 1


class OldSpec(msgspec.Struct):
    gigabytes: int = 1


class Status(msgspec.Struct):
    seen: bool = False


class Volume(CustomResource[Spec, Status], group="versions.example.org", version="v1", plural="volumes"):
    pass


class OldVolume(
    CustomResource[OldSpec, Status], group="versions.example.org", version="v1beta1", plural="volumes", kind="Volume"
):
    pass


@converts(OldVolume, Volume)
def to_v1(old: OldVolume) -> Volume:
    return Volume(metadata=old.metadata, spec=Spec(old.spec.gigabytes), status=old.status)


@converts(Volume, OldVolume)
def to_v1beta1(new: Volume) -> OldVolume:
    return OldVolume(metadata=new.metadata, spec=OldSpec(new.spec.size), status=new.status)


def build(app: App) -> None:
    volumes, cached = app.client.resource(Volume), app.factory.informer(Volume).lister

    def reconcile(key: ObjectKey) -> Result:
        volume = cached.get(key)
        if volume is not None:
            volumes.write_status(volume, Status(seen=True))
        return Result()

    app.controller(Volume).reconciles(reconcile)
    app.webhooks(to_v1, to_v1beta1)


def test_classes_of_one_kind_are_versions_of_one_definition():
    client = FakeClient(types=[OldVolume, Volume])
    client.resource(OldVolume, "default").create(OldVolume.named("a", OldSpec()))
    assert [each.name for each in client.resource(Volume, "default").list()] == ["a"]


def test_an_operator_that_converts_has_done_its_part_when_a_write_returns(operator_env):
    env = operator_env(build, types=[Volume, OldVolume])
    env.create(OldVolume.named("a", OldSpec(3), namespace="default"))
    assert env.get(Volume, "a").spec == Spec(3)
    assert env.get(OldVolume, "a").status == Status(seen=True)
    assert env.clock.now() == 0.0
    env.restart()
    env.assert_quiescent()


def test_a_server_that_ends_watches_by_itself_takes_none_of_the_test_s_time(operator_env):
    env = operator_env(build, types=[Volume, OldVolume])
    definition = ObjectKey("", "volumes.versions.example.org")
    conversion = {"conversion": {"strategy": "None", "webhook": None}}
    env.admin.resource(CUSTOM_RESOURCE_DEFINITIONS).patch(definition, {"spec": conversion})
    env.create(Volume.named("a", Spec(), namespace="default"))
    assert env.get(Volume, "a").status == Status(seen=True)
    assert env.clock.now() == 0.0
