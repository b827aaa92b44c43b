"""The operator's own work: read from its debug pages, wherever it runs."""
