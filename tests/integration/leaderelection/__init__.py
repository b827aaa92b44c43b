"""Leader election with real processes: who wrote what, and when, as the API server saw it."""
