"""The same small operator in Go, with btcctl and with kopf, side by side on a real API server."""
