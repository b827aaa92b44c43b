"""Builds both images without a registry, and checks them as their users would: `make images`."""
