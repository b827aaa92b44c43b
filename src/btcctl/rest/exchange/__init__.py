"""One request and its answer on a connection: what a Transport over sockets is made of.

`head` and `chunked` and `body` are pure, `exchange` sends and reads, `connection` keeps connections, `reaching` makes
them. Within it every failure is an OSError, an
`ssl.SSLError` or an `ExchangeError`; its callers turn them into errors of btcctl.
"""
