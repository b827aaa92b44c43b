"""Webhooks: how they are called, and what their answers mean."""
