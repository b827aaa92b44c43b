"""Whether networks have what they need: Secrets that may be read, images that come, addresses that can be reached."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from btcctl.bitcoin.children import NETWORK_LABEL
from btcctl.bitcoin.doctor.diagnosis import ERROR, OK, WARNING, Diagnosis
from btcctl.bitcoin.doctor.rights import SERVICE_ACCOUNT, Rule, missing_of, who_we_are
from btcctl.bitcoin.pod_template import PASSWORD_KEY, USER_KEY
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.errors import NotFound
from btcctl.names import is_object_name
from btcctl.objects import Object, ObjectKey
from btcctl.resources import PODS, SECRETS
from btcctl.rest.client import ApiClient

CONNECT_SECONDS: Final = 2.0
MOST_NODES: Final = 30  #: so many are tried, one after the other
RPC_PORT: Final = 18443
_PULL_PROBLEMS = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
_SHOWN = 100  # characters of a name that can be none
Connect = Callable[[str, int], str]  #: takes an address and a port; returns why it cannot be reached, or ""


def check_secrets(client: ApiClient, namespaces: Sequence[str], account: str) -> Iterator[Diagnosis]:
    """
    Args:
        account: "namespace:name" of the controller's ServiceAccount, for the commands that are printed, unless we are
            one ourselves.
    """
    ours = who_we_are(client)
    account = ours.removeprefix(SERVICE_ACCOUNT) if ours.startswith(SERVICE_ACCOUNT) else account
    named = {(each.namespace, _secret(each)) for each in _listed(client, BITCOIN_NETWORKS, namespaces)}
    found = sorted((namespace, name) for namespace, name in named if name)
    for namespace, name in found:
        yield _secret_diagnosis(client, namespace, name, account)
    if not found:
        yield Diagnosis("secrets", OK, "no network names one")


def _secret_diagnosis(client: ApiClient, namespace: str, name: str, account: str) -> Diagnosis:
    what = f"Secret {namespace}/{name}"
    if not is_object_name(name):  # by an older definition; in no command that people copy
        cure = "name in spec.secret of the network one that there can be: lower-case letters, digits, hyphens and dots"
        return Diagnosis("secrets", ERROR, f"no Secret can be called {name[:_SHOWN]!r}, in namespace {namespace}", cure)
    if missing_of(client, namespace, Rule("", "secrets", ("get",), name)) is not None:
        role = f"bitcoin-secret-{name}"
        cure = (
            f"kubectl -n {namespace} create role {role} --verb=get --resource=secrets --resource-name={name}\n"
            f"kubectl -n {namespace} create rolebinding {role} --role={role} --serviceaccount={account}"
        )
        return Diagnosis("secrets", ERROR, f"{what} may not be read", cure)
    keys = " ".join(f"--from-literal={key}=…" for key in (USER_KEY, PASSWORD_KEY))
    cure = f"kubectl -n {namespace} create secret generic {name} {keys}"
    try:
        data = client.resource(SECRETS).get(ObjectKey(namespace, name)).body().get("data") or {}
    except NotFound:
        return Diagnosis("secrets", ERROR, f"there is no {what}", cure)
    missing = [key for key in (USER_KEY, PASSWORD_KEY) if key not in data]
    del data
    if missing:
        return Diagnosis("secrets", ERROR, f"{what} has no {' and no '.join(missing)}", cure)
    return Diagnosis("secrets", OK, f"{what} is there, and may be read")


def check_images(client: ApiClient, namespaces: Sequence[str]) -> Iterator[Diagnosis]:
    """Whether the kubelets get the images of the nodes."""
    problems: dict[str, list[str]] = {}
    pods = _pods(client, namespaces)
    for pod in pods:
        for image, reason in _pull_problems(pod):
            problems.setdefault(f"{reason}: {image}", []).append(str(pod.key))
    for problem, where in problems.items():
        cure = (
            "import the image on the machines, or name one that they can pull: --node-image, the chart's nodeImage;\n"
            f"kubectl -n {where[0].partition('/')[0]} describe pod {where[0].partition('/')[2]} has the runtime's words"
        )
        yield Diagnosis("images", ERROR, f"{problem} ({len(where)} pods, {where[0]} first)", cure)
    if not problems:
        yield Diagnosis("images", OK, f"no pod of {len(pods)} waits for its image")


def check_reach(client: ApiClient, namespaces: Sequence[str], connect: Connect | None = None) -> Iterator[Diagnosis]:
    """Whether RPC reaches the nodes from here."""
    connect = connect or try_to_connect
    targets = [(pod, address, _rpc_port(pod)) for pod in _pods(client, namespaces) if (address := _address(pod))]
    families = sorted({family for pod, _, _ in targets for family in _families(pod)})
    failures = [
        (pod, address, port, why) for pod, address, port in targets[:MOST_NODES] if (why := connect(address, port))
    ]
    for pod, address, port, why in failures:
        cure = (
            "if this is no pod of the cluster, ask from one: "
            "kubectl -n bitcoin-controller exec deployment/bitcoin-controller -- btcctl doctor, or helm test\n"
            f"else look for a NetworkPolicy: kubectl -n {pod.namespace} get networkpolicies"
        )
        yield Diagnosis("reach", ERROR, f"{pod.key} at {address} port {port}: {why}", cure)
    if not targets:
        yield Diagnosis("reach", OK, "no node has an address yet")
    elif not failures:
        tried = min(len(targets), MOST_NODES)
        yield Diagnosis(
            "reach", OK, f"{tried} of {len(targets)} nodes tried, all answer; they have {' and '.join(families)}"
        )
    for network in _torn([pod for pod, _, _ in targets]):
        message = f"some nodes of {network} have IPv4 addresses and some IPv6: they cannot be each other's peers"
        yield Diagnosis("reach", WARNING, message)


def try_to_connect(address: str, port: int) -> str:
    """Connect and hang up."""
    try:
        socket.create_connection((address, port), CONNECT_SECONDS).close()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _listed(client: ApiClient, type_: Any, namespaces: Sequence[str], **options: Any) -> list[Object]:
    return [each for namespace in namespaces or ("",) for each in client.resource(type_, namespace).list(**options)[0]]


def _pods(client: ApiClient, namespaces: Sequence[str]) -> list[Object]:
    return _listed(client, PODS, namespaces, label_selector=NETWORK_LABEL)


def _secret(network: Object) -> str:
    return str((network.body().get("spec") or {}).get("secret") or "")


def _address(pod: Object) -> str:
    status = pod.body().get("status") or {}
    return str(status.get("podIP") or "") if status.get("phase") == "Running" else ""


def _families(pod: Object) -> frozenset[str]:
    status = pod.body().get("status") or {}
    found = (status.get("podIP"), *(each.get("ip") for each in status.get("podIPs") or ()))
    return frozenset("IPv6" if ":" in address else "IPv4" for address in found if address)


def _torn(pods: Sequence[Object]) -> list[ObjectKey]:
    """Networks whose nodes have no family of addresses in common."""
    common: dict[ObjectKey, frozenset[str]] = {}
    for pod in pods:
        key = ObjectKey(pod.namespace, pod.labels.get(NETWORK_LABEL, ""))
        common[key] = common.get(key, _families(pod)) & _families(pod)
    return sorted(key for key, families in common.items() if not families)


def _rpc_port(pod: Object) -> int:
    containers = (pod.body().get("spec") or {}).get("containers") or []
    ports = [port for each in containers for port in each.get("ports") or () if port.get("name") == "rpc"]
    return int(ports[0]["containerPort"]) if ports else RPC_PORT


def _pull_problems(pod: Object) -> Iterator[tuple[str, str]]:
    status = pod.body().get("status") or {}
    for each in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        reason = ((each.get("state") or {}).get("waiting") or {}).get("reason")
        if reason in _PULL_PROBLEMS:
            yield str(each.get("image", "")), reason
