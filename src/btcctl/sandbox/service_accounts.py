"""Gives each namespace its default ServiceAccount, without which a real API server admits no pod.

In a cluster this is a part of kube-controller-manager.
"""

from __future__ import annotations

import contextlib

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.controller import Controller
from btcctl.controller.result import Result
from btcctl.errors import AlreadyExists, ConfigError, NotFound
from btcctl.informers.factory import SharedInformerFactory
from btcctl.informers.lister import Lister
from btcctl.objects import ObjectKey
from btcctl.resources import NAMESPACES, SERVICE_ACCOUNTS
from btcctl.rest.client import ApiClient
from btcctl.threads import Stop

DEFAULT_ACCOUNT = "default"
_WAIT_SECONDS = 30.0
_POLL_SECONDS = 0.05


def build_service_accounts(
    client: ApiClient, factory: SharedInformerFactory, *, clock: Clock = SYSTEM_CLOCK
) -> Controller:
    """Wire the controller to its informers."""
    namespaces, accounts = factory.informer(NAMESPACES), factory.informer(SERVICE_ACCOUNTS)
    keeper = ServiceAccounts(client, namespaces.lister)
    controller = Controller("service-accounts", keeper.reconcile, clock=clock)
    controller.watch(namespaces)
    controller.watch(accounts, lambda account: [ObjectKey("", account.namespace)])
    return controller


class ServiceAccounts:
    """Makes the account that a namespace lacks."""

    def __init__(self, client: ApiClient, namespaces: Lister) -> None:
        self._client = client
        self._namespaces = namespaces

    def reconcile(self, key: ObjectKey) -> Result:
        """Make the namespace's account if there is none, unless the namespace is going."""
        namespace = self._namespaces.get(key)
        if namespace is None or namespace.deletion_timestamp is not None:
            return Result()
        if not has_default_account(self._client, key.name):
            with contextlib.suppress(AlreadyExists, NotFound):
                self._client.resource(SERVICE_ACCOUNTS, key.name).create(_account())
        return Result()


def has_default_account(client: ApiClient, namespace: str) -> bool:
    """Whether a real API server would admit pods to the namespace."""
    try:
        client.resource(SERVICE_ACCOUNTS).get(ObjectKey(namespace, DEFAULT_ACCOUNT))
    except NotFound:
        return False
    return True


def wait_for_default_account(
    client: ApiClient, namespace: str, *, timeout: float = _WAIT_SECONDS, clock: Clock = SYSTEM_CLOCK
) -> None:
    """Wait until somebody has made it.

    Args:
        timeout: Seconds.

    Raises:
        ConfigError: Nobody has: pods could not be created.
    """
    pause, deadline = Stop(clock), clock.now() + timeout
    while not has_default_account(client, namespace):
        if clock.now() > deadline:
            raise ConfigError(
                f"namespace {namespace} has no ServiceAccount {DEFAULT_ACCOUNT}, so no pod can be created in it; "
                f"nobody made one within {timeout:g} s"
            )
        pause.wait(_POLL_SECONDS)


def _account() -> dict[str, object]:
    return {
        "apiVersion": SERVICE_ACCOUNTS.api_version,
        "kind": SERVICE_ACCOUNTS.kind,
        "metadata": {"name": DEFAULT_ACCOUNT},
    }
