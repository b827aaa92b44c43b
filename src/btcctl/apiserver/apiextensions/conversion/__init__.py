"""Conversion webhooks: what a definition may say of them, and how they are asked."""
