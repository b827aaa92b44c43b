"""Admission policies: CEL that is asked about a request."""
