"""What of the pods' template stands in `spec`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from btcctl import codecs
from btcctl.bitcoin.spec.model import NetworkSpec

#: Fields of a pod's spec that are the same in ours.
POD_FIELDS: Final = (
    "affinity",
    "imagePullSecrets",
    "nodeSelector",
    "priorityClassName",
    "securityContext",
    "tolerations",
    "topologySpreadConstraints",
)
#: Fields of a container, by their names in our spec.
CONTAINER_FIELDS: Final = {"resources": "resources", "containerSecurityContext": "securityContext"}
# Go leaves an empty one of these out; elsewhere {} is another thing than nothing: an empty labelSelector selects all.
_MAPS = frozenset({"matchLabels", "nodeSelector", "limits", "requests", "resources"})
# Labels, whose values are users' own: an empty one selects by the label all the same.
_LABELS = frozenset({"matchLabels", "nodeSelector"})


def pod_fields(spec: NetworkSpec, own_labels: Mapping[str, str]) -> dict[str, Any]:
    """Those of `POD_FIELDS` that are asked for.

    Args:
        own_labels: Select the network's pods: what a topologySpreadConstraint without a selector is about.
    """
    given = _given(spec, POD_FIELDS)
    constraints = given.get("topologySpreadConstraints")
    if constraints:
        own = {"labelSelector": {"matchLabels": dict(own_labels)}}
        given["topologySpreadConstraints"] = [{**own, **each} for each in constraints]
    return given


def container_fields(spec: NetworkSpec) -> dict[str, Any]:
    """Those of `CONTAINER_FIELDS` that are asked for, by their names in a container."""
    given = _given(spec, CONTAINER_FIELDS)
    return {CONTAINER_FIELDS[name]: value for name, value in given.items()}


def names_given(spec: NetworkSpec) -> list[str]:
    """What of the template comes from `spec`: names of fields, and `label/KEY` and `annotation/KEY`."""
    return [
        *_given(spec, POD_FIELDS),
        *_given(spec, CONTAINER_FIELDS),
        *(f"label/{key}" for key in spec.pod_labels),
        *(f"annotation/{key}" for key in spec.pod_annotations),
    ]


def pull_policy(spec: NetworkSpec, image: str) -> str:
    """As Kubernetes chooses it where nothing else is asked for: a moving tag is looked up each time."""
    if spec.image_pull_policy is not None:
        return spec.image_pull_policy
    name, at, _ = image.partition("@")
    _, colon, tag = name.rpartition("/")[2].partition(":")
    is_moving = not at and (not colon or tag == "latest")
    return "Always" if is_moving else "IfNotPresent"


def _given(spec: NetworkSpec, names: Mapping[str, str] | tuple[str, ...]) -> dict[str, Any]:
    body: dict[str, Any] = codecs.to_builtins(spec)
    return {name: pruned(body[name], name) for name in names if _is_given(body[name], name)}


def _is_given(value: object, name: str) -> bool:
    """An empty object is asked for: it takes the place of what is there without it."""
    return value is not None and value not in ([], "") and not (value == {} and name == "nodeSelector")


def pruned(value: Any, field: str = "") -> Any:
    """As the API server gives it back: without what Go leaves out for being empty.

    Args:
        field: The name under which it stands.
    """
    if field in _LABELS and isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Mapping):
        kept = {key: pruned(each, key) for key, each in value.items()}
        return {key: each for key, each in kept.items() if not _is_left_out(each, key)}
    return [pruned(each) for each in value] if isinstance(value, list) else value


def _is_left_out(value: object, field: str) -> bool:
    return value is None or value in ("", []) or (value == {} and field in _MAPS)
