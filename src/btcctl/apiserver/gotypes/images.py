"""When an image is pulled, by its name: Kubernetes' rule."""

from __future__ import annotations


def pull_policy(image: str) -> str:
    """What a container without a policy gets: a tag that may move is pulled always."""
    if "@" in image:
        return "IfNotPresent"
    tag = image.rpartition("/")[2].partition(":")[2]
    return "Always" if tag in {"", "latest"} else "IfNotPresent"
