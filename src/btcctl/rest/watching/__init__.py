"""Collections on their way here: pages of lists, and streams of watches."""
