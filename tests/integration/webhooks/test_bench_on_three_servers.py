"""A test of an operator with hooks is the same on each server."""

from __future__ import annotations

import pytest

from btcctl import App, Invalid, ObjectKey, Result, add_finalizer
from btcctl.testing.bench.making import fresh_namespace
from tests.integration.support import eventually
from tests.integration.webhooks.hooked import PATIENCE, wait_until_asked
from tests.unit.testing.bench import test_versions as versions
from tests.unit.webhooks.volumes import Volume, build, volume


@pytest.mark.servers("fake", "embedded", "real")
def test_what_is_written_passes_the_hooks(operator_env):
    where = fresh_namespace()
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": where}}
    env = operator_env(build, types=[Volume], objects=[namespace], namespace=where)
    volumes = env.admin.resource(Volume, where)
    wait_until_asked(env.admin, where)
    bad = volume("bad", "1Mi")
    bad.metadata.namespace = where
    with pytest.raises(Invalid):
        volumes.create(bad)
    good = volume("good")
    good.metadata.namespace = where
    env.create(good)
    assert env.get(Volume, "good").status.phase == "Ready fast"
    env.restart()
    assert env.admit(good).allowed
    # Another life has another authority, of which a real server hears a moment later.
    eventually(lambda: volumes.delete(ObjectKey(where, "good")) or True, PATIENCE)


def build_keeping(app: App) -> None:
    volumes, cached = app.client.resource(versions.Volume), app.factory.informer(versions.Volume).lister

    def reconcile(key: ObjectKey) -> Result:
        found = cached.get(key)
        if found is not None and found.deletion_timestamp is None:
            volumes.write_status(add_finalizer(volumes, found, "versions.example.org/kept"), versions.Status(seen=True))
        return Result()

    app.controller(versions.Volume).reconciles(reconcile)
    app.webhooks(versions.to_v1, versions.to_v1beta1)


@pytest.mark.servers("fake", "embedded", "real")
def test_versions_are_converted_while_the_test_looks_and_none_stays_behind(operator_env):
    where = fresh_namespace()
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": where}}
    types = [versions.Volume, versions.OldVolume]
    env = operator_env(build_keeping, types=types, objects=[namespace], namespace=where)
    for name in ("a", "b", "c"):
        env.create(versions.OldVolume.named(name, versions.OldSpec(3), namespace=where))
        assert env.get(versions.Volume, name).status == versions.Status(seen=True)
    assert env.clock.now() == 0.0
    env.update(versions.OldVolume, "a", lambda body: body["spec"].update(gigabytes=4))
    assert env.get(versions.Volume, "a").spec == versions.Spec(4)
