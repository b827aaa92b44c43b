from __future__ import annotations

import pytest

from btcctl.sandbox.simnode.chain.payout import is_address

# BIP 173 and BIP 350 programs under regtest's prefix, made with Bitcoin Core.
WITNESS_V0 = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


@pytest.mark.parametrize(
    "address",
    [
        WITNESS_V0,
        WITNESS_V0.upper(),
        "bcrt1qlr0g4hg0rfsu9dwzkpac2wrk9txs9wvpvf4mga",
        "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
        "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc",
    ],
)
def test_regtest_addresses_are_known(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "1",
        "bcrt1",
        "bcrt1q",
        WITNESS_V0[:-1] + "q",
        WITNESS_V0.replace("q", "Q", 1),
        WITNESS_V0.replace("bcrt", "bc"),
        "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
        "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
        "R9NVxTj2ewfiTUzAfn7FSsq9kxNt6fjaaZ",
        "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfm",
        "m" * 200,
        "bcrt1" + "q" * 200,
        "schlüssel",
    ],
)
def test_everything_else_is_not(address: str) -> None:
    assert not is_address(address)
