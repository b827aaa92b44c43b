"""How a server is reached: `names` asks the resolver, `proxies` chooses the way, `route` goes it."""
