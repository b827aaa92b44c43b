"""What becomes of an open page when the server, or the way to it, does not do as it should."""

from __future__ import annotations

import itertools
import re

from playwright.sync_api import Page, expect

from btcctl.bitcoin.view.model import Summary, Tree
from btcctl.bitcoin.view.serving.guard import new_token
from tests.browser.conftest import serving
from tests.browser.scene import MadeUp, node, one_tip, state_of
from tests.integration.support import eventually

REFUSED = "ERR_CONNECTION_(REFUSED|RESET|CLOSED)|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE"


def put_in_background(page: Page, *, is_hidden: bool) -> None:
    page.evaluate(
        """is => {
             Object.defineProperty(document, "hidden", { value: is, configurable: true });
             document.dispatchEvent(new Event("visibilitychange"));
           }""",
        is_hidden,
    )


def slow_down(page: Page, *, latency_ms: int, bytes_a_second: int) -> None:
    page.context.new_cdp_session(page).send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": latency_ms,
            "downloadThroughput": bytes_a_second,
            "uploadThroughput": bytes_a_second,
        },
    )


def test_a_page_says_since_when_it_has_no_connection_and_goes_on_by_itself(open_page, watched) -> None:
    watched.expected = REFUSED
    scene, token = MadeUp(state_of([node(0), node(1)])), new_token()
    with serving(scene, token=token) as server:
        port = server.port
        page = open_page(str(server.address))
        expect(page.get_by_role("button", name="Node 1: synced")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^no connection since \d\d:\d\d:\d\d$"))).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("What is shown is as it was then")
    expect(page.get_by_role("button", name="Node 1: synced")).to_be_visible()
    scene.change(nodes=[node(0), node(1, state="behind", height=2)])
    with serving(scene, token=token, port=port):
        expect(page.get_by_role("button", name="Node 1: behind, height 2")).to_be_visible()
        expect(page.get_by_text("live", exact=True)).to_be_visible()
        expect(page.get_by_role("alert")).to_be_hidden()
        page.context.close()


def test_an_address_with_the_token_of_an_earlier_run_says_what_to_do(open_page, watched) -> None:
    watched.expected = f"{REFUSED}|404"
    scene = MadeUp(state_of([node(0)]))
    with serving(scene) as server:
        port = server.port
        page = open_page(str(server.address))
        expect(page.get_by_text("live", exact=True)).to_be_visible()
    with serving(scene, port=port):
        expect(page.get_by_role("alert")).to_contain_text("Open the address that it prints now")
        page.context.close()


def test_an_action_without_a_connection_says_that_nothing_is_known_of_it(open_page, watched) -> None:
    watched.expected = REFUSED
    with serving(MadeUp(state_of([node(0), node(1)]))) as server:
        page = open_page(str(server.address))
        expect(page.get_by_role("button", name="Mine a block")).to_be_visible()
    page.get_by_role("button", name="Mine a block").click()
    expect(page.get_by_role("list", name="What was done")).to_contain_text("no connection to btcctl")


def test_two_tabs_of_two_networks_are_each_told_of_their_own(serve, open_page) -> None:
    scene = MadeUp(state_of([node(0), node(1)], networks=[Summary("default", "other")]))
    address = serve(scene)
    one, other = open_page(address), open_page(address + "#/default/other")
    expect(one.get_by_role("button", name="Node 1: synced")).to_be_visible()
    expect(other.get_by_text("There is no network default/other")).to_be_visible()
    scene.tell_nodes([node(1, state="restarting")])
    expect(one.get_by_role("button", name="Node 1: restarting")).to_be_visible()
    expect(other.locator(".node")).to_have_count(0)


def test_two_tabs_of_one_network_show_the_same(serve, open_page) -> None:
    scene = MadeUp(state_of([node(0), node(1)]))
    address = serve(scene)
    pages = [open_page(address), open_page(address)]
    for page in pages:
        expect(page.get_by_role("button", name="Node 1: synced")).to_be_visible()
    pages[0].get_by_role("button", name="Mine a block").click()
    scene.tell_tree(one_tip(2, 6))
    for page in pages:
        expect(page.get_by_role("list", name="Tips")).to_contain_text("height 6")


def test_over_a_slow_network_a_page_catches_up_without_showing_what_is_past(serve, open_page) -> None:
    scene = MadeUp(state_of([node(each) for each in range(50)]))
    page = open_page(serve(scene))
    expect(page.locator(".node")).to_have_count(50)
    slow_down(page, latency_ms=400, bytes_a_second=20_000)
    for height in range(6, 400):
        scene.change(nodes=[node(each, height) for each in range(50)])
        scene.tell_nodes([node(each, height) for each in range(50)])
        scene.tell_tree(Tree())
    scene.tell_tree(one_tip(50, 9))
    expect(page.get_by_role("button", name="Node 49: synced, height 399")).to_be_visible()
    expect(page.get_by_role("list", name="Tips")).to_contain_text("height 9")


def test_a_page_in_the_background_lets_its_connection_go_and_shows_what_it_has_missed(serve, open_page) -> None:
    scene = MadeUp(state_of([node(0), node(1)]))
    page = open_page(serve(scene))
    page.clock.install()
    expect(page.get_by_role("button", name="Node 1: synced")).to_be_visible()
    put_in_background(page, is_hidden=True)
    page.clock.fast_forward(31_000)
    eventually(lambda: not scene.hub.is_watched)
    scene.change(nodes=[node(0), node(1, state="behind", height=2)])
    put_in_background(page, is_hidden=False)
    expect(page.get_by_role("button", name="Node 1: behind, height 2")).to_be_visible()


def test_a_page_that_was_opened_in_the_background_lets_its_connection_go(serve, open_page) -> None:
    scene = MadeUp(state_of([node(0)]))
    page = open_page(serve(scene))
    page.add_init_script("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    page.clock.install()
    page.reload()
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    page.clock.fast_forward(31_000)
    eventually(lambda: not scene.hub.is_watched)


def test_a_page_that_was_in_the_background_for_a_moment_keeps_its_connection(serve, open_page) -> None:
    scene = MadeUp(state_of([node(0), node(1)]))
    page = open_page(serve(scene))
    page.clock.install()
    expect(page.get_by_role("button", name="Node 1: synced")).to_be_visible()  # it is connected
    heights = itertools.count(6)
    for is_hidden, jumps in ((True, (20_000, 9_000)), (False, (20_000, 11_000))):
        put_in_background(page, is_hidden=is_hidden)
        for jump in jumps:  # none is as long as the silence that ends a connection
            page.clock.fast_forward(jump)
            height = next(heights)
            scene.tell_nodes([node(1, height)])
            expect(page.get_by_role("button", name=f"height {height}")).to_be_visible()


def test_an_address_that_somebody_has_spoilt_says_that_there_is_no_such_network(serve, open_page) -> None:
    page = open_page(serve(MadeUp(state_of([node(0)]))) + "#/%E0%A4%A")
    expect(page.get_by_text("There is no network %E0%A4%A: choose one on the left")).to_be_visible()


def test_a_browser_that_may_keep_nothing_shows_the_page_all_the_same(serve, open_page) -> None:
    page = open_page(serve(MadeUp(state_of([node(0)]))))
    page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('no') }})")
    page.reload()
    expect(page.get_by_role("button", name="Node 0: synced")).to_be_visible()
    page.get_by_role("button", name="Theme: system").click()
    expect(page.get_by_role("button", name="Theme: light")).to_be_visible()


def test_the_back_button_and_a_link_lead_to_the_network_that_was_looked_at(serve, open_page) -> None:
    page = open_page(serve(MadeUp(state_of([node(0)], networks=[Summary("default", "other")]))))
    expect(page.get_by_role("heading", name="net", exact=True)).to_be_visible()
    page.get_by_role("link", name="other default").click()
    expect(page.get_by_text("There is no network default/other")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="net", exact=True)).to_be_visible()
