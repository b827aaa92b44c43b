"""Sees to what one network consists of. What the API server refuses of it holds up nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from btcctl.bitcoin.children import (
    build_disruption_budget,
    build_exposed_service,
    build_service,
    build_stateful_set,
    exposed_service_name,
    stateful_set_name,
)
from btcctl.bitcoin.cluster import Cluster
from btcctl.bitcoin.credentials import CredentialsProblem, KnownCredentials
from btcctl.bitcoin.ensure import Child, ChildKeeper, Children
from btcctl.bitcoin.images import Swap, swaps
from btcctl.bitcoin.mesh import MeshReport
from btcctl.bitcoin.pod_problems import stable
from btcctl.bitcoin.pod_template import ChildOptions
from btcctl.bitcoin.pods import NodePod, secret_version_of
from btcctl.bitcoin.quotes import gist
from btcctl.bitcoin.refusals import Attempts
from btcctl.bitcoin.rotation import NO_SECRET, must_replace_pods, secret_named, secret_version
from btcctl.bitcoin.status import NORMAL, WARNING, Notice
from btcctl.bitcoin.types import BitcoinNetwork
from btcctl.controller.writing.contention import Contention
from btcctl.objects import Object, ObjectKey
from btcctl.resources import PODS


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Of one network, for one reconcile.

    Attributes:
        options: What pods look like.
        object: The network as it was read.
        contention: What was written for it.
        attempts: Takes what is refused.
        replicas: How many pods there are to be for now, by the StatefulSet that there is.
        told: By child, why it could not be written last: that it still cannot is no news.
    """

    cluster: Cluster
    options: ChildOptions
    object: Object
    network: BitcoinNetwork
    contention: Contention
    attempts: Attempts
    replicas: Callable[[Object], int]
    told: dict[str, str]

    def ensure(self, credentials: KnownCredentials | CredentialsProblem) -> Children:
        """Make or repair the children.

        Raises:
            Conflict: Somebody else was faster.
            ApiError: The API server fails.
        """
        service = self._ensure(self.cluster.services, build_service(self.network, self.options))
        key = ObjectKey(self.network.namespace, stateful_set_name(self.network.name))
        stateful_set = self._ensure_stateful_set(self.cluster.stateful_sets.find(key), credentials)
        exposed = self._ensure_exposed()
        budgets = self.cluster.disruption_budgets
        budget = Child() if budgets is None else self._ensure(budgets, build_disruption_budget(self.network))
        if service.created and stateful_set.created:
            self._tell(Notice(NORMAL, "NetworkCreated", f"created a network of {self.network.spec.nodes} nodes"))
        return Children(service, stateful_set, budget, exposed)

    def rotate(
        self, children: Children, pods: Sequence[NodePod], report: MeshReport, credentials: KnownCredentials
    ) -> Children:
        """Replace the pods, one after the other, if they have other credentials than the Secret.

        Raises:
            Conflict: Somebody else was faster.
            ApiError: The API server fails.
        """
        found = children.stateful_set.object
        if found is None or not must_replace_pods(
            pods, report.failures, template_version=secret_version(found), secret_version=credentials.version
        ):
            return children
        desired = self._stateful_set(found, credentials.version)
        replaced = self._ensure(self.cluster.stateful_sets, desired, found)
        if secret_version(replaced.object) == credentials.version:
            message = f'Secret "{credentials.secret}" has other credentials than the nodes: replacing them one by one'
            self._tell(Notice(NORMAL, "CredentialsRotating", message))
        return replace(children, stateful_set=replaced)

    def swap_images(self, pods: Sequence[NodePod]) -> list[str]:
        """Give pods the images that are asked for of their nodes; return what somebody else keeps changing back.

        Raises:
            ApiError: The API server fails.
        """
        return [self.attempts(partial(self._swap, swap), "") for swap in swaps(self.network.spec, pods)]

    def _swap(self, swap: Swap) -> str:
        if self.cluster.swap_image(self.object.namespace, swap, self.contention):
            message = f"node {swap.pod.ordinal} gets the image {swap.image} in place of {swap.pod.image}"
            self._tell(Notice(NORMAL, "ImageChanged", message))
        return self.contention.dispute_of(PODS, ObjectKey(self.object.namespace, swap.pod.name))

    def _ensure(self, keeper: ChildKeeper, desired: dict[str, Any], found: Object | None = None) -> Child:
        found = found or keeper.find(ObjectKey(self.network.namespace, desired["metadata"]["name"]))
        return self.attempts(partial(self._ensured, keeper, desired, found), Child(found))

    def _ensured(self, keeper: ChildKeeper, desired: dict[str, Any], found: Object | None) -> Child:
        which = f"{desired['kind']} {desired['metadata']['name']}"
        child = keeper.ensure(self.object, desired, found, partial(self._tell_news, which), self.contention)
        self.told.pop(which, None)
        return child

    def _tell_news(self, which: str, notice: Notice) -> None:
        if notice.type == WARNING:
            before, self.told[which] = self.told.get(which), gist(stable(notice.message))
            if before == self.told[which]:
                return
        self._tell(notice)

    def _ensure_exposed(self) -> Child:
        expose = self.network.spec.expose
        if expose is not None:
            return self._ensure(self.cluster.services, build_exposed_service(self.network, self.options, expose))
        name = exposed_service_name(self.network.name)
        remove = partial(self.cluster.services.remove, self.object, name, self._tell, self.contention)
        self.attempts(remove, None)
        return Child()

    def _ensure_stateful_set(self, found: Object | None, credentials: KnownCredentials | CredentialsProblem) -> Child:
        if found is not None:
            child = self._ensure(self.cluster.stateful_sets, self._settled_set(found, credentials), found)
            self._tell_of_another_secret(found, child, credentials)
            return child
        if isinstance(credentials, KnownCredentials):
            version = self._version_of_orphans() or credentials.version
        elif credentials.blocks_pods:
            return Child(pending=True)
        else:
            version = ""
        return self._ensure(self.cluster.stateful_sets, self._stateful_set(found, version), found)

    def _settled_set(self, found: Object, credentials: KnownCredentials | CredentialsProblem) -> dict[str, Any]:
        """What is wanted of a StatefulSet that there is.

        Another Secret is taken together with its mark, so that pods are replaced once for it; and only when they
        could start with it: until then they keep what they have.
        """
        version, before, wanted = secret_version(found), secret_named(found), self.network.spec.secret
        if wanted is None:
            return self._stateful_set(found, version and NO_SECRET)
        has_another = version in {"", NO_SECRET} if before is None else before != wanted
        if has_another and isinstance(credentials, KnownCredentials):
            return self._stateful_set(found, credentials.version)
        if has_another and isinstance(credentials, CredentialsProblem) and credentials.blocks_pods:
            return self._stateful_set(found, version, self.network.with_secret(before))
        return self._stateful_set(found, version)

    def _tell_of_another_secret(
        self, found: Object, child: Child, credentials: KnownCredentials | CredentialsProblem
    ) -> None:
        name = self.network.spec.secret
        if name is None or secret_named(found) == name or not isinstance(credentials, KnownCredentials):
            return
        if secret_version(child.object) == credentials.version:
            message = f'nodes take their credentials from Secret "{name}" now: replacing them one by one'
            self._tell(Notice(NORMAL, "CredentialsRotating", message))

    def _stateful_set(
        self, found: Object | None, version: str, network: BitcoinNetwork | None = None
    ) -> dict[str, Any]:
        desired = build_stateful_set(network or self.network, self.options, version)
        if found is not None:
            desired["spec"]["replicas"] = self.replicas(found)
        return desired

    def _version_of_orphans(self) -> str:
        """Of pods that a StatefulSet has left behind: the next one takes them over, and need not replace them."""
        pods = self.cluster.pods(ObjectKey(self.network.namespace, self.network.name))
        orphans = (pod for pod in pods if pod.controller is None and pod.deletion_timestamp is None)
        return next((each for pod in orphans if (each := secret_version_of(pod))), "")

    def _tell(self, notice: Notice) -> None:
        self.cluster.tell(self.object, notice)
