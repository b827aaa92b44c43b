"""Applying deltas to a cache, and notifying any number of handlers of what changed."""
