"""Which object a call is about, from what a program says, and what it means that the server has nothing there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from btcctl.errors import NotFound
from btcctl.objects import ObjectKey
from btcctl.resources import ResourceType


def path_of(type_: ResourceType, namespace: str, key: ObjectKey, subresource: str = "", *, cluster: str = "") -> str:
    """The path of an object in the collection of one namespace, or with "" of all.

    Raises:
        TypeError: `key` is no ObjectKey.
        ValueError: It has no name, or is of another namespace or cluster.
    """
    if not isinstance(key, ObjectKey):
        raise TypeError(f"{type_}: a key is an ObjectKey(namespace, name), not of type {type(key).__name__}")
    if not key.name:
        raise ValueError(f"{type_}: an object needs a name")
    if key.cluster != cluster:
        key.within(cluster)  # says if it is elsewhere
    if namespace and key.namespace != namespace:
        raise ValueError(
            f"{key} is not in namespace {namespace}, to which this collection of {type_} is limited: "
            "client.resource(type) has all of them"
        )
    return type_.path(key.namespace, key.name, subresource)


def metadata_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The metadata of a manifest, {} if it has none.

    Raises:
        TypeError: The manifest is no mapping, or its metadata are none.
    """
    # To ask whether a dict is a Mapping takes three calls.
    metadata = body.get("metadata") if type(body) is dict or isinstance(body, Mapping) else body
    if type(metadata) is dict:
        return metadata
    if metadata is None and body is not None:
        return {}
    if not isinstance(metadata, Mapping):
        raise TypeError(f"a manifest is a dict with the dict `metadata` in it, not of type {type(metadata).__name__}")
    return metadata


def checked_patch(patch: Mapping[str, Any] | Sequence[Any]) -> Mapping[str, Any] | list[Any]:
    """`patch`, a list if it is a list of operations.

    Raises:
        TypeError: It is neither.
    """
    if isinstance(patch, Mapping):
        return patch
    if isinstance(patch, str | bytes) or not isinstance(patch, Sequence):
        raise TypeError(f"a patch is a dict, or of kind JSON a list of operations, not of type {type(patch).__name__}")
    return [*patch]


def explained(error: NotFound, type_: ResourceType) -> NotFound:
    """Say what is missing. Of a path that it does not know at all, a server names no object."""
    if error.details.get("name"):
        return error
    what, advice = f"{type_.plural} in {type_.api_version}", f"kubectl api-resources --api-group={type_.group!r}"
    if "." in type_.group:
        what += ": is the CRD installed, and are version and plural right?"
        advice = f"kubectl get crd {type_.group_resource}"
    words = f"the server has no {what} See: {advice} ({error.message})"
    return NotFound(error.code, error.reason, words, details=error.details, retry_after=error.retry_after)


def explained_status(error: NotFound) -> NotFound:
    """A server whose CRD has no status subresource says that the object is not there, or knows no such path."""
    error = error.__cause__ if isinstance(error.__cause__, NotFound) else error
    words = f"{error.message}; if it is there, its CRD has no `subresources: {{status: {{}}}}`"
    return NotFound(error.code, error.reason, words, details=error.details, retry_after=error.retry_after)
