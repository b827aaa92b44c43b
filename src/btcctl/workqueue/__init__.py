"""Queues of keys: deduplicated, delayed, rate-limited. Knows no Kubernetes."""
