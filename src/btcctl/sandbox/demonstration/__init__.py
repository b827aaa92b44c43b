"""The network that the sandbox shows, and the story it tells."""
