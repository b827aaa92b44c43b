"""What happens to a network in good order. Each is over when every pod that had to be replaced has been."""

from __future__ import annotations

from collections.abc import Callable

from btcctl.errors import NotFound, TooManyRequests
from btcctl.objects import ObjectKey
from tests.chains.network import KEY, STATEFUL_SET, Network

Change = Callable[[Network], None]


def credentials(network: Network) -> None:
    """Other credentials in the Secret: the operator replaces the pods."""
    before = network.uids()
    network.change_credentials()
    _wait_replaced(network, before)


def restart(network: Network) -> None:
    """`kubectl rollout restart`."""
    before = network.uids()
    _annotate(network, f"restarted after {min(before)}")
    _wait_replaced(network, before)


def image(network: Network) -> None:
    """The operator is started again with another image for the nodes."""
    before = network.uids()
    network.stop_operator()
    network.image += "-next"
    network.start_operator()
    _wait_replaced(network, before)


def upgrade(network: Network) -> None:
    """The operator is replaced while it is replacing the pods."""
    before = network.uids()
    _annotate(network, f"upgraded after {min(before)}")
    network.wait_until(lambda: bool(network.uids() - before), "the first pod to be replaced")
    network.stop_operator()
    network.start_operator()
    _wait_replaced(network, before)


def drain(network: Network) -> None:
    """Every pod is evicted, each as soon as the budget lets it go, as `kubectl drain` does."""
    for ordinal in range(network.shape.nodes):
        before = network.uids()
        name = network.pod_name(ordinal)
        network.wait_until(lambda name=name: _evict(network, name), f"{name} to be evicted")  # type: ignore[misc]
        network.wait_until(lambda before=before: bool(network.uids() - before), f"{name} to be replaced")  # type: ignore[misc]
    _wait_ready(network)


def deletion(network: Network) -> None:
    """All pods but one are deleted at once."""
    before = network.uids()
    for ordinal in range(1, network.shape.nodes):
        network.pods.delete(ObjectKey(KEY.namespace, network.pod_name(ordinal)))
    network.wait_until(lambda: len(network.uids() - before) == network.shape.nodes - 1, "new pods")
    _wait_ready(network)


CHANGES: dict[str, Change] = {each.__name__: each for each in (credentials, restart, image, upgrade, drain, deletion)}


def twice(network: Network) -> None:
    """Other credentials, and others again once the first pod has been replaced for those before."""
    before = network.uids()
    network.change_credentials()
    network.wait_until(lambda: bool(network.uids() - before), "the first pod to be replaced")
    network.change_credentials()
    _wait_replaced(network, before)


def remade(network: Network) -> None:
    """The Secret is deleted, and made anew as it was: nobody is replaced."""
    before = network.uids()
    network.delete_secret()
    network.wait_until(lambda: _reason(network) == "SecretNotFound", "the Secret to be missed")
    network.make_secret()
    _wait_ready(network)
    assert network.uids() == before


def left_behind(network: Network) -> None:
    """`kubectl delete statefulset --cascade=orphan`: the next one takes the pods over, and replaces none."""
    pods, uid = network.uids(), network.sets.get(STATEFUL_SET).uid
    network.sets.delete(STATEFUL_SET, propagation_policy="Orphan")
    network.wait_until(lambda: network.sets.get(STATEFUL_SET).uid != uid, "another StatefulSet")
    _wait_ready(network)
    assert network.uids() == pods


def overtaken(network: Network) -> None:
    """`spec` is edited while pods are replaced for what it said before."""
    before = network.uids()
    for number in range(3):
        network.networks.patch(KEY, {"spec": {"config": [f"uacomment=edit-{number}"]}})
        network.wait_until(lambda: bool(network.uids() - before), "the first pod to be replaced")
    _wait_replaced(network, before)


#: What nobody means to do to a network.
MISHAPS: dict[str, Change] = {each.__name__: each for each in (twice, remade, left_behind, overtaken)}


def containers(network: Network) -> None:
    """The processes of all pods are killed at once; their kubelet starts others."""
    for ordinal in range(network.shape.nodes):
        network.restart_quietly(ordinal)
    _wait_ready(network)


def scale_down_and_up(network: Network) -> None:
    """To one node fewer, and back."""
    nodes = network.shape.nodes
    network.scale(nodes - 1)
    network.wait_until(lambda: len(network.uids()) == nodes - 1, "one pod fewer")
    network.scale(nodes)
    _wait_ready(network)


def all_at_once(network: Network) -> None:
    """All pods are deleted: this the chain does not survive."""
    before = network.uids()
    for ordinal in range(network.shape.nodes):
        network.pods.delete(ObjectKey(KEY.namespace, network.pod_name(ordinal)))
    network.wait_until(lambda: not network.uids() & before, "new pods")
    _wait_ready(network)


def _annotate(network: Network, text: str) -> None:
    annotations = {"kubectl.kubernetes.io/restartedAt": text}
    network.sets.patch(STATEFUL_SET, {"spec": {"template": {"metadata": {"annotations": annotations}}}})


def _evict(network: Network, name: str) -> bool:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": KEY.namespace}}
    try:
        network.pods.subresource_post(ObjectKey(KEY.namespace, name), "eviction", body)
    except TooManyRequests:
        return False
    except NotFound:  # it is being replaced
        return False
    return True


def _wait_replaced(network: Network, before: set[str]) -> None:
    network.wait_until(lambda: not network.uids() & before, "all pods to be replaced")
    _wait_ready(network)


def _wait_ready(network: Network) -> None:
    network.wait_until(network.is_ready, "the network to be ready again")


def _reason(network: Network) -> str:
    ready = network.status.condition("Ready")
    return "" if ready is None else ready.reason
