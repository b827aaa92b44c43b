"""Faults of what every process of ours stands on: clocks, threads, what it says of itself, and how it ends."""

from __future__ import annotations

from tests.mutations.fault import faults_in

_DURATIONS = ("test_durations.py", "test_clock.py")

PROCESS_FAULTS = [
    *faults_in(
        "clock.py",
        _DURATIONS,
        (
            "a wait may be longer than the platform takes",
            "condition.wait(bounded(timeout)) or",
            "condition.wait(timeout) or",
        ),
        (
            "a wait that was cut short is over",
            "return condition.wait(bounded(timeout)) or timeout > LONGEST_WAIT",
            "return condition.wait(bounded(timeout))",
        ),
        ("somebody waits for NaN seconds", "if math.isnan(seconds):", "if False:"),
        ("an option may be NaN", "if not 0 <= seconds <= most:", "if seconds < 0 or seconds > most:"),
        (
            "a pause ends when something wakes it",
            "while (left := until - clock.now()) > 0:",
            "if left := until - clock.now():",
        ),
    ),
    *faults_in(
        "threads.py",
        _DURATIONS,
        ("a thread is not waited for if that may take long", "        timeout = bounded(timeout)\n", ""),
    ),
    *faults_in(
        "backoff.py",
        _DURATIONS,
        ("a back-off may grow without end", "self.cap < math.inf and", "self.cap and"),
        ("an infinite period has no number", "seconds if math.isinf(seconds) else uniform(", "uniform("),
    ),
    *faults_in(
        "workqueue/queue.py",
        ("workqueue/test_queue.py",),
        ("a key waits for ever", "if not seconds < _NEVER:", "if False:"),
    ),
    *faults_in(
        "workqueue/rate_limited.py",
        ("workqueue/test_rate_limiters.py",),
        ("a limiter's NaN is no wait", "return seconds if seconds < math.inf else CAP_SECONDS", "return seconds"),
    ),
]
