"""A browser for all tests, and a page for each, which must not complain, load anything from elsewhere, or try to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from btcctl.bitcoin.view.serving.guard import new_token
from btcctl.bitcoin.view.serving.web_server import WebServer
from btcctl.secret import Secret
from btcctl.testing.control_plane.ports import free_ports
from tests.browser.scene import MadeUp
from tests.integration.programs import CHROMIUM, required, what_is_missing

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
#: A machine with other work on it is no reason to fail.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ours = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in ours:
        item.add_marker("browser")
    if CHROMIUM is None and ours:
        if "browser" in required():
            raise pytest.UsageError(what_is_missing("chromium"))
        items[:] = [item for item in items if item not in ours]
        config.hook.pytest_deselected(items=ours)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@dataclass
class Watched:
    """What a page has complained about, and asked for."""

    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    #: Complaints that a test brings about.
    expected: str = r"(?!)"

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def check(self, origins: set[str]) -> None:
        assert [each for each in self.complaints if not re.search(self.expected, each)] == []
        strangers = [each for each in self.requests if not any(each.startswith(origin) for origin in origins)]
        assert strangers == []


Opener = Callable[..., Page]


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def open_page(browser: Browser, watched: Watched) -> Iterator[Opener]:
    """Opens pages, each as a person of its own would; options are those of a browser's context."""
    origins: set[str] = set()
    with ExitStack() as contexts:

        def opened(address: str, **options: Any) -> Page:
            context = contexts.enter_context(
                closing(browser.new_context(**{"viewport": {"width": 1440, "height": 1000}, **options}))
            )
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            page.on("console", watched.hear)
            page.on("pageerror", lambda error: watched.complaints.append(str(error)))
            page.on("request", lambda request: watched.requests.append(request.url))
            origins.add("/".join(address.split("/")[:3]) + "/")
            page.goto(address)
            return page

        yield opened
    watched.check(origins)


@contextmanager
def serving(scene: MadeUp, *, token: Secret | None = None, port: int = 0) -> Iterator[WebServer]:
    """The real server, with a scene; on a port that nobody else gets while it is started again."""
    server = WebServer(scene, token or new_token(), port=port or free_ports(1)[0])
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def serve() -> Iterator[Callable[[MadeUp], str]]:
    """Serves scenes for as long as the test takes; returns the address of the page."""
    with ExitStack() as servers:
        yield lambda scene: str(servers.enter_context(serving(scene)).address)
