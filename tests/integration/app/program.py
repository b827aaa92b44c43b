"""The operator of tests/unit/app/greeter.py as a program."""

from __future__ import annotations

import btcctl
from tests.unit.app.greeter import build

if __name__ == "__main__":
    btcctl.run(build, name="greeter")
