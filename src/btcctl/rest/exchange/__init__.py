"""One request and its answer on a connection: what a Transport over sockets is made of.

`head` and `chunked` and `body` are pure, `exchange` sends and reads, `connection` finds, makes and keeps connections
(urllib3's), `names` asks the resolver, `proxies` chooses the way. Within it every failure is an OSError, an
`ssl.SSLError` or an `ExchangeError`; its callers turn them into errors of btcctl.
"""
