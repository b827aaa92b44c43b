"""Kinds of object as Python types: what an author declares, and how values of them come from JSON and become it."""
