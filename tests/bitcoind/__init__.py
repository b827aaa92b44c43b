"""A real bitcoind for tests and for the sandbox."""
