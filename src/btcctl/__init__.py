"""A Kubernetes controller toolkit for Python."""
