"""What this machine must have for a sandbox: descriptors at the start, and space on the disk all along."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from btcctl.errors import BtcctlError, ConfigError

# Measured with simulated nodes: three make it with 150, and fail with 80. Each has connections and a log of its own.
DESCRIPTORS, DESCRIPTORS_PER_NODE = 128, 12
WANTED_DESCRIPTORS = 65_536  # more are asked for if they may be had: Bitcoin Core wants a thousand itself
LEAST_BYTES = 256 << 10


def raise_descriptor_limit(nodes: int) -> None:
    """Ask for as many descriptors as may be had.

    Raises:
        ConfigError: They are too few for so many nodes.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, WANTED_DESCRIPTORS)
    if most > soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    needed = DESCRIPTORS + nodes * DESCRIPTORS_PER_NODE
    if most < needed and soft != resource.RLIM_INFINITY:
        raise ConfigError(
            f"a sandbox of {nodes} nodes needs {needed} file descriptors, and may have {most}: "
            "raise the hard limit (ulimit -Hn), or ask for fewer --nodes"
        )


def require_space(directory: Path, chosen_by: str = "TMPDIR") -> None:
    """
    Args:
        chosen_by: What says which directory it is.

    Raises:
        BtcctlError: There is next to no space left where the directory is.
    """
    try:
        found = os.statvfs(directory)
    except OSError:
        return  # gone: whoever has removed it ends the sandbox anyway
    free = found.f_bavail * found.f_frsize
    if free < LEAST_BYTES:
        raise BtcctlError(
            f"no space left for {directory}, where all that the sandbox runs writes: make room, or let {chosen_by} "
            "name another place"
        )
