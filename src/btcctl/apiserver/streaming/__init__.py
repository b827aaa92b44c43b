"""Connections that go on after their request: exec, port-forward, followed logs.

Each has one thread, its connection's own, which waits for all its ends at once.
"""
