"""`python -m btcctl`, and the command `btcctl`."""

import sys
from typing import NoReturn

from btcctl.interrupts import end_at_once


def entry_point() -> NoReturn:
    """What the console script calls. The command line is loaded here, so that Ctrl-C may come at any moment."""
    try:
        with end_at_once():
            from btcctl.cli.main import main, make_output_safe  # noqa: PLC0415

        make_output_safe()
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    entry_point()
