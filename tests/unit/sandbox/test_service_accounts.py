"""Every namespace gets its default account."""

from __future__ import annotations

import pytest

from btcctl.errors import ConfigError
from btcctl.objects import ObjectKey
from btcctl.resources import NAMESPACES, SERVICE_ACCOUNTS
from btcctl.sandbox.service_accounts import ServiceAccounts, has_default_account, wait_for_default_account
from btcctl.testing.fake_client import FakeClient
from tests.unit.sandbox.fakes import LiveLister

NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine"}}


def reconcile(client: FakeClient, name: str) -> None:
    ServiceAccounts(client, LiveLister(client.resource(NAMESPACES))).reconcile(ObjectKey("", name))  # type: ignore[arg-type]


def test_a_namespace_gets_its_account_once():
    client = FakeClient(NAMESPACE)
    for _ in range(2):
        reconcile(client, "mine")
    assert [each.name for each in client.resource(SERVICE_ACCOUNTS, "mine").list()[0]] == ["default"]
    wait_for_default_account(client, "mine")


def test_a_namespace_that_is_gone_gets_none():
    client = FakeClient()
    reconcile(client, "mine")
    assert not has_default_account(client, "mine")


def test_that_nobody_makes_an_account_is_said():
    with pytest.raises(ConfigError, match="namespace mine has no ServiceAccount"):
        wait_for_default_account(FakeClient(), "mine", timeout=0.0)
