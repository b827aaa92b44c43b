"""`python -m btcctl`."""

import sys

from btcctl.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
