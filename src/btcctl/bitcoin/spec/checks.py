"""What is wrong with a spec that decodes. Pure.

The API server refuses all of it by `crd.yaml`; this is for a definition that is older, or none of ours.
"""

from __future__ import annotations

from btcctl.bitcoin.spec.chains import DEFAULT_PORTS, REGTEST, SIGNET
from btcctl.bitcoin.spec.config_lines import problem_with_lines
from btcctl.bitcoin.spec.model import NetworkSpec
from btcctl.bitcoin.spec.quantities import parse_quantity
from btcctl.names import is_object_name


def spec_problem(spec: NetworkSpec) -> str | None:
    """Why no network can be made of it, and what to do; None if one can."""
    if (spec.network == SIGNET) != (spec.signet_challenge is not None):
        return "spec.signetChallenge: a signet has one, and no other network does"
    if spec.secret is not None and not is_object_name(spec.secret):
        return "spec.secret: no Secret can have that name: use lower-case letters, digits, hyphens and dots"
    ports = DEFAULT_PORTS[spec.network]
    if (spec.rpc_port or ports.rpc) == (spec.p2p_port or ports.p2p):
        return "spec.p2pPort: must differ from rpcPort; one that is not given is the chain's own"
    if (spec.topology == "edges") != bool(spec.edges):
        return "spec.edges: topology edges has some, and no other topology does"
    if spec.mining is not None and spec.network != REGTEST:
        return "spec.mining: blocks are mined at will on regtest only"
    own_lines = [line for each in spec.node_overrides for line in each.config]
    if own_lines and (problem := problem_with_lines(own_lines)) is not None:
        return f"spec.nodeOverrides: {problem}"
    problem = problem_with_lines(spec.config)
    return f"spec.config: {problem}" if problem is not None else _amounts_problem(spec)


def _amounts_problem(spec: NetworkSpec) -> str | None:
    if spec.resources is None:
        return None
    for kind, amounts in (("requests", spec.resources.requests), ("limits", spec.resources.limits)):
        for name, amount in amounts.items():
            try:
                parse_quantity(amount)
            except ValueError as error:
                return f"spec.resources.{kind}.{name}: {error}"
    return None
