"""Which version this is."""

VERSION = "0.1.0"  # as in setup.cfg, which a process takes long to find
