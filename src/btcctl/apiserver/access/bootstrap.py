"""The roles and bindings that every cluster has from its first start: those for users, not those of its parts."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from typing import Any

from btcctl import codecs
from btcctl.resources import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ResourceType


def bootstrap_objects() -> Iterator[tuple[ResourceType, dict[str, Any]]]:
    """Each with its type. As kube-apiserver 1.36.2 makes them."""
    data = codecs.decode((resources.files(__package__) / "bootstrap.json").read_bytes(), dict[str, Any])
    for type_ in (CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS):
        for each in data[type_.plural]:
            yield type_, {"kind": type_.kind, "apiVersion": type_.api_version, **each}
