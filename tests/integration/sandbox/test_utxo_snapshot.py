"""A network that begins with a UTXO snapshot, which only Bitcoin Core can load: it knows one of regtest, at block 200.

That block's chain can be made again by anybody, block by block. The snapshot that releases up to 29 know has each
output at one block less than it stands in (chainparams.cpp, m_assumeutxo_data; found out by trying), and so has ours.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from btcctl.objects import ObjectKey
from tests.integration.programs import BITCOIND
from tests.integration.sandbox.test_specs import Networks, heights, sandbox
from tests.integration.support import eventually

GENESIS = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
GENESIS_TIME = 1296688602
EASIEST = 0x207FFFFF
TARGET = 0x7FFFFF << 8 * (0x20 - 3)
BLOCKS = 200
KNOWN = "5e93653318f294fb5aa339d00bbf8cf1c3515488ad99412c37608b139ea63b27"
LAST_THAT_KNOWS_IT = 299999
_HEADER_OF_FILE = 51  # magic, version, network, block, number of outputs
_OUTPOINT = 34  # a transaction, one output of it, the first


def hashed(data: bytes) -> bytes:
    return sha256(sha256(data).digest()).digest()


def coinbase(height: int) -> bytes:
    """The reward, to whoever shows the script "true"."""
    pushed = height.to_bytes(height.bit_length() // 8 + 1, "little")
    number = bytes([0x50 + height]) if height <= 16 else bytes([len(pushed)]) + pushed
    script, paid = number + b"\0", b"\0\x20" + sha256(b"\x51").digest()
    reward = (50 if height < 150 else 25) * 10**8
    spends = struct.pack("<iB32s4sB", 2, 1, bytes(32), b"\xff" * 4, len(script)) + script + b"\xff" * 4
    return spends + struct.pack("<BqB", 1, reward, len(paid)) + paid + bytes(4)


def blocks() -> Iterator[bytes]:
    """The chain of block 200, without the genesis block."""
    before = bytes.fromhex(GENESIS)[::-1]
    for height in range(1, BLOCKS + 1):
        reward = coinbase(height)
        start = struct.pack("<i32s32sII", 4, before, hashed(reward), GENESIS_TIME + height, EASIEST)
        headers = (start + struct.pack("<I", nonce) for nonce in range(2**32))
        header = next(each for each in headers if int.from_bytes(hashed(each), "little") <= TARGET)
        before = hashed(header)
        yield header + b"\1" + reward


def read_number(data: bytes, at: int) -> tuple[int, int]:
    """A number as Core compresses it (serialize.h, VARINT), and where it ends."""
    number = 0
    while True:
        byte, at = data[at], at + 1
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, at
        number += 1


def write_number(number: int) -> bytes:
    written = [number & 0x7F]
    while number > 0x7F:
        number = (number >> 7) - 1
        written.insert(0, number & 0x7F | 0x80)
    return bytes(written)


def as_it_is_known(snapshot: bytes) -> bytes:
    """With each output at one block less; all of them are rewards, of one output each."""
    written, at = bytearray(snapshot[:_HEADER_OF_FILE]), _HEADER_OF_FILE
    while at < len(snapshot):
        written += snapshot[at : at + _OUTPOINT]
        code, at = read_number(snapshot, at + _OUTPOINT)
        written += write_number(code - 2)  # twice the height, and one for a reward
        _, after_amount = read_number(snapshot, at)
        size, script = read_number(snapshot, after_amount)
        written += snapshot[at : script + size - 6]  # the first six sizes stand for kinds of scripts
        at = script + size - 6
    return bytes(written)


def take_snapshot(networks: Networks) -> None:
    """On the volume of the first network's node."""
    networks.make({"nodes": 1, "storage": {"size": "1Gi"}})
    eventually(networks.is_as_it_should_be, 60)
    node = networks.rpc(0)
    if node.call("getnetworkinfo")["version"] > LAST_THAT_KNOWS_IT:
        pytest.skip("later releases know another snapshot")
    for block in blocks():
        assert node.call("submitblock", block.hex()) is None
    written = node.call("dumptxoutset", "utxo.dat", "latest")
    assert written["base_hash"] == KNOWN
    Path(written["path"]).write_bytes(as_it_is_known(Path(written["path"]).read_bytes()))
    networks.networks.patch(networks.key, {"spec": {"suspend": True}})
    eventually(lambda: not networks.network.status.nodes)


def reason(networks: Networks) -> str:
    condition = networks.network.status.condition("Ready")
    return "" if condition is None else condition.reason


@pytest.mark.real_bitcoind
def test_nodes_load_a_snapshot_once_somebody_tells_them_the_headers() -> None:
    for networks in sandbox(BITCOIND):
        take_snapshot(networks)
        networks.key = ObjectKey("default", "second")
        snapshot = {"claimName": "data-tried-sts-0", "path": "regtest/utxo.dat", "format": "utxo"}
        networks.make({"nodes": 2, "snapshot": snapshot})
        eventually(lambda networks=networks: reason(networks) == "HeadersMissing", 60)
        for block in blocks():
            for ordinal in range(2):
                networks.rpc(ordinal).call("submitheader", block[:80].hex())
        eventually(networks.is_as_it_should_be, 90)
        assert heights(networks, 2) == [BLOCKS, BLOCKS]
        condition = networks.network.status.condition("SnapshotLoaded")
        assert (condition.status, condition.reason) == ("True", "Loaded")


def test_a_simulated_node_knows_no_snapshots_and_that_is_said() -> None:
    for networks in sandbox(None):
        networks.make({"nodes": 1, "storage": {"size": "1Gi"}})
        eventually(networks.is_as_it_should_be, 60)
        networks.networks.patch(networks.key, {"spec": {"suspend": True}})
        eventually(lambda networks=networks: not networks.network.status.nodes)
        networks.key = ObjectKey("default", "second")
        networks.make({"nodes": 1, "snapshot": {"claimName": "data-tried-sts-0", "path": "regtest", "format": "utxo"}})
        eventually(lambda networks=networks: reason(networks) == "SnapshotRefused", 60)
