"""Where events go: Event objects of either API, and the log."""
