"""`make images`: builds them, then checks them."""

import subprocess
import sys

from tests.images.build import build
from tests.integration.controlplane.build import Failure

if __name__ == "__main__":
    try:
        build()
    except Failure as failure:
        sys.stderr.write(f"make images: {failure}\n")
        sys.exit(1)
    sys.exit(subprocess.call([sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "tests/images"]))
