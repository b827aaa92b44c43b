"""What there is to see: networks from the API server, nodes by RPC, the operator from its debug pages."""
