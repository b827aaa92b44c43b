"""Whether the nodes have the credentials that the Secret says. Pure.

Nothing is stored from which a password could be guessed. A node that answers 401 to what the Secret says now was
started with something else, and its pod has to be replaced; that holds whenever the Secret was changed, and however
often only its metadata was. The pods' template carries the version of the Secret at which they were last replaced:
another value replaces them, one after the other, and a pod that has the value already is not replaced again for
the same version, whatever its node answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from btcctl.bitcoin.children import SECRET_VERSION_ANNOTATION
from btcctl.bitcoin.pod_template import PASSWORD_KEY
from btcctl.bitcoin.pods import NodePod
from btcctl.bitcoin.rpc import RpcFailure, RpcUnauthorized
from btcctl.objects import Object

#: The mark of pods without a Secret, where there were such with one before.
NO_SECRET: Final = "none"  # noqa: S105


def must_replace_pods(
    pods: Iterable[NodePod], failures: Mapping[int, RpcFailure], *, template_version: str, secret_version: str
) -> bool:
    """Whether the pods are to be replaced, because one that is up to date has other credentials than the Secret.

    Args:
        failures: By ordinal, what the nodes answered to the Secret's credentials.
        template_version: The version of the Secret that new pods are marked with.
        secret_version: Its version now; "" if there is none.
    """
    if not secret_version or secret_version == template_version:
        return False
    return any(
        pod.secret_version == template_version and not pod.terminating and _refuses(failures.get(pod.ordinal))
        for pod in pods
    )


def outdated(pods: Iterable[NodePod], failures: Mapping[int, RpcFailure], template_version: str) -> frozenset[int]:
    """The ordinals that refuse us, and whose pods are about to be replaced."""
    return frozenset(
        pod.ordinal for pod in pods if pod.secret_version != template_version and _refuses(failures.get(pod.ordinal))
    )


def _refuses(failure: RpcFailure | None) -> bool:
    return isinstance(failure, RpcUnauthorized) and failure.status == 401


def secret_version(stateful_set: Object | None) -> str:
    """Which version of the Secret new pods are marked with; "" if with none."""
    if stateful_set is None:
        return ""
    metadata = stateful_set.decode(_StatefulSet).spec.template.metadata
    return ((metadata and metadata.annotations) or {}).get(SECRET_VERSION_ANNOTATION, "")


def secret_named(stateful_set: Object) -> str | None:
    """Which Secret new pods take their credentials from; None if from none."""
    containers = stateful_set.decode(_StatefulSet).spec.template.spec.containers or []
    names = (each.secret for container in containers for each in container.env or ())
    return next((name for name in names if name is not None), None)


def replicas_asked_for(stateful_set: Object) -> int:
    """How many pods a StatefulSet is to have."""
    replicas = stateful_set.decode(_StatefulSet).spec.replicas
    return 1 if replicas is None else replicas  # as the API server takes it


class _TemplateMeta(msgspec.Struct, gc=False):
    annotations: dict[str, str] | None = None


class _SecretKey(msgspec.Struct, gc=False):
    key: str = ""
    name: str | None = None


class _Source(msgspec.Struct, gc=False, rename="camel"):
    secret_key_ref: _SecretKey | None = None


class _Variable(msgspec.Struct, gc=False, rename="camel"):
    name: str = ""
    value_from: _Source | None = None

    @property
    def secret(self) -> str | None:
        """The Secret that the password comes from, if this is it."""
        found = None if self.value_from is None else self.value_from.secret_key_ref
        return None if found is None or self.name != PASSWORD_KEY else found.name


class _Container(msgspec.Struct, gc=False):
    env: list[_Variable] | None = None


class _PodSpec(msgspec.Struct, gc=False):
    containers: list[_Container] | None = None


class _Template(msgspec.Struct, gc=False):
    metadata: _TemplateMeta | None = None
    spec: _PodSpec = msgspec.field(default_factory=_PodSpec)


class _StatefulSetSpec(msgspec.Struct, gc=False):
    template: _Template
    replicas: int | None = None


class _StatefulSet(msgspec.Struct, gc=False):
    """The little of it that is read several times in each reconcile."""

    spec: _StatefulSetSpec
