"""What a person is told to try in a sandbox that is up."""

from __future__ import annotations

from pathlib import Path

_ADVICE = """
It stays up until Ctrl-C. In another terminal:

  export KUBECONFIG={kubeconfig}
  btcctl status {name}
  btcctl mine {name} 101
  kubectl get bitcoinnetworks,statefulsets,pods,services
  kubectl describe bitcoinnetwork {name}
  kubectl scale bitcoinnetwork {name} --replicas={more}
  kubectl delete pod {name}-sts-1
"""
_LOGS = """\
  kubectl logs {name}-sts-0
  kubectl exec {name}-sts-0 -- bitcoin-cli -regtest getblockchaininfo
"""
_LOG_FILES = """
The nodes' logs: {logs_at}/*/bitcoind/0.log
"""
_KEPT = """
All of it is kept in {kept_in}, and comes back with `btcctl sandbox --state {kept_in}`.
"""


def advice(kubeconfig: Path, name: str, *, more: int, logs_at: Path | None = None, kept_in: Path | None = None) -> str:
    """Lines to try.

    Args:
        name: Of the network.
        more: How many nodes to scale it to.
        logs_at: Where the pods' directories are, if kubectl shows no logs: kube-apiserver asks a kubelet for them, on a
            port that ours does not have.
        kept_in: The directory that outlives the sandbox.
    """
    text = _ADVICE + (_LOGS if logs_at is None else _LOG_FILES) + (_KEPT if kept_in is not None else "")
    return text.format(kubeconfig=kubeconfig, name=name, more=more, logs_at=logs_at, kept_in=kept_in)
