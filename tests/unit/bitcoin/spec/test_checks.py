from __future__ import annotations

import pytest

from btcctl.bitcoin.spec.checks import spec_problem
from btcctl.bitcoin.spec.model import Mining, NetworkSpec, NodeOverride, Resources


@pytest.mark.parametrize(
    "spec",
    [
        NetworkSpec(0),
        NetworkSpec(3, network="signet", signet_challenge="51"),
        NetworkSpec(3, rpc_port=18332, config=["txindex=1"], resources=Resources(limits={"memory": "1Gi"})),
    ],
)
def test_what_can_be_built_is_not_complained_of(spec: NetworkSpec) -> None:
    assert spec_problem(spec) is None


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (NetworkSpec(1, network="signet"), "signetChallenge"),
        (NetworkSpec(1, signet_challenge="51"), "signetChallenge"),
        (NetworkSpec(1, rpc_port=2000, p2p_port=2000), "p2pPort"),
        (NetworkSpec(1, rpc_port=18444), "p2pPort"),
        (NetworkSpec(1, network="testnet4", p2p_port=48332), "p2pPort"),
        (NetworkSpec(1, config=["server=0"]), "config"),
        (NetworkSpec(1, resources=Resources(requests={"cpu": "fast"})), "resources.requests.cpu"),
        (NetworkSpec(1, resources=Resources(limits={"memory": "much"})), "resources.limits.memory"),
        (NetworkSpec(1, secret="My Secret"), "secret"),
        (NetworkSpec(1, secret="a" * 254), "secret"),
        (NetworkSpec(2, topology="edges"), "edges"),
        (NetworkSpec(2, topology="ring", edges=[(0, 1)]), "edges"),
        (NetworkSpec(1, network="testnet4", mining=Mining()), "mining"),
        (NetworkSpec(2, node_overrides=[NodeOverride(1, config=["daemon=1"])]), "nodeOverrides"),
    ],
)
def test_what_cannot_is_named_by_its_field(spec: NetworkSpec, field: str) -> None:
    assert str(spec_problem(spec)).startswith(f"spec.{field}: ")
