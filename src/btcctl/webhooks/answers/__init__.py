"""What an API server asks, and what it is answered: bytes to bytes, without a network."""
