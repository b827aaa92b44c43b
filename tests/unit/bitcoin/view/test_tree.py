from btcctl.bitcoin.view.looking.chains import Chains
from btcctl.bitcoin.view.looking.tree import NEWEST, Branch, draw, heights_to_draw
from btcctl.bitcoin.view.model import Tree
from tests.unit.bitcoin.view.objects import Node, Silent

COMMON = "g" + "m" * 100
LONG, SHORT = COMMON + "aaaa", COMMON + "bb"


def tree_of(nodes: dict, chains: Chains | None = None) -> Tree:
    tips = {ordinal: (len(node.chain) - 1, node.chain) for ordinal, node in nodes.items() if isinstance(node, Node)}
    return (chains or Chains()).tree(tips, nodes.get)


def check_whole(tree: Tree) -> None:
    """Every block hangs on one that is drawn, at the distance that it says, and one does not."""
    by_hash = {block.hash: block for block in tree.blocks}
    lowest = [block for block in tree.blocks if not block.parent]
    assert len(lowest) == 1
    for block in tree.blocks:
        if block.parent:
            assert block.height - by_hash[block.parent].height == block.skipped + 1
            assert block.hash.startswith(block.parent)
    assert {tip.hash for tip in tree.tips} <= by_hash.keys()


def test_one_chain_is_its_newest_blocks():
    tree = tree_of({0: Node(LONG), 1: Node(LONG)})
    assert [tip.nodes for tip in tree.tips] == [[0, 1]]
    assert [block.height for block in tree.blocks] == list(range(len(LONG) - NEWEST, len(LONG)))
    assert tree.blocks[-1].transactions == 1
    check_whole(tree)


def test_a_fork_is_drawn_where_it_parts_with_who_is_on_which_side():
    tree = tree_of({0: Node(LONG), 1: Node(LONG), 2: Node(SHORT)})
    assert [(tip.height, tip.nodes, tip.fork_height) for tip in tree.tips] == [(104, [0, 1], -1), (102, [2], 100)]
    parting = next(block for block in tree.blocks if block.height == 100)
    assert {block.hash for block in tree.blocks if block.parent == parting.hash} == {COMMON + "a", COMMON + "b"}
    check_whole(tree)


def test_a_deep_fork_skips_what_lies_between():
    deep = "g" + "c" * 60
    tree = tree_of({0: Node(LONG), 1: Node(deep)})
    assert tree.tips[1].fork_height == 0
    assert len(tree.blocks) < 25
    assert any(block.skipped > 30 for block in tree.blocks)
    check_whole(tree)


def test_a_node_that_is_merely_behind_is_on_the_chain_of_the_others():
    tree = tree_of({0: Node(LONG), 1: Node(LONG[:60])})
    assert [(tip.height, tip.fork_height) for tip in tree.tips] == [(104, -1), (59, 59)]
    check_whole(tree)


def test_a_branch_that_nobody_is_on_any_more_stays_for_a_while():
    tree = tree_of({0: Node(LONG, SHORT)})
    assert [(tip.height, tip.nodes, tip.fork_height) for tip in tree.tips] == [(104, [0], -1), (102, [], 100)]
    check_whole(tree)


def test_three_branches_hang_together():
    third = COMMON + "ba"
    check_whole(tree_of({0: Node(LONG), 1: Node(SHORT), 2: Node(third)}))


def test_a_chain_of_one_block_is_drawn():
    tree = tree_of({0: Node("g")})
    assert [(block.height, block.parent) for block in tree.blocks] == [(0, "")]


def test_a_block_that_was_mined_costs_a_header_and_nothing_that_was_read_before():
    chains, node = Chains(), Node(LONG)
    tree_of({0: node}, chains)
    node.chain, node.asked = LONG + "a", []
    tree = tree_of({0: node}, chains)
    assert sorted(node.asked) == ["getblockheader", "getchaintips"]
    assert tree.tips[0].height == 105
    check_whole(tree)


def test_nodes_that_say_nothing_leave_the_tips_that_are_known():
    tips = {0: (104, LONG), 1: (102, SHORT)}
    tree = Chains().tree(tips, {0: Silent(), 1: Silent()}.get)
    assert [tip.height for tip in tree.tips] == [104, 102]
    assert Chains().tree({}, {}.get) == Tree()


def test_a_block_in_two_chains_hangs_on_the_nearest_that_is_drawn():
    branches = [Branch("abcd", 3), Branch("abc", 2, (1,), 2)]
    tree = draw(branches, {"abcd": {0: "a", 2: "abc"}, "abc": {1: "ab"}}, {})
    block = next(each for each in tree.blocks if each.hash == "abc")
    assert (block.parent, block.skipped) == ("ab", 0)


def test_the_heights_of_a_branch_begin_where_it_parts():
    assert heights_to_draw(Branch("x", 103, (), 100), ()) == [99, 100, 101, 102, 103]
    assert heights_to_draw(Branch("x", 1), ()) == [0, 1]
