"""Which pods run another image than the one that is asked for of their node. Pure.

A StatefulSet has one template, and its pods their names, volumes and addresses from it. So a node with an image of its
own is a pod of the same StatefulSet whose image was changed in place, which Kubernetes lets: its kubelet ends the
container and starts the other image, on the same data. What the pod was made with is written down in an annotation, to
be put back when nothing else is asked for any more; until then a pod that is made anew begins with that, too, for the
moment that the operator needs to see it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from btcctl.bitcoin.pod_problems import CONTAINER
from btcctl.bitcoin.pods import OWN_IMAGE_ANNOTATION, NodePod
from btcctl.bitcoin.spec.model import NetworkSpec
from btcctl.objects import Object


class _Container(msgspec.Struct, gc=False):
    name: str = ""
    image: str | None = None


class _Spec(msgspec.Struct, gc=False):
    containers: list[_Container] = []


class _Pod(msgspec.Struct, gc=False):
    spec: _Spec = msgspec.field(default_factory=_Spec)


class Swap(NamedTuple):
    """A pod whose image is to be changed."""

    pod: NodePod
    image: str
    own_image: str | None  #: to remember; None: to forget, because it has its own again

    @property
    def patch(self) -> dict[str, Any]:
        """A strategic merge patch of the pod."""
        return {
            "metadata": {"uid": self.pod.uid, "annotations": {OWN_IMAGE_ANNOTATION: self.own_image}},
            "spec": {"containers": [{"name": CONTAINER, "image": self.image}]},
        }


def image_of(pod: Object) -> str:
    """Of its node; "" if it has none."""
    found = pod.decode(_Pod).spec.containers
    return next((each.image or "" for each in found if each.name == CONTAINER), "")


def swaps(spec: NetworkSpec, pods: Iterable[NodePod]) -> list[Swap]:
    """The pods that do not run the image that is asked for of their node, by ordinal."""
    wanted = {each.ordinal: each.image for each in spec.node_overrides if each.image}
    found = (_swap(pod, wanted.get(pod.ordinal)) for pod in pods if pod.image and not pod.terminating)
    return [each for each in found if each is not None]


def _swap(pod: NodePod, wanted: str | None) -> Swap | None:
    own = pod.own_image or pod.image
    image = wanted or own
    if image == pod.image:
        return None
    return Swap(pod, image, None if image == own else own)
