"""The operator with an external API on the bench, with a provider in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from btcctl import EVENTS, LEASES, Invalid
from btcctl.testing import OperatorEnv, assert_crds
from tests import pages

EXAMPLES = Path(__file__).parents[3] / "examples"
example: Any = pages.load(EXAMPLES / "dns_records.py")


class FakeDns:
    """A provider: its records by zone, type and name; and what it answers instead, one call each."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str, str], Any] = {}
        self.puts = 0
        self.failures: list[Exception] = []

    def find(self, spec):
        self._fail()
        return self.records.get((spec.zone, spec.type, spec.name))

    def put(self, spec, record):
        self._fail()
        self.puts += 1
        self.records[spec.zone, spec.type, spec.name] = record

    def delete(self, spec):
        self._fail()
        self.records.pop((spec.zone, spec.type, spec.name), None)

    def _fail(self):
        if self.failures:
            raise self.failures.pop(0)


WWW = ("example.org", "A", "www")


@pytest.fixture
def dns() -> FakeDns:
    return FakeDns()


@pytest.fixture
def env(operator_env: Callable[..., OperatorEnv], dns: FakeDns) -> OperatorEnv:
    return operator_env(
        lambda app: example.build_with(app, dns), types=[example.DnsRecord], field_manager="dns-records"
    )


def www(name: str = "www", **spec: Any):
    return example.DnsRecord.named(
        name, example.DnsRecordSpec("example.org", "www", ["192.0.2.1"], **spec), namespace="default"
    )


def ready(env: OperatorEnv, name: str = "www") -> tuple[str, str]:
    [condition] = env.get(example.DnsRecord, name).status.conditions
    return condition.status, condition.reason


def test_a_record_is_published_and_another_look_changes_nothing(env, dns):
    env.create(www())
    assert (dns.records[WWW].values, dns.records[WWW].ttl) == (["192.0.2.1"], 300)
    assert ready(env) == ("True", "Published")
    assert env.events("www") == ["Published"]
    env.assert_quiescent()
    assert dns.puts == 1


def test_a_change_is_published(env, dns):
    env.create(www())
    env.update(example.DnsRecord, "www", lambda body: body["spec"].update(values=["192.0.2.2"]))
    assert dns.records[WWW].values == ["192.0.2.2"]
    assert env.get(example.DnsRecord, "www").status.observed_generation == 2


def test_what_is_changed_at_the_provider_is_put_back_by_the_next_poll(env, dns):
    env.create(www())
    dns.records.clear()
    env.advance(example.POLL_SECONDS)
    assert dns.records[WWW].values == ["192.0.2.1"]


def test_the_record_goes_with_its_object(env, dns):
    env.create(www())
    env.delete(example.DnsRecord, "www")
    assert dns.records == {}
    assert env.names(example.DnsRecord) == []


def test_a_record_that_is_to_stay_stays(env, dns):
    env.create(www(when_deleted="Retain"))
    env.delete(example.DnsRecord, "www")
    assert WWW in dns.records
    assert env.names(example.DnsRecord) == []


def test_the_object_stays_until_the_record_is_gone(env, dns):
    env.create(www())
    dns.failures = [example.TryLater("busy", retry_after=7.0)]
    env.delete(example.DnsRecord, "www")
    assert env.names(example.DnsRecord) == ["www"]
    env.advance(7.0)
    assert env.names(example.DnsRecord) == []
    assert dns.records == {}


def test_a_provider_that_is_busy_is_left_alone_for_as_long_as_it_says(env, dns):
    dns.failures = [example.TryLater("busy", retry_after=7.0)]
    env.create(www())
    assert env.key("www").next_try == 7.0
    env.advance(7.0)
    assert WWW in dns.records


def test_what_the_provider_refuses_is_a_condition_and_rests_until_it_changes(env, dns):
    dns.failures = [example.Refused("no such zone")]
    env.create(www())
    assert ready(env) == ("False", "Refused")
    assert env.key("www").next_try is None
    assert env.events("www") == ["Refused"]
    env.update(example.DnsRecord, "www", lambda body: body["spec"].update(ttl=60))
    assert ready(env) == ("True", "Published")


def test_a_record_of_another_is_neither_changed_nor_deleted(env, dns):
    env.create(www())
    env.create(www("again"))
    assert ready(env, "again") == ("False", "Refused")
    env.delete(example.DnsRecord, "again")
    assert WWW in dns.records


def test_the_name_of_a_record_cannot_be_changed(env):
    env.create(www())
    with pytest.raises(Invalid, match="zone, name and type cannot be changed"):
        env.update(example.DnsRecord, "www", lambda body: body["spec"].update(name="ftp"))


def test_what_is_granted_is_what_is_used(env, dns):
    env.create(www())
    env.delete(example.DnsRecord, "www")
    env.assert_rbac(EXAMPLES / "manifests" / "dns-records-rbac.yaml", beside=[LEASES, EVENTS])


def test_the_definition_says_what_the_types_say():
    assert_crds(EXAMPLES / "manifests" / "dns-records-crd.yaml", example)
