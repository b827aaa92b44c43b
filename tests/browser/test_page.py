"""What the page shows and does, of scenes that are made up."""

from __future__ import annotations

import re

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from btcctl.bitcoin.view.insides import CacheView, Controller, KeyView, QueueView, Step
from btcctl.bitcoin.view.model import (
    AboutChange,
    ConditionView,
    EventsChange,
    Happened,
    StepsChange,
    Summary,
    Tip,
    Tree,
)
from btcctl.bitcoin.view.orders import Outcome
from tests.browser.scene import MadeUp, chain, hash_of, node, now, one_tip, state_of

STATES = ["synced", "behind", "unreachable", "restarting", "ready"]

FORK = Tree(
    [*chain(5), *chain(8, "b", start=6), *chain(7, "c", start=6)],
    [Tip(hash_of(8, "b"), 8, [2, 3, 4]), Tip(hash_of(7, "c"), 7, [0, 1], fork_height=5)],
)


def test_nodes_are_buttons_that_say_their_state_height_and_peers(serve, open_page) -> None:
    page = open_page(serve(MadeUp(state_of([node(0), node(1, state="behind", height=3, peers=2)]))))
    expect(page.get_by_role("button", name="Node 0: synced, height 5, 4 peers")).to_be_visible()
    expect(page.get_by_role("button", name="Node 1: behind, height 3, 2 peers")).to_be_visible()


def test_the_state_of_a_node_is_a_shape_besides_a_colour(serve, open_page) -> None:
    scene = MadeUp(state_of([node(ordinal, state=state) for ordinal, state in enumerate(STATES)]))
    page = open_page(serve(scene))
    expect(page.locator(".node")).to_have_count(5)
    looks = page.locator(".node .shape").evaluate_all(
        """shapes => shapes.map(shape => {
             const style = getComputedStyle(shape, "::before");
             return [style.borderRadius, style.borderStyle, style.borderWidth, style.transform].join();
           })"""
    )
    assert len(set(looks)) == 5


def test_a_change_is_shown_without_a_reload(serve, open_page) -> None:
    scene = MadeUp(state_of([node(0), node(1)]))
    page = open_page(serve(scene))
    expect(page.get_by_role("button", name="Node 1: synced")).to_be_visible()
    scene.tell_nodes([node(1, state="unreachable", peers=0)])
    expect(page.get_by_role("button", name="Node 1: unreachable")).to_be_visible()


def test_the_height_in_the_heading_is_the_nodes_and_goes_up_with_each_block(serve, open_page) -> None:
    scene = MadeUp(state_of([node(0, height=-1), node(1, height=-1)]))
    page = open_page(serve(scene))
    expect(page.locator("#facts")).to_contain_text("height 5")  # the status'
    for height in (6, 7, 3):
        scene.tell_nodes([node(0, height), node(1, height - 1)])
        expect(page.locator("#facts")).to_contain_text(f"height {height}")


def test_two_tips_are_two_branches_with_who_is_on_which(serve, open_page) -> None:
    scene = MadeUp(state_of([node(each) for each in range(5)], tree=one_tip(5)))
    page = open_page(serve(scene))
    expect(page.get_by_role("list", name="Tips").get_by_role("listitem")).to_have_count(1)
    scene.tell_tree(FORK)
    tips = page.get_by_role("list", name="Tips").get_by_role("listitem")
    expect(tips).to_have_count(2)
    expect(tips.filter(has_text="nodes 2–4")).to_contain_text("height 8")
    expect(tips.filter(has_text="nodes 0, 1")).to_contain_text("parts at 5: 2 blocks of its own")
    expect(page.get_by_role("img", name=re.compile("^2 tips: tip . at height 8 with nodes 2–4; tip"))).to_be_visible()


def test_a_branch_keeps_its_letter_when_the_other_one_overtakes_it(serve, open_page) -> None:
    scene = MadeUp(state_of([node(each) for each in range(5)], tree=FORK))
    page = open_page(serve(scene))
    mine = page.get_by_role("list", name="Tips").get_by_role("listitem").filter(has_text="nodes 0, 1")
    expect(mine).to_contain_text("height 7")
    letter = mine.locator(".letter").inner_text()
    blocks = [*chain(5), *chain(8, "b", start=6), *chain(9, "c", start=6)]
    scene.tell_tree(Tree(blocks, [Tip(hash_of(9, "c"), 9, [0, 1]), Tip(hash_of(8, "b"), 8, [2, 3, 4], fork_height=5)]))
    expect(mine).to_contain_text("height 9")
    assert mine.locator(".letter").inner_text() == letter


