"""Methods that ask about the chain, and the one that mines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from btcctl.clock import Clock
from btcctl.sandbox.simnode.chain.block import BITS, DIFFICULTY, TARGET, from_hex, to_hex
from btcctl.sandbox.simnode.chain.chain import Entry, InvalidBlock
from btcctl.sandbox.simnode.chain.coins import reward_txid, transactions_of
from btcctl.sandbox.simnode.chain.ledger import Ledger
from btcctl.sandbox.simnode.chain.payout import is_address
from btcctl.sandbox.simnode.rpc.jsonrpc import (
    INVALID_ADDRESS_OR_KEY,
    INVALID_PARAMETER,
    METHOD_NOT_FOUND,
    MISC_ERROR,
    RpcError,
)
from btcctl.sandbox.simnode.rpc.signatures import HIDDEN, Method, Parameter

_BLOCKS_BETWEEN_BREATHS = 100
_TYPICAL_BLOCKS_PER_DAY = 144


@dataclass(frozen=True, slots=True)
class SimulatedChain:
    """Which chain the node says it is on. Of all chains the blocks are simulated as on regtest.

    Attributes:
        name: regtest, signet or testnet4.
        challenge: Of the signet, in hexadecimal; "" on other chains.
    """

    name: str = "regtest"
    challenge: str = ""

    @property
    def mines_at_will(self) -> bool:
        """Elsewhere a block takes more work than `generatetoaddress` does, or a signature."""
        return self.name == "regtest"

    @property
    def segwit_prefix(self) -> str:
        return "bcrt" if self.name == "regtest" else "tb"


REGTEST = SimulatedChain()


class ChainMethods:
    """Blockchain and mining.

    Args:
        ledger: The chain.
        announce: Tells the peers about a new tip.
        clock: For the progress of catching up.
        warnings: Shown in `getblockchaininfo`.
        which: The chain.
    """

    def __init__(
        self,
        ledger: Ledger,
        announce: Callable[[], None],
        clock: Clock,
        warnings: list[str],
        which: SimulatedChain = REGTEST,
    ) -> None:
        self._ledger = ledger
        self._chain = ledger.chain
        self._announce = announce
        self._clock = clock
        self._warnings = warnings
        self._which = which
        # Answered, though it is gone: with the words that send people to what there is now.
        self._replaced = Method(
            "generate",
            "has been replaced by the -generate cli option. Refer to -help for more information.",
            self._refuse_to_generate,
            group=HIDDEN,
        )

    def table(self) -> list[Method]:
        blocks, mining = "Blockchain", "Mining"
        header = [Parameter("blockhash", "string"), Parameter("verbose", "bool", is_required=False)]
        generate = [
            Parameter("nblocks", "number"),
            Parameter("address", "string"),
            Parameter("maxtries", "number", is_required=False),
        ]
        return [
            Method("getbestblockhash", "Hash of the tip of the active chain.", self._best_block_hash, group=blocks),
            Method("getblockchaininfo", "The state of the chain.", self.blockchain_info, group=blocks),
            Method("getblockcount", "Height of the active chain.", lambda: self._chain.tip.height, group=blocks),
            Method(
                "getblockhash",
                "Hash of the active block of a height.",
                self._block_hash,
                [Parameter("height", "number")],
                blocks,
            ),
            Method(
                "getblockheader",
                "A block's header, described or (verbose=false) in hexadecimal.",
                self._block_header,
                header,
                blocks,
            ),
            Method(
                "getblock",
                "A block: its header described, and the ids of its transactions.",
                self._block,
                [Parameter("blockhash", "string"), Parameter("verbosity", "number", is_required=False)],
                blocks,
            ),
            Method("getchaintips", "The end of every known branch.", self._chain_tips, group=blocks),
            self._replaced,
            Method("generatetoaddress", "Mine blocks at once; returns their hashes.", self._generate, generate, mining),
        ]

    def _best_block_hash(self) -> str:
        return self._chain.tip.block.hash_hex

    def blockchain_info(self) -> dict[str, Any]:
        """`getblockchaininfo`, which REST serves too."""
        tip = self._chain.tip
        is_behind = self._ledger.is_initial_download()
        return {
            "chain": self._which.name,
            "blocks": tip.height,
            "headers": tip.height,
            "bestblockhash": tip.block.hash_hex,
            **_difficulty_fields(),
            "time": tip.block.time,
            "mediantime": self._chain.median_time(tip),
            "verificationprogress": self._progress(tip) if is_behind else 1,
            "initialblockdownload": is_behind,
            "chainwork": f"{tip.work:064x}",
            "size_on_disk": self._chain.size_bytes,
            "pruned": False,
            **({"signet_challenge": self._which.challenge} if self._which.challenge else {}),
            "warnings": self._warnings,
        }

    def _progress(self, tip: Entry) -> float:
        days_behind = (self._clock.wall_time().timestamp() - tip.block.time) / 86400
        return (tip.height + 1) / (tip.height + 1 + max(0.0, days_behind) * _TYPICAL_BLOCKS_PER_DAY)

    def _block_hash(self, height: float) -> str:
        entry = self._chain.at(int(height))
        if entry is None:
            raise RpcError(INVALID_PARAMETER, "Block height out of range")
        return entry.block.hash_hex

    def _block_header(self, blockhash: str, verbose: bool | None) -> str | dict[str, Any]:
        entry = self._chain.find(_parse_hash(blockhash, "hash"))
        if entry is None:
            raise RpcError(INVALID_ADDRESS_OR_KEY, "Block not found")
        if verbose is False:
            return entry.block.header.hex()
        block, is_active = entry.block, self._chain.is_active(entry)
        following = self._chain.at(entry.height + 1) if is_active else None
        return {
            "hash": block.hash_hex,
            "confirmations": self._chain.tip.height - entry.height + 1 if is_active else -1,
            "height": entry.height,
            "version": block.version,
            "versionHex": f"{block.version:08x}",
            "merkleroot": to_hex(block.merkle_root),
            "time": block.time,
            "mediantime": self._chain.median_time(entry),
            "nonce": block.nonce,
            **_difficulty_fields(),
            "chainwork": f"{entry.work:064x}",
            "nTx": 1 + len(block.transactions),
            **({"previousblockhash": to_hex(block.previous)} if entry.height else {}),
            **({"nextblockhash": following.block.hash_hex} if following else {}),
        }

    def _block(self, blockhash: str, verbosity: float | None) -> str | dict[str, Any]:
        entry = self._chain.find(_parse_hash(blockhash, "blockhash"))
        if entry is None:
            raise RpcError(INVALID_ADDRESS_OR_KEY, "Block not found")
        if verbosity not in {None, 1}:
            raise RpcError(INVALID_PARAMETER, "a simulated node describes blocks with verbosity 1 alone")
        block = entry.block
        ids = [reward_txid(block), *(each.txid for each in transactions_of(block))]
        header = self._block_header(blockhash, verbose=True)
        return {**header, "size": block.size_bytes, "tx": ids} if isinstance(header, dict) else header

    def _chain_tips(self) -> list[dict[str, Any]]:
        return [
            {
                "height": entry.height,
                "hash": entry.block.hash_hex,
                "branchlen": entry.height - self._chain.fork_of(entry).height,
                "status": "active" if entry is self._chain.tip else "valid-fork",
            }
            for entry in self._chain.leaves()
        ]

    def _refuse_to_generate(self) -> None:
        raise RpcError(METHOD_NOT_FOUND, self._replaced.help_text)

    async def _generate(self, nblocks: float, address: str, _max_tries: float | None) -> list[str]:
        if not is_address(address, self._which.segwit_prefix):
            raise RpcError(INVALID_ADDRESS_OR_KEY, "Error: Invalid address")
        hashes: list[str] = []
        if not self._which.mines_at_will:
            return hashes  # as bitcoind, which gives up after -maxtries
        for number in range(1, int(nblocks) + 1):
            hashes.append(self._mine(address))
            if number % _BLOCKS_BETWEEN_BREATHS == 0:
                self._announce()
                await asyncio.sleep(0)
        self._announce()
        return hashes

    def _mine(self, address: str) -> str:
        try:
            return self._ledger.generate(address).hash_hex
        except InvalidBlock as error:  # so many at once that their times run two hours ahead
            raise RpcError(MISC_ERROR, f"CreateNewBlock: {error}") from error


def _difficulty_fields() -> dict[str, Any]:
    return {"bits": f"{BITS:08x}", "target": f"{TARGET:064x}", "difficulty": DIFFICULTY}


def _parse_hash(text: str, name: str) -> bytes:
    if len(text) != 64:
        raise RpcError(INVALID_PARAMETER, f"{name} must be of length 64 (not {len(text)}, for '{text}')")
    try:
        return from_hex(text)
    except ValueError as error:
        raise RpcError(INVALID_PARAMETER, f"{name} must be hexadecimal string (not '{text}')") from error
