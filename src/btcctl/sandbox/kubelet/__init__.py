"""The one node: pods become processes."""
