"""API servers ask an operator's hooks, and go on doing so whatever becomes of certificates and configurations."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from btcctl import (
    MUTATING_WEBHOOK_CONFIGURATIONS,
    SECRETS,
    VALIDATING_WEBHOOK_CONFIGURATIONS,
    ApiError,
    App,
    Invalid,
    Object,
    ObjectKey,
)
from btcctl.rest.client import ApiClient
from tests.integration.api_servers import ApiServer
from tests.integration.support import eventually
from tests.integration.webhooks.hooked import (
    PATIENCE,
    definition_served,
    operator,
    take_back,
    volume,
    wait_until_asked,
)
from tests.unit.webhooks.volumes import OldVolume, OldVolumeSpec, Volume, VolumeSpec, build_versions

CONFIGURATION = ObjectKey("", "vol")


@pytest.fixture
def admin(api_server: ApiServer) -> Iterator[ApiClient]:
    client = api_server.client()
    with definition_served(client):
        try:
            yield client
        finally:
            take_back(client)


def bundle_of(configuration: Object) -> bytes:
    return base64.b64decode(configuration.body()["webhooks"][0]["clientConfig"].get("caBundle") or "")


def test_objects_are_changed_and_refused(api_server: ApiServer, admin: ApiClient):
    where = api_server.namespace
    with operator(api_server) as running:
        wait_until_asked(admin, where)
        volumes = admin.resource(Volume, where)
        made = volumes.create(volume("a", "2Gi", where))
        assert made.spec == VolumeSpec("2Gi", "fast")
        eventually(lambda: volumes.get(made.key).status is not None, PATIENCE)  # or the operator's write comes between
        made = volumes.get(made.key)
        made.spec.size = "1Gi"
        with pytest.raises(Invalid, match=r"denied the request: spec\.size: cannot become smaller") as refused:
            volumes.update(made)
        assert [(each["field"], each["message"]) for each in refused.value.causes] == [
            ("spec.size", "cannot become smaller")
        ]
        volumes.create(volume("kept", "1Gi", where, protected="true"))
        with pytest.raises(Invalid, match="is protected"):
            volumes.delete(ObjectKey(where, "kept"))
        assert running.webhooks.problem() == ""
        text = running.metrics.text().decode()
        assert 'webhook_requests_total{code="200",webhook="/mutate/with-class.volumes.hooks.example.org"}' in text
    with pytest.raises(ApiError, match="failed calling webhook"):  # failurePolicy: Fail
        volumes.create(volume("late", "1Gi", where))


def test_versions_are_converted_both_ways(api_server: ApiServer, admin: ApiClient):
    where = api_server.namespace
    with operator(api_server, build_versions):
        wait_until_asked(admin, where)
        volumes, old = admin.resource(Volume, where), admin.resource(OldVolume, where)
        made = volumes.create(volume("a", "2Gi", where))
        # Before the definition says who converts, the other version has the same words, which do not fit.
        eventually(lambda: old.get(made.key).spec == OldVolumeSpec(2, "fast"), PATIENCE)
        assert old.create(OldVolume.named("b", OldVolumeSpec(5))).spec == OldVolumeSpec(5, "fast")
        assert volumes.get(ObjectKey(where, "b")).spec == VolumeSpec("5Gi", "fast")
        assert [each.spec.gigabytes for each in old.list()] == [2, 5]


def test_what_somebody_changes_is_put_right(api_server: ApiServer, admin: ApiClient):
    with operator(api_server):
        wait_until_asked(admin, api_server.namespace)
        mutating = admin.resource(MUTATING_WEBHOOK_CONFIGURATIONS)
        validating = admin.resource(VALIDATING_WEBHOOK_CONFIGURATIONS)
        mutating.delete(CONFIGURATION)
        mutating.wait_until(CONFIGURATION, lambda found: found is not None, timeout=PATIENCE)
        body = validating.get(CONFIGURATION).body()
        body["webhooks"][0]["clientConfig"]["caBundle"] = None
        body["webhooks"][0]["failurePolicy"] = "Ignore"
        validating.update(body)
        eventually(lambda: bundle_of(validating.get(CONFIGURATION)) == bundle_of(mutating.get(CONFIGURATION)), PATIENCE)
        assert validating.get(CONFIGURATION).body()["webhooks"][0]["failurePolicy"] == "Fail"


def test_copies_share_a_secret_and_follow_it(api_server: ApiServer, admin: ApiClient):
    secrets, key = admin.resource(SECRETS), ObjectKey(api_server.namespace, "hooks")
    mutating = admin.resource(MUTATING_WEBHOOK_CONFIGURATIONS)
    with operator(api_server) as one, operator(api_server) as other:
        wait_until_asked(admin, api_server.namespace)
        eventually(lambda: one.webhooks.identity.authorities == other.webhooks.identity.authorities, PATIENCE)
        before = one.webhooks.identity.authorities
        assert before == base64.b64decode(secrets.get(key).body()["data"]["ca.crt"])
        secrets.delete(key)
        eventually(lambda: one.webhooks.identity.authorities not in {None, before}, PATIENCE)
        eventually(lambda: one.webhooks.identity.authorities == other.webhooks.identity.authorities, PATIENCE)
        eventually(lambda: bundle_of(mutating.get(CONFIGURATION)) == one.webhooks.identity.authorities, PATIENCE)
        wait_until_asked(admin, api_server.namespace)


def test_hooks_that_are_no_more_are_taken_back(api_server: ApiServer, admin: ApiClient):
    with operator(api_server):
        wait_until_asked(admin, api_server.namespace)

    def build(app: App) -> None:
        app.webhooks()

    with operator(api_server, build):
        for type_ in (MUTATING_WEBHOOK_CONFIGURATIONS, VALIDATING_WEBHOOK_CONFIGURATIONS):
            admin.resource(type_).wait_until(CONFIGURATION, lambda found: found is None, timeout=PATIENCE)
