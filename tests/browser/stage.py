"""A sandbox with its live page, and what a person does there, in clicks and looks."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from btcctl.cli.network.desired import parse_groups

STOP_SECONDS = 60
INTERRUPTED = 130  #: before all nodes were up
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"


@contextmanager
def sandbox(nodes: int, *flags: str) -> Iterator[str]:
    """Runs one with simulated nodes, as a person would; yields the address of its page."""
    command = [sys.executable, "-m", "btcctl", "sandbox", "--nodes", f"{nodes}", "--simulated", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield next(line.split()[-1] for line in process.stdout if line.startswith("live page"))
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=STOP_SECONDS)
        assert process.returncode in {0, INTERRUPTED}


class Person:
    """Somebody who looks at the page and clicks. Every wait is for something to be seen."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def tips(self) -> Locator:
        return self.page.get_by_role("list", name="Tips").get_by_role("listitem")

    def sees_one_tip(self, nodes: int, height: int | None = None) -> None:
        """All are on it. Count and words at once: while nodes fetch a block there are more for a moment."""
        says = rf"height {'[0-9]+' if height is None else height}\D*nodes 0–{nodes - 1}"
        expect(self.tips).to_have_text([re.compile(says)])

    def node(self, ordinal: int, says: str = "") -> Locator:
        return self.page.get_by_role("button", name=re.compile(f"^Node {ordinal}: .*{says}"))

    def sees_nodes(self, nodes: int, says: str) -> None:
        for ordinal in range(nodes):
            expect(self.node(ordinal, says)).to_be_visible()
        expect(self.page.locator(".node")).to_have_count(nodes)

    def sees_done(self, what: str) -> None:
        expect(self.page.get_by_role("list", name="What was done").get_by_role("listitem").first).to_contain_text(what)

    def clicks(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def says_yes(self, name: str) -> None:
        self.page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()

    def opens(self, ordinal: int) -> Locator:
        """A node's panel."""
        panel = self.page.get_by_role("region", name=f"Node {ordinal}", exact=True)
        if not panel.is_visible():
            self.node(ordinal).click()
        expect(panel).to_be_visible()
        return panel

    def mines(self, ordinal: int, blocks: int = 1) -> None:
        panel = self.opens(ordinal)
        for _ in range(blocks):
            panel.get_by_role("button", name="Mine here").click()
            self.sees_done(f"node {ordinal} mined 1 block")

    def cuts(self, at: float = 0.5) -> list[list[int]]:
        """Partitions the network by a line from the top to the bottom, at a fraction of the width; the sides."""
        self.clicks("Partition …")
        box = self.page.locator("#graph").bounding_box()
        assert box is not None
        x = box["x"] + box["width"] * at
        self.page.mouse.move(x, box["y"] + 4)
        self.page.mouse.down()
        self.page.mouse.move(x + 2, box["y"] + box["height"] - 4, steps=6)
        self.page.mouse.up()
        expect(self.page.locator("#groups")).to_contain_text("|")
        sides = parse_groups(self.page.locator("#groups").inner_text().replace("–", "-"))
        self.clicks("Partition")
        self.sees_done("is to be split")
        return sides

    def keeps(self, name: str) -> None:
        """A screenshot, for who looks at what a run of the tests has seen."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        (SCREENSHOTS / f"{name}.png").write_bytes(self.page.screenshot(full_page=True))
