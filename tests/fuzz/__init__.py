"""Requests of every odd kind, made up from the embedded server's own types: none may end in a 500, nor cost much."""
