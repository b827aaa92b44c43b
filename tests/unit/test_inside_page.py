"""docs/inside.md is a controller put together by hand, which works."""

from __future__ import annotations

from tests import pages


def test_the_controller_of_the_page_works(tmp_path):
    page = pages.run("inside.md", tmp_path)
    assert page.seen[0] == "hello"
    assert page.seen[-1] == "gone"
    assert page.queue.is_shut_down
