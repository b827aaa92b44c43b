"""The operator: a BitcoinNetwork becomes one peer-to-peer network of nodes, and stays one."""
