from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from btcctl.sandbox.simnode.chain.block import Block
from btcctl.sandbox.simnode.chain.chain import InvalidBlock
from btcctl.sandbox.simnode.chain.ledger import Ledger
from btcctl.sandbox.simnode.chain.mempool import Refused
from btcctl.sandbox.simnode.chain.transaction import COIN, OutPoint, Output, Transaction, decode, make, subsidy
from tests.unit.sandbox.simnode.chain.money import ALICE, BOB, NOBODY, balance, coins_of, ledger, payment


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Ledger]:
    """Alice has a coin that can be spent, and a hundred that cannot yet."""
    with closing(ledger(tmp_path, blocks=101)) as made:
        yield made


@pytest.fixture
def other(books: Ledger, tmp_path: Path) -> Iterator[Ledger]:
    """Another node that has all blocks of this one."""
    with closing(ledger(tmp_path, "other")) as made:
        for block in books.chain.after([], 10_000):
            made.add(block)
        yield made


def test_a_block_pays_its_miner_less_after_each_halving() -> None:
    assert [subsidy(height) // COIN for height in (0, 1, 149, 150, 300)] == [0, 50, 50, 25, 12]


def test_a_transaction_moves_coins_once_it_is_in_a_block_and_its_fee_goes_to_the_miner(books: Ledger) -> None:
    transaction = payment(coins_of(ALICE, books)[0], fee=COIN)
    assert books.mempool.add(transaction)
    block = books.generate(NOBODY)
    assert [decode(text).txid for text in block.transactions] == [transaction.txid]
    assert (balance(BOB, books), balance(NOBODY, books)) == (49.0, 51.0)
    assert len(books.mempool) == 0


def test_a_transaction_may_spend_what_another_one_that_waits_makes(books: Ledger) -> None:
    first = payment(coins_of(ALICE, books)[0])
    books.mempool.add(first)
    second = payment(coins_of(BOB, books)[0], NOBODY)
    books.mempool.add(second)
    assert len(books.generate(ALICE).transactions) == 2
    assert balance(BOB, books) == 0


def test_a_transaction_that_waits_already_is_no_news(books: Ledger) -> None:
    transaction = payment(coins_of(ALICE, books)[0])
    assert [books.mempool.add(transaction) for _ in range(2)] == [True, False]


def test_what_cannot_be_spent_is_refused_in_the_words_of_a_real_node(books: Ledger) -> None:
    ripe, *_, green = coins_of(ALICE, books)
    books.mempool.add(payment(ripe))
    for transaction, words in (
        (payment(ripe), "txn-mempool-conflict"),
        (payment(green), "premature-spend-of-coinbase"),
        (make([OutPoint("00" * 32, 0)], [Output(BOB, 1)]), "missingorspent"),
    ):
        with pytest.raises(Refused, match=words):
            books.mempool.add(transaction)
    change = coins_of(BOB, books)[0]
    with pytest.raises(Refused, match="belowout"):
        books.mempool.add(payment(change, fee=-1))


def test_after_a_reorganisation_transactions_of_the_lost_blocks_wait_again(books: Ledger, other: Ledger) -> None:
    transaction = payment(coins_of(ALICE, books)[0])
    books.mempool.add(transaction)
    books.generate(NOBODY)
    for _ in range(2):
        books.add(other.generate(NOBODY))
    assert [each.txid for each in books.mempool] == [transaction.txid]
    assert balance(NOBODY, books) == 100.0


def test_a_transaction_that_a_block_contradicts_waits_no_longer(books: Ledger, other: Ledger) -> None:
    coin = coins_of(ALICE, books)[0]
    books.mempool.add(payment(coin, BOB))
    other.mempool.add(payment(coin, NOBODY))
    books.add(other.generate("miner"))
    assert len(books.mempool) == 0
    assert (balance(BOB, books), balance(NOBODY, books) > 49) == (0, True)


def test_coins_are_the_same_after_a_restart(books: Ledger, tmp_path: Path) -> None:
    books.mempool.add(payment(coins_of(ALICE, books)[0]))
    books.generate(NOBODY)
    books.close()
    with closing(ledger(tmp_path)) as again:
        assert balance(BOB, again) == balance(BOB, books) > 49


def test_a_block_s_transactions_belong_to_its_hash(books: Ledger) -> None:
    books.mempool.add(payment(coins_of(ALICE, books)[0]))
    block = books.generate(NOBODY)
    assert Block.decode(block.encode()) == block
    robbed = Block.decode(block.encode().rpartition(".")[0])
    with pytest.raises(InvalidBlock, match="merkle root"):
        books.chain._check(robbed, books.chain._entries[block.previous], None)


@pytest.mark.parametrize(
    "transaction",
    [
        Transaction((), (Output(BOB, 1),)),
        Transaction((OutPoint("aa", 0),), ()),
        Transaction((OutPoint("aa", 0),), (Output(BOB, 0),)),
        Transaction((OutPoint("aa", 0),), (Output(BOB, 22_000_000 * COIN),)),
        Transaction((OutPoint("aa", 0), OutPoint("aa", 0)), (Output(BOB, 1),)),
    ],
)
def test_a_transaction_that_moves_nothing_that_can_be_is_none(transaction: Transaction) -> None:
    with pytest.raises(ValueError, match=r"moves nothing|twice"):
        decode(transaction.encode())


@pytest.mark.parametrize("text", ["", "zz", "5b5d", "6e756c6c", "ff"])
def test_what_is_no_transaction_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a transaction|hexadecimal"):
        decode(text)