def test_a_branch_that_nobody_is_on_is_drawn_below_those_that_have_nodes(serve, open_page) -> None:
    tips = [Tip(hash_of(8, "b"), 8, [0, 1]), Tip(hash_of(7, "c"), 7, [], 5)]
    tree = Tree([*chain(5), *chain(8, "b", start=6), *chain(7, "c", start=6)], tips)
    page = open_page(serve(MadeUp(state_of([node(0), node(1)], tree=tree))))
    expect(page.locator(".chain .block")).to_have_count(11)
    tops = page.locator(".chain .block").evaluate_all(
        "all => all.map(each => Math.round(each.getBBox().y + each.getCTM().f))"
    )
    assert len(set(tops)) == 2
    assert tops.count(min(tops)) == 9  # the whole chain that nodes have


def test_who_has_not_got_the_next_block_of_a_branch_is_on_no_branch_of_its_own(serve, open_page) -> None:
    blocks = [*chain(5), *chain(8, "b", start=6), *chain(7, "c", start=6)]
    tips = [Tip(hash_of(8, "b"), 8, [0]), Tip(hash_of(7, "c"), 7, [1], 5), Tip(hash_of(6, "c"), 6, [2], 5)]
    page = open_page(serve(MadeUp(state_of([node(each) for each in range(3)], tree=Tree(blocks, tips)))))
    expect(page.locator("#tips-count")).to_have_text("2 tips")
    expect(page.get_by_role("list", name="Tips").get_by_role("listitem").filter(has_text="node 2")).to_contain_text(
        "behind"
    )


def test_arrow_keys_go_from_node_to_node_and_enter_opens_its_panel(serve, open_page) -> None:
    page = open_page(serve(MadeUp(state_of([node(each) for each in range(4)]))))
    page.get_by_role("button", name="Node 0:").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Node 2:")).to_be_focused()
    page.keyboard.press("Enter")
    panel = page.get_by_role("region", name="Node 2")
    expect(panel.get_by_text("Dialled by")).to_be_visible()
    expect(panel.get_by_role("region", name="What the node prints")).to_contain_text("line 0 of node 2")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_only_one_node_is_in_the_order_of_the_tab_key(serve, open_page) -> None:
    page = open_page(serve(MadeUp(state_of([node(each) for each in range(30)]))))
    expect(page.locator(".node")).to_have_count(30)
    assert page.locator(".node[tabindex='0']").count() == 1


def test_conditions_say_whether_they_are_good_and_events_come_latest_first(serve, open_page) -> None:
    scene = MadeUp(state_of([node(0)]))
    page = open_page(serve(scene))
    conditions = page.get_by_role("list", name="Conditions")
    expect(conditions).to_contain_text("the Service is somebody else's")
    expect(conditions.locator("[data-good=no]")).to_have_count(1)
    later = [Happened("e2", now(), "Warning", "NodesUnreachable", "node 0 does not answer", "BitcoinNetwork/net", 2)]
    scene.hub.publish("happened", EventsChange("default/net", later), network="default/net")
    events = page.get_by_role("list", name="Events, the latest first").get_by_role("listitem")
    expect(events).to_have_count(2)
    expect(events.first).to_contain_text(re.compile("NodesUnreachable.*node 0 does not answer.*2 times"))


def test_a_condition_of_which_nothing_is_known_yet_is_neither_good_nor_bad(serve, open_page) -> None:
    state = state_of([node(0)])
    assert state.network is not None
    pending = [ConditionView("Ready", "Unknown", "Pending", "nobody has looked at it", is_good=False)]
    scene = MadeUp(state)
    scene.change(about=msgspec.structs.replace(state.network.about, conditions=pending))
    conditions = open_page(serve(scene)).get_by_role("list", name="Conditions")
    expect(conditions).to_contain_text(re.compile("Ready.*is Unknown: Pending.*nobody has looked at it"))
    expect(conditions.locator("[data-good=unknown]")).to_have_count(1)


