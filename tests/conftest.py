"""What holds for every test: no thread outlives it, and logs cost little."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import hypothesis
import pytest
import structlog

pytest_plugins = ["btcctl.testing.pytest_plugin"]

# A machine with other work on it is no reason to fail: what hangs meets pytest's own timeout.
_SLOW = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile("any machine", deadline=None, suppress_health_check=_SLOW)
# For who only wants to know whether a test fails.
_ONCE = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
hypothesis.settings.register_profile(
    "unshrunk", deadline=None, suppress_health_check=_SLOW, phases=_ONCE, print_blob=False
)
hypothesis.settings.load_profile("any machine")


def pytest_collection_finish() -> None:
    """Thousands of collected tests are no garbage: without them in its sight a collection is cheap."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_thread_outlives_its_test() -> Iterator[None]:
    """Fail the test that leaves a thread behind; threads of wider fixtures existed before."""
    before = set(threading.enumerate())
    yield
    # One without an ident is only about to start.
    leaked = [thread for thread in threading.enumerate() if thread not in before and thread.ident is not None]
    for thread in leaked:
        thread.join(2.0)  # one that is on its way out is no leak
    still_there = [thread.name for thread in leaked if thread.is_alive()]
    assert not still_there, f"threads left behind: {still_there}"


@pytest.fixture(autouse=True, scope="session")
def plain_logs() -> Iterator[None]:
    """structlog's own default paints tracebacks with every local variable, which takes seconds."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["level", "event"]),
        ]
    )
    yield
    structlog.reset_defaults()
