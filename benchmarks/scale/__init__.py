"""What the operator costs with many networks, and with large ones."""
