"""What the API server asks of the node: logs, commands, ports."""
