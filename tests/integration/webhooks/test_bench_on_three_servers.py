"""A test of an operator with hooks is the same on each server."""

from __future__ import annotations

import pytest

from btcctl import Invalid, ObjectKey
from btcctl.testing.bench.making import fresh_namespace
from tests.integration.support import eventually
from tests.integration.webhooks.hooked import PATIENCE, wait_until_asked
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
