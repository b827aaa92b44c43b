"""`python -m btcctl.apiserver`."""

import sys
from typing import NoReturn

from btcctl.interrupts import end_at_once


def entry_point() -> NoReturn:
    """The program is loaded here, so that Ctrl-C may come at any moment."""
    try:
        with end_at_once():
            from btcctl.apiserver.program import main  # noqa: PLC0415

        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    entry_point()
