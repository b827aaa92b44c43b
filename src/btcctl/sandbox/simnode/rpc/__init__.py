"""JSON-RPC over HTTP, as bitcoind answers it."""
