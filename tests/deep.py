"""JSON that is nested too deep, for every Python.

The decoder gives up at 1,000 levels on 3.11, at 10,000 on 3.13. On 3.14 it goes on until the stack ends: with the usual
8 MiB, to 27,000 levels that it reads, and to more than 200,000 that it only skips.
"""

from __future__ import annotations

from btcctl.testing.faults.spoiling import DEPTH

DEEP = b"[" * DEPTH + b"]" * DEPTH
TOO_DEEP_TO_SKIP = b"[" * 1_000_000 + b"]" * 1_000_000