def test_each_side_of_a_partition_has_a_button_that_mines_there(serve, open_page) -> None:
    state = state_of([node(each, group=each // 2) for each in range(4)])
    assert state.network is not None
    about = msgspec.structs.replace(state.network.about, groups=[[0, 1], [2, 3]])
    scene = MadeUp(state)
    scene.change(about=about)
    page = open_page(serve(scene))
    page.get_by_role("button", name="Mine on 2, 3").click()
    expect(page.get_by_role("list", name="What was done")).to_contain_text("mine done")
    assert [(name, order.node, order.count) for name, order in scene.orders] == [("mine", 2, 1)]


def test_branches_of_one_length_say_that_the_next_block_decides(serve, open_page) -> None:
    tips = [Tip(hash_of(7, "b"), 7, [2]), Tip(hash_of(7, "c"), 7, [0, 1], fork_height=5)]
    tree = Tree([*chain(5), *chain(7, "b", start=6), *chain(7, "c", start=6)], tips)
    page = open_page(serve(MadeUp(state_of([node(each) for each in range(3)], tree=tree))))
    expect(page.get_by_text("until a block is mined on one of them")).to_be_visible()


def cut_by_pointer(page: Page) -> None:
    graph = page.locator("#graph")
    box = graph.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.45, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.45, box["y"] + box["height"] - 4, steps=5)
    page.mouse.up()


def cut_by_keyboard(page: Page) -> None:
    page.get_by_role("button", name="Node 3:").focus()
    page.keyboard.press("Space")


@pytest.mark.parametrize(("cut", "alone"), [(cut_by_pointer, [3]), (cut_by_keyboard, [3])])
def test_a_network_is_partitioned_by_a_line_or_by_the_keyboard(serve, open_page, cut, alone) -> None:
    scene = MadeUp(state_of([node(each) for each in range(4)]))
    page = open_page(serve(scene))
    page.get_by_role("button", name="Partition …").click()
    cut(page)
    expect(page.locator("#groups")).to_have_text("0–2  |  3")
    expect(page.locator("#command")).to_have_text("btcctl partition net '0-2|3'")
    page.get_by_role("button", name="Partition", exact=True).click()
    expect(page.get_by_role("list", name="What was done").get_by_text("partition done")).to_be_visible()
    ((name, order),) = scene.orders
    assert (name, order.network, order.groups) == ("partition", "default/net", [[0, 1, 2], alone])


def test_who_has_split_a_network_by_keyboard_goes_on_from_there(serve, open_page) -> None:
    state = state_of([node(each) for each in range(4)])
    assert state.network is not None
    scene = MadeUp(state)
    page = open_page(serve(scene))
    page.get_by_role("button", name="Partition …").press("Enter")
    page.get_by_role("button", name="Choose half of them").press("Enter")
    page.get_by_role("button", name="Partition", exact=True).press("Enter")
    about = msgspec.structs.replace(state.network.about, groups=[[0, 1], [2, 3]])
    scene.hub.publish("about", AboutChange("default/net", about), network="default/net")
    expect(page.get_by_role("button", name="Mine on 2, 3")).to_be_visible()
    expect(page.get_by_role("button", name="Partition …")).to_be_focused()


def test_an_action_that_breaks_something_asks_first_and_says_its_command(serve, open_page) -> None:
    scene = MadeUp(state_of([node(each) for each in range(3)]))
    page = open_page(serve(scene))
    page.get_by_role("button", name="Node 1:").click()
    page.get_by_role("button", name="Restart", exact=True).click()
    dialog = page.get_by_role("dialog", name="Restart: node 1")
    expect(dialog).to_contain_text("kubectl delete pod net-sts-1")
    assert scene.orders == []
    dialog.get_by_role("button", name="Restart").click()
    expect(page.get_by_role("list", name="What was done")).to_contain_text("restart done")
    assert [(name, order.node) for name, order in scene.orders] == [("restart", 1)]


def test_what_went_wrong_with_an_action_is_said_in_words(serve, open_page, watched) -> None:
    watched.expected = "422"
    scene = MadeUp(state_of([node(0), node(1)]))
    scene.outcome = lambda name, order: Outcome(False, "node 0 does not answer: try another one")
    page = open_page(serve(scene))
    page.get_by_role("button", name="Mine a block").click()
    expect(page.get_by_role("list", name="What was done")).to_contain_text("node 0 does not answer: try another one")


def test_who_may_only_look_sees_no_buttons(serve, open_page) -> None:
    page = open_page(serve(MadeUp(state_of([node(0), node(1)], actions=[]))))
    expect(page.get_by_role("button", name="Node 0:")).to_be_visible()
    expect(page.get_by_role("region", name="Actions")).to_be_hidden()


def inside() -> Controller:
    key = KeyView(
        "default/net", "queued", why="pods net-sts-1", next_at=now() + 30, last_result="error", last_error="conflict"
    )
    return Controller(
        True,
        "",
        "in this process",
        True,
        [QueueView("networks", 1, 2, 0, 0.0, [key])],
        [CacheView("pods", True, 5, 1, 12, now() - 3, now() - 9)],
        [],
    )


def test_the_inside_of_the_controller_is_seen(serve, open_page) -> None:
    page = open_page(serve(MadeUp(state_of([node(0)], controller=inside()))))
    region = page.get_by_role("region", name="Inside the controller")
    expect(region).to_contain_text("in this process, leads")
    expect(region.get_by_role("row", name="default/net")).to_contain_text(
        re.compile("queued.*pods net-sts-1.*conflict.*in ")
    )
    expect(region.get_by_role("row", name="pods 5")).to_contain_text("9s ago")


def test_what_a_reconcile_has_come_to_is_said_in_words(serve, open_page) -> None:
    queue = QueueView("networks", 0, 1, 0, 0.0, [KeyView("default/net", "delayed", last_result="requeue_after")])
    page = open_page(serve(MadeUp(state_of([node(0)], controller=Controller(True, queues=[queue])))))
    row = page.get_by_role("region", name="Inside the controller").get_by_role("row", name="default/net")
    expect(row).to_contain_text("success, looks again (took 0.0 ms)")


@pytest.mark.parametrize("width", [1280, 1440])
def test_all_stages_of_a_journey_are_in_view(serve, open_page, width: int) -> None:
    names = ("reflector", "fifo", "cache", "handler", "queue", "reconcile", "done")
    steps = [Step(at, now() + at, each, "networks", "default/my-network", "", "", "1") for at, each in enumerate(names)]
    controller = Controller(True, steps=[*steps[:-1], msgspec.structs.replace(steps[-1], what="requeue_after")])
    scene = MadeUp(state_of([node(0)], controller=controller))
    page = open_page(serve(scene), viewport={"width": width, "height": 1000})
    expect(page.locator("#journeys [data-stage=done][data-reached]")).to_contain_text("looks again")
    region = page.get_by_role("region", name="Changes on their way")
    assert region.evaluate("region => region.scrollWidth - region.clientWidth") <= 0


def test_a_change_is_one_journey_from_the_reflector_to_the_reconcile(serve, open_page) -> None:
    scene = MadeUp(state_of([node(0)], controller=inside()))
    page = open_page(serve(scene))
    expect(page.get_by_role("region", name="Inside the controller")).to_be_visible()
    pod, at = ("pods", "default/net-sts-0", "77", "MODIFIED"), now()
    steps = [
        Step(number, at + number / 1000, stage, *pod) for number, stage in enumerate(("reflector", "fifo", "cache"))
    ]
    steps.append(Step(3, at + 0.003, "handler", "networks", "default/net", "77", "pods", "networks-9"))
    rest = [("queue", ""), ("reconcile", ""), ("done", "success")]
    steps += [
        Step(number, at + number / 1000, stage, "networks", "default/net", "", what, "networks-9")
        for number, (stage, what) in enumerate(rest, start=4)
    ]
    scene.hub.publish("steps", StepsChange(steps))
    journeys = page.locator("#journeys tr")
    expect(journeys).to_have_count(1)
    expect(journeys).to_contain_text(re.compile("modified pods default/net-sts-0.*0.0 ms.*6.0 ms success"))
    assert journeys.locator("td[data-reached]").count() == 7


def test_why_the_controller_cannot_be_looked_into_is_said(serve, open_page) -> None:
    page = open_page(serve(MadeUp(state_of([node(0)], controller=Controller(why_not="start it with --debug-addr")))))
    expect(page.get_by_role("region", name="Inside the controller")).to_contain_text("start it with --debug-addr")


def test_what_a_cluster_says_is_never_markup(serve, open_page) -> None:
    evil = "<img src=x onerror=alert(1)><script>alert(1)</script>"
    scene = MadeUp(state_of([node(0, version=evil, message=evil, state="behind")]))
    page = open_page(serve(scene))
    page.get_by_role("button", name="Node 0:").click()
    expect(page.get_by_text(evil).first).to_be_visible()
    assert page.locator("img:not([src='icon.svg'])").count() == 0


@pytest.mark.parametrize("width", [390, 1440])
def test_names_and_messages_that_are_one_long_word_make_no_page_wider(serve, open_page, width: int) -> None:
    word = "A" * 3000
    happens = [Happened("e1", now(), "Warning", word, word, f"BitcoinNetwork/{word}")]
    failed = QueueView(
        "networks", 0, 1, 0, 0.0, [KeyView(word, "delayed", why=word, last_result="error", last_error=word)]
    )
    cache = CacheView(word, problem=word)
    state = state_of(
        [node(0, version=word, image=word, message=word, state="behind")],
        networks=[Summary("b", word, reason=word)],
        controller=Controller(True, queues=[failed], caches=[cache]),
    )
    assert state.network is not None
    scene = MadeUp(state)
    summary = msgspec.structs.replace(state.network.about.summary, message=word, version=word)
    conditions = [ConditionView(word, "False", word, word, is_good=False)]
    scene.change(
        events=happens, about=msgspec.structs.replace(state.network.about, summary=summary, conditions=conditions)
    )
    page = open_page(serve(scene), viewport={"width": width, "height": 1000})
    page.get_by_role("button", name="Node 0:").click()
    expect(page.get_by_role("region", name="What the node prints")).to_contain_text("line")
    page.get_by_text("Nodes as a table").first.click()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    beyond = page.locator("main *").evaluate_all(
        """all => all.filter(each => !each.closest(".scroll") && each.getBoundingClientRect().right > innerWidth)
                     .map(each => each.outerHTML.slice(0, 80))"""
    )
    assert beyond == []


def test_who_has_no_networks_is_told_at_once_how_to_make_one(serve, open_page) -> None:
    page = open_page(serve(MadeUp(msgspec.structs.replace(state_of([]), networks=[], network=None))))
    hint = page.get_by_text("No networks yet: kubectl apply")
    expect(hint).to_be_visible()
    expect(hint).to_be_in_viewport()


def test_a_thousand_networks_are_a_list_that_can_be_filtered(serve, open_page) -> None:
    more = [
        Summary("many", f"network-{each:04}", health="trouble" if each % 10 == 0 else "ready") for each in range(1000)
    ]
    page = open_page(serve(MadeUp(state_of([node(0)], networks=more))))
    rows = page.locator("#networks li")
    expect(rows).to_have_count(1001)
    page.get_by_role("searchbox").fill("trouble 03")
    expect(rows).to_have_count(11)
    expect(page.locator("#networks-count")).to_have_text("11 of 1001")
    page.get_by_role("searchbox").fill("nothing of that name")
    expect(page.get_by_text("No network has “nothing of that name”")).to_be_visible()


def test_a_network_that_is_not_there_is_said_to_be_missing(serve, open_page) -> None:
    page = open_page(serve(MadeUp(state_of([node(0)]))) + "#/default/gone")
    expect(page.get_by_text("There is no network default/gone: choose one on the left")).to_be_visible()
    page.get_by_role("link", name="net default").click()
    expect(page.get_by_role("button", name="Node 0:")).to_be_visible()


def test_a_cluster_that_cannot_be_seen_is_said_so(serve, open_page) -> None:
    page = open_page(serve(MadeUp(state_of([node(0)], problem="the API server does not answer"))))
    expect(page.get_by_role("alert")).to_have_text("The cluster cannot be seen: the API server does not answer")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("part", ["all", "cutting", "panel", "dialog"])
def test_axe_finds_nothing(serve, open_page, scheme: str, part: str) -> None:
    nodes = [node(each, state=state, group=each % 2, best=hash_of(8, "b")) for each, state in enumerate(STATES)]
    page = open_page(serve(MadeUp(state_of(nodes, tree=FORK, controller=inside()))), color_scheme=scheme)
    page.get_by_role("button", name="Node 0:").wait_for()
    if part == "cutting":
        page.get_by_role("button", name="Partition …").click()
    if part in {"panel", "dialog"}:
        page.get_by_role("button", name="Node 1:").click()
        expect(page.get_by_role("region", name="What the node prints")).to_contain_text("line")
    if part == "dialog":
        page.get_by_role("button", name="Restart", exact=True).click()
    result = Axe().run(page)
    assert result.violations_count == 0, result.generate_report()


def test_who_wants_no_motion_sees_none(serve, open_page) -> None:
    scene = MadeUp(state_of([node(each, state="restarting") for each in range(4)]))
    page = open_page(serve(scene), reduced_motion="reduce")
    page.get_by_role("button", name="Node 0:").wait_for()
    scene.tell_tree(FORK)
    scene.tell_nodes([node(0, best=hash_of(8, "b"))])
    expect(page.get_by_role("button", name="Node 0: synced")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0
