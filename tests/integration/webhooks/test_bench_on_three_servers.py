"""A test of an operator with hooks is the same on each server."""

from __future__ import annotations

import pytest

from btcctl import Invalid, ObjectKey
from btcctl.testing.bench.making import fresh_namespace
from tests.integration.support import eventually
from tests.integration.webhooks.hooked import PATIENCE
from tests.unit.webhooks.volumes import Volume, build, volume


@pytest.mark.servers("fake", "embedded", "real")
def test_what_is_written_passes_the_hooks(operator_env):
    where = fresh_namespace()
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": where}}
    env = operator_env(build, types=[Volume], objects=[namespace], namespace=where)
    volumes = env.admin.resource(Volume, where)

    def is_refused() -> bool:
        bad = volume("bad", "1Mi")
        bad.metadata.namespace = where
        try:
            volumes.delete(volumes.create(bad))
        except Invalid:
            return True
        return False

    eventually(is_refused, PATIENCE)
    good = volume("good")
    good.metadata.namespace = where
    env.create(good)
    assert env.get(Volume, "good").status.phase == "Ready fast"
    env.restart()
    assert env.admit(good).allowed
    volumes.delete(ObjectKey(where, "good"))
