"""Who the operator is in a cluster, and what it may do there, as it is shipped."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

from btcctl.objects import ObjectKey
from btcctl.resources import NAMESPACES

ACCOUNT = ObjectKey("bitcoin-controller", "bitcoin-controller-sva")


def account_yaml() -> str:
    """The ServiceAccount, its roles and their bindings: `manifests/rbac.yaml`."""
    return files("btcctl.bitcoin").joinpath("rbac.yaml").read_text(encoding="utf-8")


def load_account() -> list[dict[str, Any]]:
    """The same, after the namespace they are in, made anew on each call."""
    head = {"apiVersion": NAMESPACES.api_version, "kind": NAMESPACES.kind}
    return [{**head, "metadata": {"name": ACCOUNT.namespace}}, *yaml.safe_load_all(account_yaml())]
