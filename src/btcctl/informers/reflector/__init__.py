"""Keeping a store equal to a collection of the API server. Knows no cache, and no handlers."""
