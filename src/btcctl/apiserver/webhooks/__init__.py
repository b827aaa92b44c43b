"""How webhooks are called: over HTTPS, at an address or by a Service."""
