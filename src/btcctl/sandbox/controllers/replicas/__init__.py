"""Deployments and the ReplicaSets that they are made of."""
