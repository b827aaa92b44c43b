"""Kubernetes' own functions in CEL, and those of cel-go's extensions that its servers have: a module for each kind."""
