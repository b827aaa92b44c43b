"""Blocks, the chain with the most work, and the file they are kept in."""
