"""What holds for every test: no thread outlives it, and logging is as it was."""

from __future__ import annotations

import gc
import itertools
import logging
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

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

_HERE = f"{Path(__file__).parent}/"
# `make test` leaves these to `make test-stories`: two thirds of all processor time in a tenth of the tests.
_STORIES = (
    "integration/bitcoin/",
    "integration/cli/",
    "integration/sandbox/",
    "integration/typed/",
    "integration/apiserver/test_kubectl.py",
    "integration/apiserver/test_process.py",
    "integration/controller/test_hostile_clients.py",
    "integration/controller/test_signals.py",
    "integration/controller/test_stopping.py",
    "integration/controller/test_what_goes_on.py",
    "integration/deployment/",
    "integration/informers/test_stop.py",
    "integration/leaderelection/test_duel.py",
    "integration/rest/test_kubeconfigs_beside_kubectl.py",
    "integration/test_benchmarks.py",
    "integration/test_docs_site.py",
    "integration/test_from_client_go_page.py",
    "integration/test_from_kopf_page.py",
    "integration/test_howto_pages.py",
    "integration/test_pages.py",
    "integration/test_starts.py",
    "integration/test_toolkit_page.py",
    "integration/test_tracebacks.py",
    "integration/test_tutorial.py",
    "integration/testing/test_declared_extras.py",
    "integration/testing/test_speed.py",
    "integration/testing/test_testing_page.py",
    "integration/view/",
    "unit/apiserver/test_bombs.py",
    "unit/apiserver/test_bombs_cel.py",
    "unit/apiserver/test_limits.py",
    "unit/bitcoin/test_crashes.py",
    "unit/bitcoin/test_hostile.py",
    "unit/bitcoin/test_odd_days.py",
    "unit/bitcoin/test_reconcile.py",
    "unit/bitcoin/test_specs.py",
    "unit/controller/test_manager_shutdown.py",
    "unit/controller/test_shutdown.py",
    "unit/leaderelection/test_shutdown.py",
    "unit/rest/kubeconfig/test_kubeconfig_fuzz.py",
    "unit/workqueue/test_queue_interleavings.py",
)

# A shell ignores SIGINT for what it starts in the background, and children of ours would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What `-m "not story"` or `-m "story and …"` would leave out is not even imported, unless it is named."""
    if collection_path.suffix != ".py" or "story" not in config.option.markexpr:
        return None
    wants_stories = "not story" not in config.option.markexpr
    return _is_story(collection_path) != wants_stories or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the stories."""
    for path, of_a_file in itertools.groupby(items, key=lambda item: item.path):
        if _is_story(path):
            for item in of_a_file:
                item.add_marker(pytest.mark.story)


def _is_story(path: Path) -> bool:
    return str(path).removeprefix(_HERE).startswith(_STORIES)


@hypothesis.settings(max_examples=1, database=None, phases=[hypothesis.Phase.generate])
@hypothesis.given(hypothesis.strategies.just(None))
def _run_hypothesis_once(_: None) -> None:
    pass


def pytest_collection_finish() -> None:
    """Thousands of collected tests are no garbage: without them in its sight a collection is cheap.

    Hypothesis makes its random generator in its first run, and warns if the collector sees nothing that refers to
    it: from 3.14 on it would not see what was frozen before. So the first run comes before.
    """
    _run_hypothesis_once()
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
        thread.join(30.0)  # one that is on its way out is no leak
    still_there = [thread.name for thread in leaked if thread.is_alive()]
    assert not still_there, f"threads left behind: {still_there}"


@pytest.fixture(autouse=True)
def no_context_outlives_its_test() -> Iterator[None]:
    """A reconcile that a test calls itself binds its object to the log lines of the test's thread."""
    yield
    structlog.contextvars.clear_contextvars()


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """What a command has configured for its process ends with the test that ran it."""
    root, ours = logging.getLogger(), logging.getLogger("btcctl")
    handlers, levels, before = root.handlers[:], (root.level, ours.level), structlog.get_config()
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
