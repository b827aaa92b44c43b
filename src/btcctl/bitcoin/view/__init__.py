"""A live picture of networks: looked at by our own informers and RPC calls, told to browsers by server-sent events."""
