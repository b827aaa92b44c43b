"""Applying YAML files to a cluster, as `kubectl apply -f` would for objects nobody else edits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from btcctl.errors import AlreadyExists, ConfigError, DeadlineExceeded, NotFound
from btcctl.named_files import read_once, shown_name
from btcctl.objects import Object, ObjectKey
from btcctl.resources import CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES, ResourceType
from btcctl.rest.client import ApiClient
from btcctl.rest.collection.resource import PatchKind
from btcctl.rest.served import wait_until_served


def read_manifests(path: Path) -> list[dict[str, Any]]:
    """Every object in a YAML file, Lists unfolded.

    Raises:
        ConfigError: The file cannot be read, is no YAML, or holds something that is no object.
    """
    try:
        documents = list(yaml.safe_load_all(read_once(path).decode()))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError(f"cannot read {shown_name(path)}: {why}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {error}") from error
    return [each for document in documents if document is not None for each in _unfold(document, path)]


def _unfold(document: Any, path: Path) -> Iterator[dict[str, Any]]:
    if not isinstance(document, dict) or not {"apiVersion", "kind"} <= document.keys():
        raise ConfigError(f"{path}: a document has no apiVersion and kind")
    if document["kind"] == "List":
        for item in document.get("items") or []:
            yield from _unfold(item, path)
    elif not (document.get("metadata") or {}).get("name"):
        raise ConfigError(f"{path}: a {document['kind']} has no metadata.name")
    else:
        yield document


class Applier:
    """Creates objects, or merges into those that exist.

    Args:
        client: Where to.
        namespace: For namespaced objects that name none.
    """

    def __init__(self, client: ApiClient, namespace: str = "default") -> None:
        self._client = client
        self._namespace = namespace

    def apply(self, manifest: dict[str, Any]) -> Object:
        """Apply one object; a CustomResourceDefinition is waited for until it serves.

        Raises:
            ConfigError: The cluster does not know the kind.
            ApiError: The server refuses the object.
        """
        type_ = self.type_of(manifest["apiVersion"], manifest["kind"])
        namespace = manifest["metadata"].get("namespace", self._namespace) if type_.namespaced else ""
        resource = self._client.resource(type_, namespace)
        try:
            applied = resource.create(manifest)
        except AlreadyExists:
            applied = resource.patch(ObjectKey(namespace, manifest["metadata"]["name"]), manifest, kind=PatchKind.MERGE)
        if type_ == CUSTOM_RESOURCE_DEFINITIONS:
            self._wait_until_served(manifest["spec"])
        return applied

    def type_of(self, api_version: str, kind: str) -> ResourceType:
        """Which resource serves a kind."""
        for well_known in (NAMESPACES, CUSTOM_RESOURCE_DEFINITIONS):
            if (well_known.api_version, well_known.kind) == (api_version, kind):
                return well_known
        group, _, version = api_version.rpartition("/")
        unknown = ConfigError(f"the cluster serves no {kind} in {api_version}")
        try:
            served = self._client.discover(group, version)
        except NotFound:
            raise unknown from None
        for type_ in served:
            if type_.kind == kind:
                return type_
        raise unknown

    def _wait_until_served(self, spec: dict[str, Any]) -> None:
        try:
            wait_until_served(self._client, spec)
        except DeadlineExceeded as error:
            raise ConfigError(f"the CustomResourceDefinition was accepted: {error}") from error
