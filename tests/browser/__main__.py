"""`make screenshots`: the picture at the head of the README, taken anew out of a sandbox."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.stage import Person, sandbox
from tests.integration.programs import CHROMIUM, what_is_missing

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "view.png"
NODES = 7
MOST_BYTES = 300_000


def main() -> int:
    if CHROMIUM is None:
        sys.stderr.write(f"make screenshots: {what_is_missing('chromium')}\n")
        return 1
    with sandbox(NODES) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        page = browser.new_page(viewport={"width": 1320, "height": 1180}, color_scheme="light")
        page.set_default_timeout(120_000)
        expect.set_options(timeout=120_000)
        page.goto(address)
        take(Person(page))
        browser.close()
    size = PICTURE.stat().st_size
    print(f"{PICTURE}: {size:,} bytes")
    return 0 if size < MOST_BYTES else 1


def take(person: Person) -> None:
    """A network that is split, with a branch on each side."""
    person.sees_nodes(NODES, "synced")
    person.mines(0, 3)
    one, other = person.cuts(0.55)
    person.mines(one[0], 3)
    person.mines(other[0], 2)
    expect(person.tips).to_have_count(2)
    for ordinal in range(NODES):
        expect(person.node(ordinal, "tip")).to_be_visible()
    expect(person.page.get_by_text("OneTip")).to_have_count(0)  # the operator has seen it, too
    person.page.get_by_role("button", name="Close").click()
    person.page.mouse.move(5, 5)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_bytes(person.page.screenshot())


if __name__ == "__main__":
    sys.exit(main())
